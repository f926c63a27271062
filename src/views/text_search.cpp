#include "views/text_search.hpp"

#include "base/try.hpp"
#include "views/search_rows.hpp"

#include <algorithm>
#include <cmath>

namespace sluice {
namespace {

using search_rows::Occurrences;

/// Where each message has one word of the query, by seq.
struct Posting {
    Seq seq;
    Occurrences at;
};
using Postings = std::vector<Posting>;

Error damaged_row(Seq seq) {
    return {Errc::corrupt,
            "the row of entry " + std::to_string(seq.value) + " in a search view cannot be read"};
}

Result<Postings> postings_of(const StoreSnapshot& rows, ViewId view, const QueryWord& word,
                             bool has_stems) {
    const ScanRange range = word.is_prefix
                                ? ScanRange::with_prefix(search_rows::word_term_prefix(word.form))
                            : has_stems ? ScanRange::exact(search_rows::stem_term(word.form))
                                        : ScanRange::exact(search_rows::word_term(word.form));
    Postings postings;
    const auto cursor = rows.scan(view, range);
    while (cursor->next()) {
        postings.push_back({cursor->seq(), {}});
        if (!search_rows::read_value(cursor->value(), postings.back().at)) {
            return damaged_row(cursor->seq());
        }
    }
    SLUICE_TRY(cursor->status());
    if (!word.is_prefix) return postings; // One term: in the order of seqs.

    // Several words with one beginning, each with its rows: one posting for a message.
    std::stable_sort(postings.begin(), postings.end(),
                     [](const Posting& a, const Posting& b) { return a.seq < b.seq; });
    Postings merged;
    for (Posting& each : postings) {
        if (merged.empty() || merged.back().seq != each.seq) {
            merged.push_back(std::move(each));
            continue;
        }
        std::vector<std::uint32_t>& positions = merged.back().at.positions;
        positions.insert(positions.end(), each.at.positions.begin(), each.at.positions.end());
    }
    for (Posting& each : merged) std::sort(each.at.positions.begin(), each.at.positions.end());
    return merged;
}

/// Keeps of `phrase` where `next` follows it `distance` words behind its beginning.
void keep_where_followed(Postings& phrase, const Postings& next, std::uint32_t distance) {
    auto other = next.begin();
    std::erase_if(phrase, [&](Posting& posting) {
        other = std::find_if(other, next.end(),
                             [&](const Posting& each) { return each.seq >= posting.seq; });
        if (other == next.end() || other->seq != posting.seq) return true;
        const auto& positions = other->at.positions;
        std::erase_if(posting.at.positions, [&](std::uint32_t begin) {
            return !std::binary_search(positions.begin(), positions.end(), begin + distance);
        });
        return posting.at.positions.empty();
    });
}

/// One message that may match: how well the phrases so far do.
struct Candidate {
    Seq seq;
    double score = 0;
};

/// The live rows of all messages, counted.
struct Collection {
    double messages = 0;
    double words = 0;
};

Result<Collection> collection_of(const StoreSnapshot& rows, ViewId view) {
    Collection all;
    const auto groups = rows.groups(view, ScanRange::exact(search_rows::length_term()));
    if (groups->next()) {
        all.messages = static_cast<double>(groups->row_count());
        all.words = static_cast<double>(search_rows::read_length_sum(groups->partial()));
    }
    SLUICE_TRY(groups->status());
    return all;
}

class Bm25 {
public:
    Bm25(const Collection& all, std::size_t matching)
        : average_length_(all.words / all.messages),
          weight_(std::log(1 + (all.messages - static_cast<double>(matching) + 0.5) /
                                   (static_cast<double>(matching) + 0.5))) {}
    double score(const Occurrences& at) const {
        constexpr double kSaturation = 1.2, kLength = 0.75; // k1, b
        const auto times = static_cast<double>(at.positions.size());
        const double length = at.length / average_length_;
        return weight_ * times * (kSaturation + 1) /
               (times + kSaturation * (1 - kLength + kLength * length));
    }

private:
    double average_length_;
    double weight_;
};

} // namespace

Result<SearchAnswer> search_text(const StoreSnapshot& rows, ViewId view, bool has_stems,
                                 std::span<const Phrase> phrases, std::uint64_t limit) {
    SLUICE_TRY_ASSIGN(const Collection all, collection_of(rows, view));
    std::vector<Candidate> candidates;
    for (std::size_t i = 0; i < phrases.size(); ++i) {
        SLUICE_TRY_ASSIGN(Postings matching, postings_of(rows, view, phrases[i][0], has_stems));
        for (std::uint32_t word = 1; word < phrases[i].size() && !matching.empty(); ++word) {
            SLUICE_TRY_ASSIGN(const Postings next,
                              postings_of(rows, view, phrases[i][word], has_stems));
            keep_where_followed(matching, next, word);
        }
        const Bm25 bm25(all, matching.size());
        if (i == 0) {
            for (const Posting& each : matching) candidates.push_back({each.seq, 0});
        }
        auto posting = matching.begin();
        std::erase_if(candidates, [&](Candidate& candidate) {
            while (posting != matching.end() && posting->seq < candidate.seq) ++posting;
            if (posting == matching.end() || posting->seq != candidate.seq) return true;
            candidate.score += bm25.score(posting->at);
            return false;
        });
        if (candidates.empty()) break;
    }
    SearchAnswer answer;
    answer.total = candidates.size();
    const auto shown = static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(limit, answer.total));
    std::partial_sort(candidates.begin(), candidates.begin() + shown, candidates.end(),
                      [](const Candidate& a, const Candidate& b) {
                          return a.score != b.score ? a.score > b.score : a.seq > b.seq;
                      });
    candidates.resize(static_cast<std::size_t>(shown));
    for (const Candidate& each : candidates) {
        answer.hits.push_back({.seq = each.seq, .score = each.score});
    }
    return answer;
}

} // namespace sluice
