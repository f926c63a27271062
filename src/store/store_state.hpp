// What a snapshot of the segment store is: lists of immutable things, shared between the states
// before and after a commit.
#pragma once
#include "store/liveness.hpp"
#include "store/memory_run.hpp"

#include <set>

namespace sluice {

/// Rows of one view: a segment file, or a run in memory; and which of them were superseded.
struct RowSource {
    std::shared_ptr<const Segment> file;
    std::shared_ptr<const MemoryRun> run;     ///< Exactly one of the two is set.
    std::shared_ptr<const RowSet> superseded; ///< Null: none.
    /// Those of them that the newest record knows, by a cut. What took the place of the others is
    /// in memory only: a merge that dropped these would lose, with a crash, what the row said.
    std::shared_ptr<const RowSet> saved_superseded = {};

    /// Builds a run's segment if nobody has.
    const Segment& segment() const { return file ? *file : run->segment(); }
    std::uint32_t row_count() const { return file ? file->row_count() : run->row_count(); }
    Seq seq_lo() const { return file ? file->seq_lo() : run->seq_lo(); }
    Seq seq_hi() const { return file ? file->seq_hi() : run->seq_hi(); }
    Seq seq_at(std::uint32_t row) const {
        return file ? file->seq_at(row) : run->rows().rows()[row].seq;
    }
    std::optional<std::uint32_t> row_of(Seq seq) const {
        return file ? file->row_of(seq) : run->row_of(seq);
    }
    bool is_superseded(std::uint32_t row) const { return superseded && superseded->contains(row); }
    /// The same rows, however many of them were superseded since.
    bool same_rows(const RowSource& other) const { return file == other.file && run == other.run; }
};

struct ViewState {
    ViewSpec spec;
    bool named = false; ///< add_view() was called: the reducer is known.
    Seq seq_hi;         ///< No row has a greater seq.
    /// At most one row of a seq, in all sources together, is not superseded.
    std::vector<RowSource> sources;
    /// A file of the view was damaged. What it had is lost until somebody mends the view, and until
    /// then nobody is shown rows of it.
    std::optional<Error> damage;
    struct Lost {
        Seq seq_lo;
        Seq seq_hi;
    };
    std::vector<Lost> lost; ///< Rows of some of these seqs.

    const SeqBitmap& gone_of(const Gone& gone) const {
        return spec.outlives_delete ? gone.erased : gone.deleted;
    }
    Liveness liveness(const RowSource& source, const Gone& gone) const {
        return {source.superseded.get(), &gone_of(gone)};
    }
    /// As liveness(), of what no crash can bring back.
    Liveness settled_liveness(const RowSource& source, const Gone& gone) const {
        return {source.saved_superseded.get(), &gone_of(gone)};
    }
    /// Reads what was not read yet. Null: every file is whole.
    const Error* find_damage() const;
    /// The same, of what was read up to now.
    const Error* known_damage() const;
    /// Takes out those of its files that are among these, which are damaged: what they had is lost.
    std::vector<std::shared_ptr<const Segment>> lose(const std::set<const Segment*>& damaged);
    /// The seqs that may have had rows in lost files, and have no row now.
    SeqBitmap lost_rows() const;
};

/// In the order of their ids.
using ViewTable = std::vector<std::shared_ptr<const ViewState>>;

struct StoreState {
    Seq position;
    Gone gone;
    /// Shared by all states between two commits with rows: a commit that only deletes costs the
    /// same for any number of views (P8).
    std::shared_ptr<const ViewTable> views;
    /// Never null.
    std::shared_ptr<const std::string> attachment = std::make_shared<const std::string>();
    /// Views whose `since` is not `position`.
    std::vector<std::pair<ViewId, Seq>> lagging;

    const ViewState* find(ViewId view) const;
    Seq since(ViewId view) const;
};

/// `views` with `view` in the place of the one that has its id, or added.
std::shared_ptr<const ViewTable> with_view(const ViewTable& views,
                                           std::shared_ptr<const ViewState> view);
std::shared_ptr<const ViewTable> without_view(const ViewTable& views, ViewId view);

/// Marks the rows that `seqs` have as superseded. Damaged files are passed over: nobody is shown
/// rows of a view that has one.
void retract_rows(ViewState& view, std::span<const Seq> seqs);

} // namespace sluice
