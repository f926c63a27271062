// What the tests of this folder share: rows in a line, whole walks in a list.
#pragma once
#include "base/bytes.hpp"
#include "base/checksum.hpp"
#include "store/segment_format.hpp"
#include "store/store.hpp"

#include <cstdlib>
#include <initializer_list>
#include <string>
#include <vector>

namespace sluice::test {

struct TestRow {
    std::uint64_t seq;
    std::vector<std::pair<std::string, std::string>> emissions; ///< Term, value.
};

inline RowBatch batch_of(const std::vector<TestRow>& rows) {
    RowBatch batch;
    for (const TestRow& row : rows) {
        batch.begin_row({row.seq});
        for (const auto& [term, value] : row.emissions) batch.emit(term, value);
    }
    return batch;
}

/// One hit as "term@seq=value".
inline std::vector<std::string> listed(Cursor& cursor) {
    std::vector<std::string> hits;
    while (cursor.next()) {
        hits.push_back(std::string(cursor.term()) + "@" + std::to_string(cursor.seq().value) + "=" +
                       std::string(cursor.value()));
    }
    return hits;
}
inline std::vector<std::string> listed(const StoreSnapshot& snapshot, ViewId view,
                                       const ScanRange& range = {}) {
    return listed(*snapshot.scan(view, range));
}
inline std::vector<std::string> grouped(const StoreSnapshot& snapshot, ViewId view,
                                        const ScanRange& range = {}) {
    std::vector<std::string> groups;
    const auto cursor = snapshot.groups(view, range);
    while (cursor->next()) {
        groups.push_back(std::string(cursor->term()) + ":" + std::to_string(cursor->row_count()) +
                         "=" + std::string(cursor->partial()));
    }
    return groups;
}

/// Sum and greatest of values that are decimal numbers: one that could be inverted and one that
/// could not.
class SumAndMax final : public Reducer {
public:
    std::unique_ptr<Accumulator> accumulator() const override {
        return std::make_unique<Folding>();
    }

private:
    class Folding final : public Accumulator {
    public:
        void clear() override { sum_ = max_ = 0; }
        void add_value(std::string_view value) override {
            const long number = std::atol(std::string(value).c_str());
            sum_ += number;
            max_ = std::max(max_, number);
        }
        void add_partial(std::string_view partial) override {
            const std::string text(partial);
            char* rest = nullptr;
            sum_ += std::strtol(text.c_str(), &rest, 10);
            max_ = std::max(max_, std::strtol(rest + 1, nullptr, 10));
        }
        std::string partial() const override {
            return std::to_string(sum_) + "/" + std::to_string(max_);
        }

    private:
        long sum_ = 0;
        long max_ = 0;
    };
};

/// Gives every section of a segment and its header the checksum that they should have.
inline void seal_segment(std::string& image) {
    using namespace segment_format;
    if (image.size() < kHeaderSizeBytes) return;
    for (std::size_t i = 0; i < kSectionCount; ++i) {
        char* const entry = image.data() + kSectionTablePosition + i * kSectionEntrySize;
        const auto position = get_le<std::uint64_t>(entry);
        const auto size = get_le<std::uint64_t>(entry + 8);
        if (position > image.size() || size > image.size() - position) continue;
        put_le(entry + 16, checksum64(std::string_view(image).substr(position, size)));
    }
    put_le(image.data() + kChecksumPosition, checksum64({image.data(), kChecksumPosition}));
}

} // namespace sluice::test
