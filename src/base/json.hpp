// Reading JSON messages: one pass over each, whatever is asked of it.
#pragma once
#include "base/pointer.hpp"

#include <sluice/value.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// The pointers that somebody wants followed, as a trie: a walk goes down only where it leads.
class PathSet {
public:
    /// The slot for what `pointer` points to; equal pointers share one.
    std::size_t add(const Pointer& pointer);
    std::size_t slot_count() const { return slot_count_; }

    static constexpr std::size_t kNoSlot = ~std::size_t{0};
    struct Node {
        std::string token;
        std::optional<std::uint32_t> index; ///< What the token means in an array.
        std::size_t slot = kNoSlot;
        std::vector<Node> children;
    };
    const Node& root() const { return root_; }

private:
    Node root_;
    std::size_t slot_count_ = 0;
};

/// Parses texts, one after the other, reusing its memory. Not thread-safe: one per thread.
///
/// J1  A text is JSON if it is one value by RFC 8259 in well-formed UTF-8 without a byte order
/// mark,
///     with arrays and objects nested at most kDepthMax deep, and at most kTextBytesMax long. A
///     number may be of any size. An escaped half of a surrogate pair is allowed, and reads as
///     U+FFFD.
/// J2  Whether a text is JSON does not depend on what is asked of it: extract() visits and checks
///     all of the text, as parse() does. If it skipped what nobody asked for, then adding a view
///     could change the rows of another.
class JsonParser {
public:
    static constexpr unsigned kDepthMax = 128;
    static constexpr std::size_t kTextBytesMax = std::size_t{1} << 30;

    JsonParser();
    ~JsonParser();
    JsonParser(JsonParser&&) noexcept;
    JsonParser& operator=(JsonParser&&) noexcept;

    /// The whole text; null pointer if it is not JSON. Valid until the next call, and as long as
    /// the text.
    const Value* parse(std::string_view text);

    /// What each of `paths` points to, by slot; null pointer for nothing. None if the text is not
    /// JSON. Valid as for parse().
    std::optional<std::span<const Value* const>> extract(std::string_view text,
                                                         const PathSet& paths);

    /// As extract(), from what parse() returned last: the two in one pass over the text.
    std::span<const Value* const> extract_parsed(const Value& root, const PathSet& paths);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace sluice
