// Files so small that a short life has many of them.
#pragma once
#include <sluice/database.hpp>

namespace sluice::test {

inline Options tiny_files(std::uint64_t log_segment_size_bytes) {
    Options tiny;
    tiny.background = false;
    tiny.log_segment_size_bytes = log_segment_size_bytes;
    tiny.view_segment_rows_max = 8;
    tiny.view_memory_bytes_max = 1024;
    tiny.erase_patience = std::chrono::milliseconds(0);
    return tiny;
}

} // namespace sluice::test
