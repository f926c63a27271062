// Leaves the enclosing function with an error, or goes on.
#pragma once
#include <sluice/result.hpp>

#define SLUICE_JOIN_(a, b) a##b
#define SLUICE_JOIN(a, b) SLUICE_JOIN_(a, b)

/// `SLUICE_TRY(file.sync());`
#define SLUICE_TRY(...)                                                                            \
    do {                                                                                           \
        if (auto&& sluice_tried = (__VA_ARGS__); !sluice_tried) return sluice_tried.error();       \
    } while (false)

/// `SLUICE_TRY_ASSIGN(const Entry entry, log.read(seq));`
#define SLUICE_TRY_ASSIGN(declaration, ...)                                                        \
    auto SLUICE_JOIN(sluice_tried_, __LINE__) = (__VA_ARGS__);                                     \
    if (!SLUICE_JOIN(sluice_tried_, __LINE__))                                                     \
        return SLUICE_JOIN(sluice_tried_, __LINE__).error();                                       \
    declaration = *std::move(SLUICE_JOIN(sluice_tried_, __LINE__))
