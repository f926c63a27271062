// Integers and varints in byte strings: little-endian, and big-endian where they must sort.
// Everything on disk goes through here.
//
// A range of bytes is a std::string_view throughout the engine, and owned bytes are a std::string:
// bodies are JSON text, terms are compared as memcmp does, and both are what string_view is for.
#pragma once
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace sluice {

static_assert(std::endian::native == std::endian::little, "big-endian machines need byte swaps");

template <typename Integer> void put_le(char* to, Integer value) {
    std::memcpy(to, &value, sizeof value);
}
template <typename Integer> Integer get_le(const char* from) {
    Integer value;
    std::memcpy(&value, from, sizeof value);
    return value;
}
template <typename Integer> void append_le(std::string& to, Integer value) {
    to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// The low bytes of `value`, the most significant first: what sorts as numbers do.
void append_be(std::string& to, std::uint64_t value, std::size_t size_bytes);
/// Of at most 8 bytes.
std::uint64_t get_be(std::string_view bytes);

/// LEB128, least significant group first: 1 to 10 bytes.
void append_varint(std::string& to, std::uint64_t value);

/// Reads bytes that may be hostile: every take is checked, and the first that does not fit makes
/// all later ones answer zero or empty. Ask ok() once, at the end.
class ByteReader {
public:
    explicit ByteReader(std::string_view bytes) : left_(bytes) {}

    template <typename Integer> Integer le() {
        const std::string_view raw = take(sizeof(Integer));
        return raw.empty() ? Integer{} : get_le<Integer>(raw.data());
    }
    std::uint64_t varint();
    std::string_view take(std::uint64_t size_bytes);
    /// A varint length, then as many bytes.
    std::string_view sized() { return take(varint()); }

    std::string_view rest() const { return left_; }
    bool ok() const { return ok_; }
    bool done() const { return ok_ && left_.empty(); }

private:
    std::string_view left_;
    bool ok_ = true;
};

void append_sized(std::string& to, std::string_view bytes);

} // namespace sluice
