// Finds the application keys of JSON messages.
#pragma once
#include "base/json.hpp"

#include <sluice/result.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

/// Looks up one JSON Pointer in many messages. Threads: one at a time.
class MessageKeys {
public:
    /// An empty pointer finds nothing. Errors: invalid_argument (no JSON Pointer).
    static Result<MessageKeys> create(std::string_view pointer);
    MessageKeys(MessageKeys&&) noexcept;
    MessageKeys& operator=(MessageKeys&&) noexcept;
    ~MessageKeys();

    static constexpr std::size_t kPaddingBytes = 64;

    /// The string there; nothing when there is none. Looks no further than it must, so it may find
    /// a key in what turns out not to be JSON. `body` must have kPaddingBytes readable behind it.
    /// Valid until the next call.
    std::optional<std::string_view> find(std::string_view body);

    /// The same, and whether `body` is JSON as a whole, by J1 of JsonParser.
    struct Checked {
        bool is_json = false;
        std::optional<std::string_view> key;
    };
    Checked find_checked(std::string_view body);

private:
    struct Impl;
    explicit MessageKeys(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace sluice
