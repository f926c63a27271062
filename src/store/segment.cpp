#include "store/segment.hpp"

#include "base/bytes.hpp"
#include "base/checksum.hpp"

#include <algorithm>
#include <vector>

namespace sluice {

using namespace segment_format;

Segment::Segment(const Header& header, const char* data, std::uint64_t size_bytes)
    : header_(header), index_shape_(header.terms, header.index_slots), data_(data),
      size_bytes_(size_bytes), term_offsets_(numbers(Section::term_offsets)),
      term_bytes_(section(Section::term_bytes)), index_(numbers(Section::term_index)),
      posting_offsets_(numbers(Section::posting_offsets)), postings_(numbers(Section::postings)),
      forward_offsets_(numbers(Section::forward_offsets)), forward_(numbers(Section::forward)),
      value_offsets_(numbers(Section::value_offsets)), value_bytes_(section(Section::value_bytes)),
      partial_offsets_(numbers(Section::partial_offsets)),
      partial_bytes_(section(Section::partial_bytes)) {
    const std::uint64_t seqs_size = header[Section::seqs].size_bytes;
    if (seqs_size == 4 * std::uint64_t{header.rows}) narrow_seqs_ = numbers(Section::seqs);
    if (seqs_size == 8 * std::uint64_t{header.rows}) {
        wide_seqs_ = reinterpret_cast<const std::uint64_t*>(section(Section::seqs));
    }
}

const char* Segment::section(Section which) const {
    return header_[which].size_bytes == 0 ? nullptr : data_ + header_[which].position;
}

const std::uint32_t* Segment::numbers(Section which) const {
    // Sections are aligned, and the machine is little-endian as the file is (base/bytes.hpp).
    return reinterpret_cast<const std::uint32_t*>(section(which));
}

std::shared_ptr<const Segment> Segment::in_memory(std::string image) {
    const Header header = decode(image, image.size()).value();
    // The image moves before anything points into it: a short one would move with its string.
    auto owned = std::make_shared<const std::string>(std::move(image));
    std::shared_ptr<Segment> segment(new Segment(header, owned->data(), owned->size()));
    segment->mapping_ = {owned, owned->data()};
    std::call_once(segment->checked_, [] {});
    segment->known_ = Known::whole;
    return segment;
}

Result<std::shared_ptr<const Segment>> Segment::open(const sluice::File& file, File name) {
    const std::uint64_t size_bytes = file.size_bytes();
    std::string head(std::min<std::uint64_t>(kHeaderSizeBytes, size_bytes), '\0');
    if (auto read = file.read_at(0, head.data(), head.size()); !read) return read.error();
    auto header = decode(head, size_bytes);
    if (!header) {
        return Error{header.error().code, name.path + ": " + header.error().context};
    }
    auto mapping = file.map(size_bytes);
    if (!mapping) return mapping.error();
    std::shared_ptr<Segment> segment(new Segment(*header, mapping->data, size_bytes));
    segment->mapping_ = *std::move(mapping);
    segment->file_ = std::move(name);
    return std::shared_ptr<const Segment>(std::move(segment));
}

const Error* Segment::damage() const {
    std::call_once(checked_, [this] {
        damage_ = find_damage();
        known_.store(damage_ ? Known::damaged : Known::whole, std::memory_order_release);
    });
    return damage_ ? &*damage_ : nullptr;
}

std::optional<Error> Segment::find_damage() const {
    const auto error = [this](const std::string& what) {
        return Error{Errc::corrupt, file_.path + ": " + what};
    };
    if (auto now = decode({data_, kHeaderSizeBytes}, size_bytes_); !now) {
        return error(now.error().context);
    }
    for (std::size_t i = 0; i < kSectionCount; ++i) {
        const SectionEntry& entry = header_.sections[i];
        const std::string_view bytes{data_ + entry.position, entry.size_bytes};
        if (checksum64(bytes) != entry.checksum) {
            return error("section " + std::to_string(i) + " has a wrong checksum");
        }
    }
    return find_broken_structure();
}

namespace {

/// Whether `count + 1` offsets ascend from 0 to `size_bytes`.
bool offsets_hold(const std::uint32_t* offsets, std::uint64_t count, std::uint64_t size_bytes) {
    if (offsets[0] != 0 || offsets[count] != size_bytes) return false;
    return std::is_sorted(offsets, offsets + count + 1);
}

template <typename Number> bool ascends(const Number* from, const Number* to) {
    return std::adjacent_find(from, to, std::greater_equal<>()) == to;
}

} // namespace

/// A checksum tells accidents. This tells a file that is whole and still not what a builder makes,
/// so that reading can follow any number in it without looking.
std::optional<Error> Segment::find_broken_structure() const {
    const auto error = [this](const char* what) {
        return Error{Errc::corrupt, file_.path + ": " + what};
    };
    const std::uint32_t rows = header_.rows, terms = header_.terms, emissions = header_.emissions;
    const std::uint64_t span = header_.seq_hi.value - header_.seq_lo.value;
    if (narrow_seqs_ != nullptr && (narrow_seqs_[0] != 0 || narrow_seqs_[rows - 1] != span ||
                                    !ascends(narrow_seqs_, narrow_seqs_ + rows))) {
        return error("seqs out of order");
    }
    if (wide_seqs_ != nullptr &&
        (wide_seqs_[0] != header_.seq_lo.value || wide_seqs_[rows - 1] != header_.seq_hi.value ||
         !ascends(wide_seqs_, wide_seqs_ + rows))) {
        return error("seqs out of order");
    }
    if (!offsets_hold(term_offsets_, terms, header_[Section::term_bytes].size_bytes)) {
        return error("term offsets out of order");
    }
    for (std::uint32_t i = 1; i < terms; ++i) {
        if (term(i - 1) >= term(i)) return error("terms out of order");
    }
    if (!offsets_hold(posting_offsets_, terms, emissions)) return error("postings out of order");
    std::vector<bool> has_term(rows);
    for (std::uint32_t i = 0; i < terms; ++i) {
        const std::uint32_t* const from = postings_ + posting_offsets_[i];
        const std::uint32_t* const to = postings_ + posting_offsets_[i + 1];
        if (from == to || to[-1] >= rows || !ascends(from, to)) {
            return error("rows of a term out of order");
        }
        std::for_each(from, to, [&](std::uint32_t row) { has_term[row] = true; });
    }
    // A merge that keeps such a row and no other would make a segment without terms.
    if (std::find(has_term.begin(), has_term.end(), false) != has_term.end()) {
        return error("a row without a term");
    }
    if (forward_offsets_ != nullptr && !offsets_hold(forward_offsets_, rows, emissions)) {
        return error("forward offsets out of order");
    }
    if (std::any_of(forward_, forward_ + emissions, [&](std::uint32_t o) { return o >= terms; })) {
        return error("a row with an unknown term");
    }
    if (value_offsets_ != nullptr &&
        !offsets_hold(value_offsets_, emissions, header_[Section::value_bytes].size_bytes)) {
        return error("value offsets out of order");
    }
    if (partial_offsets_ != nullptr &&
        !offsets_hold(partial_offsets_, terms, header_[Section::partial_bytes].size_bytes)) {
        return error("partial offsets out of order");
    }
    const auto stray = [&](std::uint32_t e) { return e != 0 && index_shape_.ordinal(e) >= terms; };
    if (std::any_of(index_, index_ + header_.index_slots, stray)) {
        return error("an unknown term in the index");
    }
    return std::nullopt;
}

std::uint32_t Segment::row_from(Seq seq) const {
    if (seq <= header_.seq_lo) return 0;
    if (seq > header_.seq_hi) return header_.rows;
    const std::uint64_t above = seq.value - header_.seq_lo.value;
    if (narrow_seqs_ != nullptr) {
        return static_cast<std::uint32_t>(
            std::lower_bound(narrow_seqs_, narrow_seqs_ + header_.rows, above) - narrow_seqs_);
    }
    if (wide_seqs_ != nullptr) {
        return static_cast<std::uint32_t>(
            std::lower_bound(wide_seqs_, wide_seqs_ + header_.rows, seq.value) - wide_seqs_);
    }
    return static_cast<std::uint32_t>(above);
}

std::optional<std::uint32_t> Segment::row_of(Seq seq) const {
    if (seq < header_.seq_lo || seq > header_.seq_hi) return std::nullopt;
    const std::uint32_t row = row_from(seq);
    if (seq_at(row) != seq) return std::nullopt;
    return row;
}

std::uint32_t Segment::ordinal_from(std::string_view wanted) const {
    std::uint32_t low = 0, high = header_.terms;
    while (low < high) {
        const std::uint32_t middle = low + (high - low) / 2;
        if (term(middle) < wanted) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/// The first ordinal of those with this hash, or one like it, of which `is_wanted` says so.
template <typename IsWanted>
std::optional<std::uint32_t> Segment::find_hashed(std::uint64_t hash,
                                                  const IsWanted& is_wanted) const {
    std::uint32_t slot = index_shape_.first_slot(hash);
    // There are more slots than terms, so a free one ends the search; the count ends it where a
    // file that is whole in every other way has none.
    for (std::uint32_t probes = 0; probes < header_.index_slots; ++probes) {
        const std::uint32_t entry = index_[slot];
        if (entry == 0) return std::nullopt;
        if (index_shape_.may_be(entry, hash)) {
            const std::uint32_t ordinal = index_shape_.ordinal(entry);
            if (is_wanted(ordinal)) return ordinal;
        }
        slot = index_shape_.slot_behind(slot);
    }
    return std::nullopt;
}

std::optional<std::uint32_t> Segment::ordinal_of(std::string_view wanted,
                                                 std::uint64_t hash) const {
    return find_hashed(hash, [&](std::uint32_t ordinal) { return term(ordinal) == wanted; });
}

bool Segment::may_have(std::uint64_t hash) const {
    return find_hashed(hash, [](std::uint32_t) { return true; }).has_value();
}

std::uint32_t Segment::posting_from(std::uint32_t ordinal, Seq seq) const {
    const std::uint32_t* const from = postings_ + posting_offsets_[ordinal];
    const std::uint32_t* const to = postings_ + posting_offsets_[ordinal + 1];
    return static_cast<std::uint32_t>(std::lower_bound(from, to, row_from(seq)) - postings_);
}

} // namespace sluice
