// How a call that can fail answers: Result<T> holds a T or an Error, and cannot be ignored.
#pragma once
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace sluice {

/// What a caller can act on. The values are stable: exit codes and language bindings use them.
enum class Errc : std::uint8_t {
    io = 1,                  ///< The operating system refused; see Error::os_errno.
    no_space = 2,            ///< The device is full.
    corrupt = 3,             ///< Bytes on disk contradict their checksum or their format.
    not_found = 4,           ///< No such entry, key, view, file or database.
    busy = 5,                ///< Another process or an open snapshot holds it.
    invalid_argument = 6,    ///< The caller broke a documented precondition.
    unsupported_version = 7, ///< Written by a newer version of this software.
    exists = 8,              ///< The name or application key is taken.
    held = 9,                ///< A legal hold forbids it.
    refused = 10,            ///< The application key was deleted or erased; ask for it explicitly.
                             ///< Or a link, pipe or device stands where a file of ours should be.
    latched = 11,            ///< An earlier write failed: open the database again to write.
    read_only = 12,          ///< Opened to read; another process may write.
    ended = 13,              ///< The snapshot was ended by an erasure that did not wait for it.
                             ///< Or the application's code, which the call needed, is gone.
};

/// The stable lower-case name of a code, as in `"code":"not_found"`.
std::string_view name_of(Errc code);

struct Error {
    Errc code;
    std::string
        context;      ///< For people: what was being done, to what, where. Never content or keys.
    int os_errno = 0; ///< errno, or 0 when no system call failed.
};

/// Thrown by Result::value() only, for callers who prefer exceptions.
class Exception : public std::exception {
public:
    explicit Exception(Error error) : error_(std::move(error)) {}
    const char* what() const noexcept override { return error_.context.c_str(); }
    const Error& error() const noexcept { return error_; }

private:
    Error error_;
};

/// The part of std::expected<T, Error> that the project uses, under the same names.
template <typename T> class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    // Dereferencing an error is the caller's bug, as for std::expected.
    T& operator*() & noexcept { return *std::get_if<0>(&state_); }
    const T& operator*() const& noexcept { return *std::get_if<0>(&state_); }
    T&& operator*() && noexcept { return std::move(*std::get_if<0>(&state_)); }
    T* operator->() noexcept { return std::get_if<0>(&state_); }
    const T* operator->() const noexcept { return std::get_if<0>(&state_); }
    const Error& error() const noexcept { return *std::get_if<1>(&state_); }

    T& value() & { return has_value() ? **this : throw Exception(error()); }
    const T& value() const& { return has_value() ? **this : throw Exception(error()); }
    /// By value, so that `for (x : call().value())` walks something that is still there.
    T value() && {
        if (!has_value()) throw Exception(error());
        return std::move(**this);
    }

private:
    std::variant<T, Error> state_;
};

template <> class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error) : error_(std::move(error)) {}

    bool has_value() const noexcept { return !error_.has_value(); }
    explicit operator bool() const noexcept { return has_value(); }
    const Error& error() const noexcept { return *error_; }
    void value() const {
        if (error_) throw Exception(*error_);
    }

private:
    std::optional<Error> error_;
};

} // namespace sluice
