// Rows that a commit is going to have, and what the store will show with them.
#pragma once
#include "store/store.hpp"

#include <functional>
#include <map>
#include <memory>
#include <unordered_map>

namespace sluice {

/// A snapshot with changes on top. Not thread-safe.
class Draft {
public:
    /// `gone` is the log's word on what is gone now; it must outlive the draft.
    Draft(std::shared_ptr<const StoreSnapshot> below, const Gone& gone)
        : below_(std::move(below)), gone_(&gone) {}

    const StoreSnapshot& below() const { return *below_; }

    using Emissions = std::vector<RowBatch::Emission>;
    /// The row of `seq` in a view, terms ascending; also of a message that is gone. Valid until the
    /// view's next set_row().
    Emissions row(ViewId view, Seq seq) const;
    /// Takes the place of the row that `seq` has. `emissions` have each term once.
    void set_row(ViewId view, Seq seq, const Emissions& emissions);
    void take_away(ViewId view, Seq seq) {
        if (!row(view, seq).empty() || !is_whole(view)) set_row(view, seq, {});
    }
    /// Whether row() tells all. Of a damaged view it tells nothing, and files that are whole may
    /// have the row nevertheless.
    bool is_whole(ViewId view) const { return below_->status(view).has_value(); }
    /// Gives a row this term, without a value, or takes it away, and leaves its other terms.
    void set_term(ViewId view, Seq seq, std::string_view term, bool is_there);

    /// One cell of a walk. Valid for the call.
    struct Hit {
        std::string_view term;
        Seq seq;
        std::string_view value;
    };
    /// Live rows in order of terms, then seqs, or the other way round; as long as `visit` answers
    /// true.
    void scan(ViewId view, const ScanRange& range,
              const std::function<bool(const Hit&)>& visit) const;

    /// Rows set or taken away so far.
    std::size_t row_count() const { return row_count_; }
    /// The rows, to be committed. The draft is empty afterwards, on top of `below`.
    std::vector<StoreCommit::Rows> take();
    void rebase(std::shared_ptr<const StoreSnapshot> below) { below_ = std::move(below); }

private:
    struct View {
        RowBatch batch; ///< Of several rows of one seq the last counts.
        std::unordered_map<std::uint64_t, std::size_t> row_of; ///< By seq; kNone: no row any more.
        /// Emissions by term and seq: row and emission of the batch. Made when it is asked for.
        std::vector<Hit> sorted;
        bool is_sorted = false;
    };
    static constexpr std::size_t kNone = ~std::size_t{0};
    const std::vector<Hit>& sorted_rows(const View& view) const;

    std::shared_ptr<const StoreSnapshot> below_;
    const Gone* gone_;
    mutable std::map<ViewId, View> views_;
    std::size_t row_count_ = 0;
};

} // namespace sluice
