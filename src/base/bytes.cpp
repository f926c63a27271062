#include "base/bytes.hpp"

namespace sluice {

void append_varint(std::string& to, std::uint64_t value) {
    while (value >= 0x80) {
        to.push_back(static_cast<char>(value | 0x80));
        value >>= 7;
    }
    to.push_back(static_cast<char>(value));
}

void append_be(std::string& to, std::uint64_t value, std::size_t size_bytes) {
    for (std::size_t shift = 8 * size_bytes; shift > 0; shift -= 8) {
        to.push_back(static_cast<char>(value >> (shift - 8) & 0xFF));
    }
}

std::uint64_t get_be(std::string_view bytes) {
    std::uint64_t value = 0;
    for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
    return value;
}

void append_sized(std::string& to, std::string_view bytes) {
    append_varint(to, bytes.size());
    to.append(bytes);
}

std::uint64_t ByteReader::varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const std::string_view one = take(1);
        if (one.empty()) return 0;
        const auto byte = static_cast<unsigned char>(one[0]);
        const std::uint64_t group = byte & 0x7F;
        if (shift == 63 && group > 1) break; // Would not fit in 64 bits.
        value |= group << shift;
        if ((byte & 0x80) == 0) return value;
    }
    ok_ = false;
    left_ = {};
    return 0;
}

std::string_view ByteReader::take(std::uint64_t size_bytes) {
    if (size_bytes > left_.size()) {
        ok_ = false;
        left_ = {};
        return {};
    }
    const std::string_view taken = left_.substr(0, size_bytes);
    left_.remove_prefix(size_bytes);
    return taken;
}

} // namespace sluice
