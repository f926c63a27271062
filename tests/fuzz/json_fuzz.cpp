// Whether a text is JSON, and what a pointer gives, does not depend on which pointers are followed;
// simdjson's own parser judges what is JSON.
//
// Code: base/json base/pointer
#include "base/assert.hpp"
#include "base/json.hpp"

#include <simdjson.h>

#include <cstddef>
#include <cstdint>

using namespace sluice;

namespace {

bool equal(const Value* a, const Value* b) {
    if (a == nullptr || b == nullptr) return a == b;
    if (a->type() != b->type() || a->as_bool() != b->as_bool() ||
        a->number_text() != b->number_text() || a->as_string() != b->as_string() ||
        a->elements().size() != b->elements().size() ||
        a->members().size() != b->members().size()) {
        return false;
    }
    for (std::size_t i = 0; i < a->elements().size(); ++i) {
        if (!equal(&a->elements()[i], &b->elements()[i])) return false;
    }
    for (std::size_t i = 0; i < a->members().size(); ++i) {
        if (a->members()[i].name != b->members()[i].name) return false;
        if (!equal(&a->members()[i].value, &b->members()[i].value)) return false;
    }
    return true;
}

/// What simdjson refuses and we do not: a number beyond a double, and half of a surrogate pair.
bool may_differ(simdjson::error_code error) {
    return error == simdjson::NUMBER_ERROR || error == simdjson::STRING_ERROR ||
           error == simdjson::DEPTH_ERROR;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const char* const kPointers[] = {"", "/a", "/a/b", "/b", "/0", "/0/a", "/a/1", "/"};
    if (size == 0) return 0;
    const unsigned wanted = data[0];
    const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);

    JsonParser tree, parser;
    const Value* const root = tree.parse(text);
    const PathSet none;
    SLUICE_ASSERT(parser.extract(text, none).has_value() == (root != nullptr));

    PathSet paths;
    std::vector<Pointer> pointers;
    for (unsigned i = 0; i < std::size(kPointers); ++i) {
        if ((wanted >> i & 1) == 0) continue;
        pointers.push_back(Pointer::parse(kPointers[i]).value());
        paths.add(pointers.back());
    }
    const auto slots = parser.extract(text, paths);
    SLUICE_ASSERT(slots.has_value() == (root != nullptr));
    for (std::size_t i = 0; slots && i < pointers.size(); ++i) {
        SLUICE_ASSERT(equal((*slots)[i], pointers[i].find(*root)));
    }

    simdjson::dom::parser judge;
    const auto error = judge.parse(simdjson::padded_string(text)).error();
    if (root != nullptr) SLUICE_ASSERT(error == simdjson::SUCCESS || may_differ(error));
    if (root == nullptr && error == simdjson::SUCCESS) {
        // Only depth may make the difference.
        std::size_t deepest = 0, depth = 0;
        for (const char c : text) {
            if (c == '[' || c == '{') deepest = std::max(deepest, ++depth);
            if ((c == ']' || c == '}') && depth > 0) --depth;
        }
        SLUICE_ASSERT(deepest > JsonParser::kDepthMax);
    }
    return 0;
}
