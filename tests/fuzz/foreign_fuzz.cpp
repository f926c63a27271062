// Any bytes as another program's file. The readers end; offsets ascend and seeking to one goes on
// with the same record.
//
// Code: import/flumelog_offset import/json_lines import/byte_source
#include "base/assert.hpp"
#include "import/flumelog_offset.hpp"
#include "import/json_lines.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace {

void read_all(sluice::RecordSource& source) {
    std::vector<std::pair<std::uint64_t, std::string>> records;
    std::uint64_t offset = source.offset();
    for (;;) {
        const auto record = source.next();
        if (!record || !*record) break;
        SLUICE_ASSERT((*record)->offset >= offset && source.offset() > (*record)->offset);
        SLUICE_ASSERT(source.offset() <= source.size_bytes());
        records.emplace_back(offset, (*record)->bytes);
        offset = source.offset();
    }
    for (auto record = records.rbegin(); record != records.rend(); ++record) {
        source.seek(record->first).value();
        SLUICE_ASSERT((*source.next().value()).bytes == record->second);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    sluice::JsonLinesSource lines{sluice::ByteSource(input)};
    read_all(lines);
    if (auto flumelog = sluice::FlumelogOffsetSource::open(sluice::ByteSource(input))) {
        read_all(*flumelog);
    }
    return 0;
}
