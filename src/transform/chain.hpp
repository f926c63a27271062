// The transforms in use, one behind the other, and the units of work that keep what they made
// right.
//
// A unit is one transform of one message. Stage by stage, each transform sees what the ones before
// it have made of all messages in the end, so nothing depends on the order in which messages and
// facts arrived. What a unit made is in the store as rows of its message, in three views for each
// stage:
//   cells     what it emitted, for later stages to read
//   reads     tokens for what it looked at (read_token.hpp)
//   outputs   the message's new bytes; or that it is hidden, or that the function threw
// so that deleting, erasing, merging and crashing treat them as all rows.
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

/// Not thread-safe.
class Chain {
public:
    struct Stage {
        std::string name;
        std::uint32_t version = 1;
        ViewId cells;          ///< The two views behind it are the stage's as well.
        TransformFunction run; ///< Null: its code is not here.
        ViewId reads() const { return {cells.value + 1}; }
        ViewId outputs() const { return {cells.value + 2}; }
        std::array<ViewId, 3> views() const { return {cells, reads(), outputs()}; }
    };
    static constexpr std::uint32_t kViewsOfStage = 3;
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

    explicit Chain(std::vector<Stage> stages = {});
    const std::vector<Stage>& stages() const { return stages_; }
    bool empty() const { return stages_.empty(); }
    bool is_loaded() const;
    /// Names the stages, their order and versions: rows of another chain say nothing about this
    /// one.
    /// docs/format/transforms.md.
    std::string signature() const;

    /// The units that `delta` concerns. `rows` are from before it.
    Worklist plan(const Delta& delta, const World& world, const StoreSnapshot& rows) const;
    /// Runs what there is to run, stage by stage, into `draft`. When `draft_rows_max` have gathered
    /// there, `save` is called, to commit them together with the worklist as it is then. The
    /// worklist is left with the messages whose rows in the views are to be derived.
    Result<void> run(Worklist& work, const Delta& delta, const World& world, Draft& draft,
                     const Gone& gone, std::size_t draft_rows_max,
                     const std::function<Result<void>()>& save);

    /// For when code is not here: takes away all that rests on what changed, and names the
    /// messages.
    SeqBitmap retract(const Worklist& planned, Draft& draft) const;

    /// The outputs of all stages.
    std::span<const ViewId> outputs() const { return outputs_; }

private:
    class Unit;
    using Ranges = std::vector<ScanRange>;
    bool run_unit(std::size_t stage, Seq seq, Worklist& work, std::span<const FactId> new_facts,
                  const World& world, Draft& draft);
    void wake_readers(std::size_t stage, Seq owner, const Draft::Emissions& before,
                      const Draft::Emissions& after, Worklist& work, const Draft& draft);
    /// Whom `ranges` of tokens about the source name, in this stage and those behind it.
    void wake(std::size_t first_stage, const ReadTokens& source, const Ranges& ranges,
              const StoreSnapshot& rows, const std::function<void(std::size_t, Seq)>& woken) const;
    void wake_gone(std::size_t stage, Seq owner, const StoreSnapshot& rows, Worklist& work) const;

    std::vector<Stage> stages_;
    std::vector<ViewId> outputs_;
    JsonParser parser_;
    /// Sources that no token of a stage is about, found so by looking: by reads view and source.
    mutable std::set<std::pair<std::uint32_t, std::string>> unread_;
};

} // namespace sluice
