// Two passes for each image. The first walks the dictionaries of all inputs side by side and notes
// which term of which input has how many live rows; with that the sizes are known. The second
// copies. Seqs of the inputs may overlap in any way, as re-derived rows have old seqs.
#include "store/segment_merge.hpp"

#include "base/try.hpp"
#include "store/segment_image.hpp"

#include <algorithm>
#include <limits>

namespace sluice {
namespace {

constexpr std::uint32_t kNotTaken = std::numeric_limits<std::uint32_t>::max();

struct LiveRow {
    Seq seq;
    std::uint32_t input;
    std::uint32_t row;
};

std::vector<LiveRow> live_rows(std::span<const MergeInput> inputs) {
    std::vector<LiveRow> rows;
    std::size_t count = 0;
    for (const MergeInput& input : inputs) count += input.segment->row_count();
    rows.reserve(count);
    for (std::uint32_t i = 0; i < inputs.size(); ++i) {
        const Segment& segment = *inputs[i].segment;
        const Liveness liveness = inputs[i].liveness.within(segment);
        for (std::uint32_t row = 0; row < segment.row_count(); ++row) {
            const Seq seq = segment.seq_at(row);
            if (liveness.is_live(row, seq)) rows.push_back({seq, i, row});
        }
    }
    const auto by_seq = [](const LiveRow& a, const LiveRow& b) { return a.seq < b.seq; };
    if (!std::is_sorted(rows.begin(), rows.end(), by_seq)) {
        std::sort(rows.begin(), rows.end(), by_seq);
    }
    return rows;
}

/// What one input has for one term of the image.
struct Contribution {
    std::uint32_t input;
    std::uint32_t ordinal;
};

struct OutTerm {
    std::uint32_t first_contribution;
    bool whole; ///< All rows of the contributions are live and in this image.
};

/// One image: a window of the live rows.
class ImageMerge {
public:
    ImageMerge(const ViewSpec& view, std::span<const MergeInput> inputs,
               std::span<const LiveRow> rows)
        : inputs_(inputs), new_rows_(inputs.size()) {
        shape_.view = view.id;
        shape_.has_partials = view.reducer != nullptr;
        if (view.reducer) accumulator_ = view.reducer->accumulator();
        seqs_.reserve(rows.size());
        for (const LiveRow& row : rows) {
            std::vector<std::uint32_t>& map = new_rows_[row.input];
            if (map.empty()) map.assign(inputs[row.input].segment->row_count(), kNotTaken);
            map[row.row] = static_cast<std::uint32_t>(seqs_.size());
            seqs_.push_back(row.seq);
        }
        shape_.seqs = seqs_;
    }

    std::string run() {
        gather_terms();
        shape_.terms = terms_.size();
        shape_.partial_bytes = partials_.size();
        SegmentImage image(shape_);
        for (std::size_t i = 0; i < terms_.size(); ++i) add_term(image, i);
        return std::move(image).finish();
    }

private:
    /// Where the walk over one input's dictionary stands.
    struct Head {
        std::string_view term;
        std::uint32_t input;
        std::uint32_t ordinal;
    };
    struct Taken {
        std::uint32_t row;
        std::uint32_t input;
        std::uint32_t posting;
    };

    /// For a heap whose top is the least term, of the first input.
    static bool is_later(const Head& a, const Head& b) {
        const int order = a.term.compare(b.term);
        return order != 0 ? order > 0 : a.input > b.input;
    }

    void gather_terms() {
        std::vector<Head> heads;
        for (std::uint32_t i = 0; i < inputs_.size(); ++i) {
            if (!new_rows_[i].empty()) heads.push_back({inputs_[i].segment->term(0), i, 0});
        }
        std::make_heap(heads.begin(), heads.end(), is_later);
        while (!heads.empty()) {
            const std::string_view term = heads.front().term;
            OutTerm out{static_cast<std::uint32_t>(contributions_.size()), true};
            while (!heads.empty() && heads.front().term == term) {
                std::pop_heap(heads.begin(), heads.end(), is_later);
                Head& head = heads.back();
                gather_contribution(head, out);
                const Segment& segment = *inputs_[head.input].segment;
                if (++head.ordinal == segment.term_count()) {
                    heads.pop_back();
                } else {
                    head.term = segment.term(head.ordinal);
                    std::push_heap(heads.begin(), heads.end(), is_later);
                }
            }
            if (contributions_.size() == out.first_contribution) continue; // A ghost: all dead.
            shape_.term_bytes += term.size();
            terms_.push_back(out);
            if (accumulator_) reduce(out);
        }
    }

    void gather_contribution(const Head& head, OutTerm& out) {
        const Segment& segment = *inputs_[head.input].segment;
        const std::vector<std::uint32_t>& map = new_rows_[head.input];
        const std::uint32_t begin = segment.posting_begin(head.ordinal);
        const std::uint32_t end = segment.posting_begin(head.ordinal + 1);
        std::uint32_t live = 0;
        for (std::uint32_t p = begin; p < end; ++p) {
            if (map[segment.row_at(p)] == kNotTaken) continue;
            ++live;
            if (segment.has_values()) shape_.value_bytes += segment.value(p).size();
        }
        out.whole = out.whole && live == end - begin;
        if (live == 0) return;
        shape_.emissions += live;
        contributions_.push_back({head.input, head.ordinal});
    }

    std::span<const Contribution> contributions_of(const OutTerm& out, std::size_t end) const {
        return std::span(contributions_)
            .subspan(out.first_contribution, end - out.first_contribution);
    }

    /// The partial of the term gathered last. Stored partials serve where nothing died.
    void reduce(const OutTerm& out) {
        accumulator_->clear();
        for (const auto& [input, ordinal] : contributions_of(out, contributions_.size())) {
            const Segment& segment = *inputs_[input].segment;
            if (out.whole && segment.has_partials()) {
                accumulator_->add_partial(segment.partial(ordinal));
                continue;
            }
            const std::vector<std::uint32_t>& map = new_rows_[input];
            for (std::uint32_t p = segment.posting_begin(ordinal);
                 p < segment.posting_begin(ordinal + 1); ++p) {
                if (map[segment.row_at(p)] != kNotTaken) accumulator_->add_value(segment.value(p));
            }
        }
        partials_ += accumulator_->partial();
        partial_ends_.push_back(partials_.size());
    }

    void add_term(SegmentImage& image, std::size_t index) {
        const std::size_t contributions_end = index + 1 == terms_.size()
                                                  ? contributions_.size()
                                                  : terms_[index + 1].first_contribution;
        const std::span<const Contribution> parts =
            contributions_of(terms_[index], contributions_end);
        image.add_term(inputs_[parts[0].input].segment->term(parts[0].ordinal));
        if (parts.size() == 1) {
            add_postings(image, parts[0]);
        } else {
            add_mixed_postings(image, parts);
        }
        if (!accumulator_) return;
        const std::size_t begin = index == 0 ? 0 : partial_ends_[index - 1];
        image.add_partial(std::string_view(partials_).substr(begin, partial_ends_[index] - begin));
    }

    void add_postings(SegmentImage& image, const Contribution& part) {
        const Segment& segment = *inputs_[part.input].segment;
        const std::vector<std::uint32_t>& map = new_rows_[part.input];
        for (std::uint32_t p = segment.posting_begin(part.ordinal);
             p < segment.posting_begin(part.ordinal + 1); ++p) {
            const std::uint32_t row = map[segment.row_at(p)];
            if (row != kNotTaken) image.add_posting(row, segment.value(p));
        }
    }

    void add_mixed_postings(SegmentImage& image, std::span<const Contribution> parts) {
        taken_.clear();
        for (const auto& [input, ordinal] : parts) {
            const Segment& segment = *inputs_[input].segment;
            const std::vector<std::uint32_t>& map = new_rows_[input];
            for (std::uint32_t p = segment.posting_begin(ordinal);
                 p < segment.posting_begin(ordinal + 1); ++p) {
                const std::uint32_t row = map[segment.row_at(p)];
                if (row != kNotTaken) taken_.push_back({row, input, p});
            }
        }
        const auto by_row = [](const Taken& a, const Taken& b) { return a.row < b.row; };
        if (!std::is_sorted(taken_.begin(), taken_.end(), by_row)) {
            std::sort(taken_.begin(), taken_.end(), by_row);
        }
        for (const Taken& taken : taken_) {
            image.add_posting(taken.row, inputs_[taken.input].segment->value(taken.posting));
        }
    }

    std::span<const MergeInput> inputs_;
    std::vector<std::vector<std::uint32_t>> new_rows_; ///< By input: old row to new.
    std::vector<Seq> seqs_;
    SegmentImage::Shape shape_;
    std::vector<Contribution> contributions_;
    std::vector<OutTerm> terms_;
    std::unique_ptr<Accumulator> accumulator_;
    std::string partials_;
    std::vector<std::size_t> partial_ends_;
    std::vector<Taken> taken_;
};

} // namespace

Result<void> merge_segments(const ViewSpec& view, std::span<const MergeInput> inputs,
                            std::uint32_t rows_max,
                            const std::function<Result<void>(std::string image)>& take) {
    const std::vector<LiveRow> rows = live_rows(inputs);
    for (std::size_t from = 0; from < rows.size(); from += rows_max) {
        const std::size_t count = std::min<std::size_t>(rows_max, rows.size() - from);
        ImageMerge merge(view, inputs, std::span(rows).subspan(from, count));
        SLUICE_TRY(take(merge.run()));
    }
    return {};
}

} // namespace sluice
