// A segment file by itself: its bytes, and what happens when they are not right.
#include "store/segment.hpp"

#include "base/bytes.hpp"
#include "base/checksum.hpp"
#include "store/segment_builder.hpp"
#include "store/store_test_support.hpp"
#include "store/term_sort.hpp"
#include "support/simulated_disk.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>

namespace sluice {
namespace {

using namespace test;

std::string image_of(const ViewSpec& view, const std::vector<TestRow>& rows) {
    RowBatch batch = batch_of(rows);
    batch.order_by_seq();
    std::vector<RowRef> refs;
    for (std::uint32_t row = 0; row < batch.rows().size(); ++row) refs.push_back({&batch, row});
    return build_segment(view, refs);
}

/// Every section is there: gaps between seqs, several terms in a row, values, partials.
std::string golden_image() {
    return image_of({{7}, std::make_shared<SumAndMax>(), false},
                    {{3, {{"@ann", "1"}, {"@bob", "20"}}},
                     {4, {{"@ann", "3"}}},
                     {9, {{"", "5"}, {"@bob", ""}, {"@bob\xFF", "7"}}}});
}

std::string golden_file(const std::string& name) {
    std::ifstream file(std::string(SLUICE_SOURCE_DIR) + "/tests/golden/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::unique_ptr<File> file_with(Directory& root, const std::string& bytes) {
    auto file = root.open("segment", Create::if_missing).value();
    file->truncate(0).value();
    file->write_at(0, bytes).value();
    return file;
}

std::shared_ptr<const Segment> opened(Directory& root, const std::string& bytes) {
    return Segment::open(*file_with(root, bytes), {1, "segment-1"}).value();
}

TEST(SegmentFormat, IsWhatVersionOneWas) {
    EXPECT_EQ(golden_image(), golden_file("segment-v1"));
}

TEST(SegmentFormat, OfVersionOneIsStillRead) {
    SimulatedDisk disk;
    const auto root = disk.root();
    const auto segment = opened(*root, golden_file("segment-v1"));
    ASSERT_EQ(segment->damage(), nullptr);
    EXPECT_EQ(segment->view(), ViewId{7});
    EXPECT_EQ(segment->row_count(), 3u);
    EXPECT_EQ(segment->emission_count(), 6u);
    EXPECT_EQ(segment->seq_at(2), Seq{9});
    EXPECT_EQ(segment->row_of({9}), 2u);
    EXPECT_FALSE(segment->row_of({5}).has_value());
    const auto bob = segment->ordinal_of("@bob", checksum64("@bob"));
    ASSERT_TRUE(bob.has_value());
    EXPECT_EQ(segment->partial(*bob), "20/20");
    EXPECT_EQ(segment->value(segment->posting_begin(*bob)), "20");
    EXPECT_FALSE(segment->ordinal_of("@eve", checksum64("@eve")).has_value());
}

TEST(Segment, FindsEveryChangedByte) {
    SimulatedDisk disk;
    const auto root = disk.root();
    const std::string whole = golden_image();
    for (std::size_t at = 0; at < whole.size(); ++at) {
        std::string changed = whole;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        const auto segment = Segment::open(*file_with(*root, changed), {1, "segment-1"});
        // The bytes between sections are nobody's.
        const bool found = !segment || (*segment)->damage() != nullptr;
        if (!found) {
            EXPECT_EQ(whole[at], '\0') << "byte " << at;
        }
    }
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_FALSE(
            Segment::open(*file_with(*root, whole.substr(0, size)), {1, "segment-1"}).has_value());
    }
}

// A file whose checksums are right and whose numbers are not: it is refused, or it can be read.
TEST(Segment, IsNeverReadOutsideItsBytes) {
    SimulatedDisk disk;
    const auto root = disk.root();
    const std::string whole = golden_image();
    std::mt19937_64 random(1);
    std::uint64_t sum = 0;
    for (int round = 0; round < 20000; ++round) {
        std::string changed = whole;
        for (std::uint64_t changes = 1 + random() % 2; changes > 0; --changes) {
            const std::size_t at = 8 + random() % (whole.size() - 8);
            changed[at] = static_cast<char>(random() % 4 == 0 ? random() : random() % 12);
        }
        seal_segment(changed);
        const auto segment = Segment::open(*file_with(*root, changed), {1, "segment-1"});
        if (!segment || (*segment)->damage() != nullptr) continue;
        const Segment& s = **segment;
        for (std::uint32_t ordinal = 0; ordinal < s.term_count(); ++ordinal) {
            const std::string term(s.term(ordinal));
            sum += s.partial(ordinal).size() + s.ordinal_of(term, checksum64(term)).value_or(0);
            for (std::uint32_t p = s.posting_begin(ordinal); p < s.posting_begin(ordinal + 1);
                 ++p) {
                sum += s.seq_at(s.row_at(p)).value + s.value(p).size();
            }
        }
        for (std::uint32_t row = 0; row < s.row_count(); ++row) {
            for (const std::uint32_t ordinal : s.ordinals(row)) sum += s.term(ordinal).size();
        }
    }
    EXPECT_GT(sum, 0u);
}

// A merge that keeps this row and no other would make a segment without terms.
TEST(Segment, RefusesARowWithoutATerm) {
    SimulatedDisk disk;
    const auto root = disk.root();
    std::string image = image_of({{7}, nullptr, false}, {{1, {{"a", ""}}}, {2, {{"b", ""}}}});
    const auto header = segment_format::decode(image, image.size()).value();
    const std::uint64_t postings = header[segment_format::Section::postings].position;
    EXPECT_EQ(opened(*root, image)->damage(), nullptr);
    put_le(image.data() + postings + 4, std::uint32_t{0}); // "b" is of the first row, too.
    seal_segment(image);
    const auto segment = opened(*root, image);
    const Error* const damage = segment->damage();
    EXPECT_TRUE(damage != nullptr && damage->context.ends_with("a row without a term"));
}

TEST(Segment, KeepsSeqsThatAreFarApart) {
    const std::uint64_t far = 1ULL << 40;
    const auto segment =
        Segment::in_memory(image_of({{1}, nullptr, false}, {{5, {{"a", ""}}}, {far, {{"a", ""}}}}));
    EXPECT_EQ(segment->seq_at(1), Seq{far});
    EXPECT_EQ(segment->row_of({far}), 1u);
    EXPECT_FALSE(segment->row_of({6}).has_value());
    EXPECT_EQ(segment->posting_from(0, {6}), 1u);
    EXPECT_FALSE(segment->find_damage().has_value());
}

TEST(TermSort, OrdersAsMemcmpDoes) {
    std::mt19937_64 random(3);
    for (int round = 0; round < 200; ++round) {
        std::vector<std::string> terms;
        for (std::uint64_t i = 1 + random() % 200; i > 0; --i) {
            // Few letters and a zero byte, so that many are prefixes of others.
            std::string term(random() % 2 == 0 ? "a long prefix that many share, or so" : "");
            for (std::uint64_t n = random() % 20; n > 0; --n) term += "\0\0ab\xFF"[random() % 5];
            terms.push_back(term);
        }
        std::sort(terms.begin(), terms.end());
        terms.erase(std::unique(terms.begin(), terms.end()), terms.end());
        std::vector<SortedTerm> sorted;
        for (std::uint32_t i = 0; i < terms.size(); ++i) sorted.push_back({terms[i], i});
        std::shuffle(sorted.begin(), sorted.end(), random);
        sort_terms(sorted);
        for (std::uint32_t i = 0; i < terms.size(); ++i) ASSERT_EQ(sorted[i].id, i);
    }
}

} // namespace
} // namespace sluice
