// Damage to the files of a directory, as a fuzzer's input says.
#pragma once
#include "base/bytes.hpp"
#include "io/file.hpp"

namespace sluice::test {

/// One strike is five bytes: which file, what, where (u16), which byte.
inline void strike(Directory& directory, ByteReader& input) {
    const std::vector<std::string> names = directory.list().value();
    if (names.empty()) return;
    const std::string& name = names[input.le<std::uint8_t>() % names.size()];
    const auto what = input.le<std::uint8_t>();
    const auto where = input.le<std::uint16_t>();
    const auto byte = static_cast<char>(input.le<std::uint8_t>());
    const auto file = directory.open(name, Create::never).value();
    const std::uint64_t size = file->size_bytes();
    switch (what) {
    case 0: file->truncate(size == 0 ? 0 : where % size).value(); break;
    case 1: directory.remove(name).value(); break;
    case 2: { // Another file in its place.
        const auto other = directory.open(names[where % names.size()], Create::never).value();
        std::string bytes(other->size_bytes(), '\0');
        other->read_at(0, bytes.data(), bytes.size()).value();
        file->truncate(0).value();
        file->write_at(0, bytes).value();
        break;
    }
    case 3: file->write_at(size, std::string(where % 64, byte)).value(); break;
    default: file->write_at(size == 0 ? 0 : where % size, {&byte, 1}).value();
    }
}

/// As many strikes as there are bytes for, and no more than `strikes_max`.
inline void strike_all(Directory& directory, ByteReader& input, int strikes_max) {
    for (int i = 0; i < strikes_max && !input.rest().empty(); ++i) strike(directory, input);
}

} // namespace sluice::test
