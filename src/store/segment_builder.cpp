// Terms are interned first: an aggregate or an index by author has a thousand distinct ones among a
// hundred thousand rows, and only the distinct ones are sorted. Postings then fall into place by
// counting, rows ascending because rows are visited in order.
#include "store/segment_builder.hpp"

#include "base/assert.hpp"
#include "base/checksum.hpp"
#include "store/segment_image.hpp"
#include "store/term_sort.hpp"

#include <bit>

namespace sluice {
namespace {

struct Posting {
    std::uint32_t term_id;
    std::uint32_t row;
    std::string_view value;
};

struct DistinctTerm {
    std::string_view term;
    std::uint32_t hash;
    std::uint32_t postings;
    std::uint32_t last_row;
};

/// Gives each distinct term a number, in order of appearance.
class Interner {
public:
    explicit Interner(std::size_t terms_max)
        : slots_(std::bit_ceil(2 * terms_max + 1), 0), mask_(slots_.size() - 1) {}

    std::uint32_t id_of(std::string_view term) {
        const std::uint64_t hash = checksum64(term);
        const auto tag = static_cast<std::uint32_t>(hash >> 32);
        for (std::size_t slot = hash & mask_;; slot = (slot + 1) & mask_) {
            const std::uint32_t id = slots_[slot];
            if (id == 0) {
                distinct_.push_back({term, tag, 0, kNoRow});
                slots_[slot] = static_cast<std::uint32_t>(distinct_.size());
                return slots_[slot] - 1;
            }
            if (distinct_[id - 1].hash == tag && distinct_[id - 1].term == term) return id - 1;
        }
    }
    std::vector<DistinctTerm>& distinct() { return distinct_; }

private:
    static constexpr std::uint32_t kNoRow = ~std::uint32_t{0};
    std::vector<std::uint32_t> slots_; // Number + 1; 0 is free.
    std::size_t mask_;
    std::vector<DistinctTerm> distinct_;
};

/// The postings of all rows, in row order; a term that a row repeats counts once.
std::vector<Posting> collect(std::span<const RowRef> rows, Interner& terms, std::size_t emissions) {
    std::vector<Posting> postings;
    postings.reserve(emissions);
    for (std::uint32_t number = 0; number < rows.size(); ++number) {
        const RowBatch& batch = *rows[number].batch;
        const RowBatch::Row& row = batch.rows()[rows[number].row];
        for (std::size_t i = 0; i < row.emission_count; ++i) {
            const RowBatch::Emission emission = batch.emission(row.first_emission + i);
            const std::uint32_t id = terms.id_of(emission.term);
            DistinctTerm& term = terms.distinct()[id];
            if (term.last_row == number) continue;
            term.last_row = number;
            ++term.postings;
            postings.push_back({id, number, emission.value});
        }
    }
    return postings;
}

std::vector<SortedTerm> in_order(std::span<const DistinctTerm> distinct) {
    std::vector<SortedTerm> terms;
    terms.reserve(distinct.size());
    for (std::uint32_t id = 0; id < distinct.size(); ++id) terms.push_back({distinct[id].term, id});
    sort_terms(terms);
    return terms;
}

/// Indexes into `postings`, grouped by term in the order of `terms`.
std::vector<std::uint32_t> by_term(std::span<const Posting> postings,
                                   std::span<const DistinctTerm> distinct,
                                   std::span<const SortedTerm> terms) {
    std::vector<std::uint32_t> ends(distinct.size());
    std::uint32_t begin = 0;
    for (const SortedTerm& term : terms) {
        ends[term.id] = begin;
        begin += distinct[term.id].postings;
    }
    std::vector<std::uint32_t> order(postings.size());
    for (std::uint32_t i = 0; i < postings.size(); ++i) order[ends[postings[i].term_id]++] = i;
    return order;
}

struct Partials {
    std::string bytes;
    std::vector<std::size_t> ends;
};

Partials reduce(const Reducer& reducer, std::span<const Posting> postings,
                std::span<const std::uint32_t> order, std::span<const DistinctTerm> distinct,
                std::span<const SortedTerm> terms) {
    Partials partials;
    const std::unique_ptr<Accumulator> accumulator = reducer.accumulator();
    std::size_t at = 0;
    for (const SortedTerm& term : terms) {
        accumulator->clear();
        const std::size_t end = at + distinct[term.id].postings;
        for (; at < end; ++at) accumulator->add_value(postings[order[at]].value);
        partials.bytes += accumulator->partial();
        partials.ends.push_back(partials.bytes.size());
    }
    return partials;
}

} // namespace

std::string build_segment(const ViewSpec& view, std::span<const RowRef> rows) {
    std::vector<Seq> seqs;
    seqs.reserve(rows.size());
    std::size_t emissions = 0;
    for (const RowRef& ref : rows) {
        const RowBatch::Row& row = ref.batch->rows()[ref.row];
        SLUICE_ASSERT(row.emission_count > 0 && (seqs.empty() || seqs.back() < row.seq));
        seqs.push_back(row.seq);
        emissions += row.emission_count;
    }

    Interner interner(emissions);
    const std::vector<Posting> postings = collect(rows, interner, emissions);
    const std::vector<DistinctTerm>& distinct = interner.distinct();
    const std::vector<SortedTerm> terms = in_order(distinct);
    const std::vector<std::uint32_t> order = by_term(postings, distinct, terms);

    SegmentImage::Shape shape;
    shape.view = view.id;
    shape.seqs = seqs;
    shape.emissions = postings.size();
    shape.terms = terms.size();
    for (const SortedTerm& term : terms) shape.term_bytes += term.term.size();
    for (const Posting& posting : postings) shape.value_bytes += posting.value.size();
    Partials partials;
    if (view.reducer) {
        partials = reduce(*view.reducer, postings, order, distinct, terms);
        shape.has_partials = true;
        shape.partial_bytes = partials.bytes.size();
    }

    SegmentImage image(shape);
    std::size_t at = 0, partial_begin = 0;
    for (std::size_t ordinal = 0; ordinal < terms.size(); ++ordinal) {
        image.add_term(terms[ordinal].term);
        const std::size_t end = at + distinct[terms[ordinal].id].postings;
        for (; at < end; ++at) {
            const Posting& posting = postings[order[at]];
            image.add_posting(posting.row, posting.value);
        }
        if (!view.reducer) continue;
        const std::size_t partial_end = partials.ends[ordinal];
        image.add_partial(
            std::string_view(partials.bytes).substr(partial_begin, partial_end - partial_begin));
        partial_begin = partial_end;
    }
    return std::move(image).finish();
}

} // namespace sluice
