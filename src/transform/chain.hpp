// The transforms in use, one behind the other, behind them the views that read, and the units of
// work that keep what they made right.
//
// A unit is one transform, or one view that reads, of one message. Stage by stage, each sees what
// the ones before it have made of all messages in the end, so nothing depends on the order in which
// messages and facts arrived. What a unit made is in the store as rows of its message, in three
// views for each transform:
//   cells     what it emitted, for later stages to read
//   reads     tokens for what it looked at (read_token.hpp)
//   outputs   the message's new bytes; or that it is hidden, or that the function threw
// so that deleting, erasing, merging and crashing treat them as all rows. A view that reads has
// two: cells are the view itself. Views that only map are no stages; the rows of those that are
// read are told to the chain when they change.
//
// C1  After run() every unit has been run on its present input and the present answers, or would
// make
//     what it made: the rows are those of a run over everything.
// C2  A unit is run at most once, and only if its message is new or something else now, or if a
// token
//     of it is wrong. What it makes again goes no further.
#pragma once
#include "base/json.hpp"
#include "transform/draft.hpp"
#include "transform/tracked_context.hpp"
#include "transform/worklist.hpp"

#include <sluice/transform.hpp>

namespace sluice {

/// What the log says between two of its entries.
struct Delta {
    std::vector<Seq> fresh; ///< New messages.
    std::vector<Seq> again; ///< Messages that were restored or replaced.
    std::vector<Seq> back;  ///< Those of them that were restored.
    std::vector<Seq> gone;  ///< Messages that were deleted or erased.
    struct FactChange {
        FactId id;
        bool was_there = false;
    };
    std::vector<FactChange> facts; ///< Put, dropped or erased.
};

/// What a stage, or all of them, made of a message.
struct Made {
    enum class Kind : char {
        unchanged = 0,
        body = 'b',
        hidden = 'h',
        failed = 'x', ///< The function threw.
    };
    Kind kind = Kind::unchanged;
    std::string_view body;
    bool is_shown() const { return kind == Kind::unchanged || kind == Kind::body; }
};

/// What the stages with these outputs, in their order, made of a message, as `rows` have it. Valid
/// as long as they. `Rows` is a StoreSnapshot or a Draft.
template <typename Rows> Made made_of(Seq seq, const Rows& rows, std::span<const ViewId> outputs) {
    for (auto output = outputs.rbegin(); output != outputs.rend(); ++output) {
        const auto row = rows.row(*output, seq);
        if (row.empty()) continue;
        return {static_cast<Made::Kind>(row.front().term.front()), row.front().value};
    }
    return {};
}

/// The row of a batch that has one or none, as a Draft takes it.
Draft::Emissions emissions_of(const RowBatch& row);

/// Not thread-safe.
class Chain {
public:
    struct NamedView {
        std::string name;
        ViewId id;
    };
    /// Emits into the row that the batch has begun; false if the function threw.
    using MapFunction = std::function<bool(Context&, const Incoming&, RowBatch&)>;
    struct Stage {
        std::string name;
        std::uint32_t version = 1;
        ViewId cells;               ///< The views behind it are the stage's as well.
        TransformFunction run = {}; ///< Of a transform. Null: its code is not here.
        bool is_view = false;
        MapFunction map = {};                 ///< Of a view. Null: its code is not here.
        std::vector<NamedView> reads_of = {}; ///< Of a view: the views whose rows it may read.
        ViewId reads() const { return {cells.value + 1}; }
        ViewId outputs() const { return {cells.value + 2}; }
        std::vector<ViewId> views() const;
    };
    static constexpr std::uint32_t kViewsOfTransform = 3;
    static constexpr std::uint32_t kViewsOfReader = 2;
    /// A body that a transform makes may be this long; else the transform has failed.
    static constexpr std::size_t kBodySizeBytesMax = 16 * 1024 * 1024;

    struct Stored {
        std::string_view key;
        std::string_view body;
    };
    struct World {
        const Facts* facts;
        /// The latest bytes of a message that is not gone; none if they are damaged.
        std::function<std::optional<Stored>(Seq)> stored;
    };

    /// Transforms first, then views, each behind those that it reads.
    explicit Chain(std::vector<Stage> stages = {});
    const std::vector<Stage>& stages() const { return stages_; }
    std::span<const Stage> transforms() const { return std::span(stages_).first(transforms_); }
    /// The views that read.
    std::span<const Stage> readers() const { return std::span(stages_).subspan(transforms_); }
    bool empty() const { return stages_.empty(); }
    /// Whether the code of all transforms is here. Views can wait.
    bool is_loaded() const;
    /// Whether a view that reads may read this one, which only maps.
    bool is_read(ViewId view) const;
    /// Names the transforms, their order and versions: rows of another chain say nothing about this
    /// one. docs/format/transforms.md.
    std::string signature() const;
    /// Also the views: of whom a worklist is.
    std::string signature_of_all() const;

    /// The units that `delta` concerns. `rows` are from before it.
    Worklist plan(const Delta& delta, const World& world, const StoreSnapshot& rows) const;
    /// What running needs, and tells.
    struct Run {
        const Delta* delta;
        const World* world;
        const Gone* gone;
        Draft* draft;
        /// When so many rows have gathered in the draft, `save` is called, to commit them together
        /// with the worklist as it is then.
        std::size_t draft_rows_max;
        std::function<Result<void>()> save;
        /// A view that reads has had its turn with a message, or gave up its row because its code
        /// is not here. `is_other`: its row is another one than before.
        std::function<void(const Stage& view, Seq seq, bool is_other)> settled;
    };
    /// Runs the transforms, stage by stage. The worklist is left with the messages whose rows in
    /// the views are to be derived: first, by the caller, in those that only map.
    Result<void> run_transforms(Worklist& work, const Run& run);
    /// A message's row in a view that only maps and is read. Whether it is another one now.
    bool set_row(ViewId view, Seq seq, const Draft::Emissions& emissions, Worklist& work,
                 Draft& draft) const {
        return set_row(transforms_, view, seq, emissions, work, draft);
    }
    /// Then this.
    Result<void> run_readers(Worklist& work, const Run& run);

    /// For when code of transforms is not here: takes away all that rests on what changed, and
    /// names the messages.
    SeqBitmap retract(const Worklist& planned, Draft& draft) const;
    /// Messages about which `reader`, a stage, has looked into a view.
    static SeqBitmap readers_of(ViewId view, const Stage& reader, const StoreSnapshot& rows);
    /// Takes away what is known of a message: it is to be derived as if it were new.
    void forget(Seq seq, Draft& draft) const;

    /// The outputs of all transforms.
    std::span<const ViewId> outputs() const { return outputs_; }

private:
    class Unit;
    using Ranges = std::vector<ScanRange>;
    /// What a unit made is something else than before.
    struct Changes {
        bool cells = false;
        bool output = false;
    };
    Changes run_unit(std::size_t stage, Seq seq, Worklist& work, std::span<const FactId> new_facts,
                     const World& world, Draft& draft);
    Changes retract_unit(std::size_t stage, Seq seq, Worklist& work, Draft& draft) const;
    ViewId find_source(std::size_t stage, const Source& source) const;
    void set_reads(const Stage& stage, Seq seq, const Draft::Emissions& reads, Draft& draft) const;
    /// And wakes whoever, in `first_stage` or behind it, looked at what is another one now.
    bool set_row(std::size_t first_stage, ViewId view, Seq seq, const Draft::Emissions& emissions,
                 Worklist& work, Draft& draft) const;
    void hand_to_readers(Worklist& work) const;
    /// Whoever, in `first_stage` or behind it, looked at what `owner` gave to `view`.
    void wake_readers(std::size_t first_stage, ViewId view, Seq owner,
                      const Draft::Emissions& before, const Draft::Emissions& after, Worklist& work,
                      const Draft& draft) const;
    /// Whom `ranges` of tokens about the source name, in this stage and those behind it.
    void wake(std::size_t first_stage, const ReadTokens& source, const Ranges& ranges,
              const StoreSnapshot& rows, const std::function<void(std::size_t, Seq)>& woken) const;
    void wake_gone(std::size_t first_stage, ViewId view, Seq owner, const StoreSnapshot& rows,
                   Worklist& work) const;
    /// The same of all views that `owner` may have given to, in `first_stage` and behind it.
    void wake_gone(std::size_t first_stage, Seq owner, const StoreSnapshot& rows,
                   Worklist& work) const;

    std::vector<Stage> stages_;
    std::size_t transforms_ = 0; ///< How many of the stages.
    std::vector<ViewId> outputs_;
    std::vector<ViewId> read_; ///< Views that only map and may be read.
    JsonParser parser_;
    /// Sources that no token of a stage is about, found so by looking: by reads view and source.
    mutable std::set<std::pair<std::uint32_t, std::string>> unread_;
};

} // namespace sluice
