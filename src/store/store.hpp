// Rows and how they are kept: one small interface with two implementations. The segment store
// (segment_store.hpp) is what ships; the memory store (memory_store.hpp) is the plain definition
// that every test compares it with.
#pragma once
#include "base/gone.hpp"

#include <sluice/result.hpp>
#include <sluice/seq.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// Names a view in the store. Given out by the catalog, never reused.
struct ViewId {
    std::uint32_t value = 0;
    friend constexpr auto operator<=>(const ViewId&, const ViewId&) = default;
};

/// The rows that messages give to one view. A row is all that one message gave: a set of terms,
/// each with a value. Terms and values are any bytes; a term is compared as memcmp does.
class RowBatch {
public:
    struct Row {
        Seq seq;
        std::size_t first_emission = 0;
        std::size_t emission_count = 0;
    };
    struct Emission {
        std::string_view term;
        std::string_view value;
    };

    /// Begins the row of `seq`. A row that emits nothing is dropped by the next begin_row().
    void begin_row(Seq seq);
    /// Adds to the row begun last. Emitting a term twice in a row keeps the first value.
    void emit(std::string_view term, std::string_view value = {});
    /// Takes back what the row begun last has emitted so far.
    void discard_row();

    bool empty() const;
    std::size_t size_bytes() const; ///< Memory held, for cutting work into pieces.
    /// Without an empty last row. Safe on several threads once order_by_seq() was called.
    const std::vector<Row>& rows() const;
    /// May repeat a term within a row: the store keeps the first.
    Emission emission(std::size_t index) const;
    void clear();

    /// Puts the rows in seq order; of several rows with one seq the last stays.
    void order_by_seq();
    /// Adds a copy of row `index` of `other`, which must not be this batch.
    void append_row(const RowBatch& other, std::size_t index);

private:
    struct Span {
        std::size_t begin;
        std::uint32_t term_size;
        std::uint32_t value_size;
    };
    void drop_empty_row() const;

    mutable std::vector<Row> rows_;
    std::vector<Span> emissions_;
    std::string arena_;
};

/// Folds the values under one term into a partial, and partials into a partial. Must not depend on
/// the order or the grouping in which it is given them: that is what makes a view that changed
/// equal to one that was rebuilt, bit for bit.
class Accumulator {
public:
    virtual ~Accumulator() = default;
    virtual void clear() = 0;
    virtual void add_value(std::string_view value) = 0;
    virtual void add_partial(std::string_view partial) = 0;
    virtual std::string partial() const = 0;
};

/// Makes accumulators for one view. Immutable, and used from several threads at once.
class Reducer {
public:
    virtual ~Reducer() = default;
    virtual std::unique_ptr<Accumulator> accumulator() const = 0;
};

/// What a view needs of the store.
struct ViewSpec {
    ViewId id;
    std::shared_ptr<const Reducer> reducer; ///< Null: the store keeps no partials for this view.
    /// Rows stay when their message is deleted and go only when it is erased. For the register of
    /// application keys, which must know a deleted message's key in order to refuse it.
    bool outlives_delete = false;
};

/// One step of the store. All of it becomes visible in one moment.
struct StoreCommit {
    struct Rows {
        ViewId view;
        /// The rows that these seqs have, gone or not, are retracted before `batch` is added.
        std::vector<Seq> retract;
        /// A row takes the place of the one that its seq has, retracted or not: a view holds at
        /// most one row of a message.
        RowBatch batch;
    };
    Seq position;               ///< The log position that the store has after this.
    std::vector<Rows> rows;     ///< Not every view has to appear.
    std::vector<ViewId> behind; ///< Views whose `since` stays: nobody is here to map for them.
    /// The owner's own bytes, kept with the rows: both are durable or neither is. None: as before.
    std::optional<std::string> attachment = {};
};

/// A part of a view in term order. Bounds are on terms: from <= term < to.
struct ScanRange {
    std::string from;              ///< Inclusive.
    std::optional<std::string> to; ///< Exclusive; none: to the end.
    bool reverse = false;          ///< Terms and, under one term, seqs descending.
    /// Start strictly behind this (term, seq), in scan direction.
    struct After {
        std::string term;
        Seq seq;
    };
    std::optional<After> after;

    /// All terms that begin with `prefix`.
    static ScanRange with_prefix(std::string_view prefix);
    /// This term only. The quickest way to read one: segments are asked by hash.
    static ScanRange exact(std::string_view term);
};

/// Walks live rows. Views into the snapshot it came from, which must outlive it.
class Cursor {
public:
    virtual ~Cursor() = default;
    /// Moves to the next row; false at the end. Call it before the first access.
    virtual bool next() = 0;
    virtual std::string_view term() const = 0; ///< Valid until the next call of next().
    virtual Seq seq() const = 0;
    virtual std::string_view value() const = 0;
    /// How many live rows are left, counted without visiting each where that is possible. Ends the
    /// cursor.
    virtual std::uint64_t count_rest() = 0;
    /// Errors: corrupt, if a file that the walk needs is damaged. Such a walk shows no rows at all,
    /// so that a part never passes for the whole. Ask when next() has answered false.
    virtual Result<void> status() const { return {}; }
};

/// Walks terms that have live rows, with their values folded by the view's Reducer.
class GroupCursor {
public:
    virtual ~GroupCursor() = default;
    virtual bool next() = 0;
    virtual std::string_view term() const = 0; ///< Valid until the next call of next().
    virtual std::uint64_t row_count() const = 0;
    virtual std::string_view partial() const = 0;      ///< Empty for a view without a Reducer.
    virtual Result<void> status() const { return {}; } ///< As for Cursor.
};

/// All views at one log position. Immutable; any number of threads may read it; holding it keeps
/// its files.
class StoreSnapshot {
public:
    virtual ~StoreSnapshot() = default;
    virtual Seq position() const = 0;
    virtual const Gone& gone() const = 0;
    /// Up to which entry of the log this view's rows are complete. Never decreases.
    virtual Seq since(ViewId view) const = 0;
    /// Errors: corrupt, if a file of the view is damaged, which it names.
    virtual Result<void> status(ViewId view) const = 0;
    /// A view the store does not have gives an empty walk.
    virtual std::unique_ptr<Cursor> scan(ViewId view, const ScanRange& range) const = 0;
    /// All that one message gave to the view, terms ascending; nothing if the view is damaged, as
    /// status() tells. Also of a message that is gone, as long as its row was not merged away or
    /// purged.
    virtual std::vector<RowBatch::Emission> row(ViewId view, Seq seq) const = 0;
    /// The attachment of the newest commit that had one.
    virtual std::string_view attachment() const = 0;
    /// For each of many terms whether it may have live rows: a few that have none are said to, but
    /// none the other way round. For looking up many at once that are hardly ever there, where a
    /// scan for each would wait for memory each time. With a damaged view, all may.
    virtual std::vector<bool> may_have(ViewId view,
                                       std::span<const std::string_view> terms) const = 0;
    /// range.after is compared by term only.
    virtual std::unique_ptr<GroupCursor> groups(ViewId view, const ScanRange& range) const = 0;
};

/// Promises. store_test.cpp holds each in its own words, for both implementations.
///   S1  A snapshot shows every view at its position, and never changes.
///   S2  Retracting needs the seq only: neither the message nor the code that mapped it.
///   S3  What a snapshot shows depends on the rows that are live in it, never on how they came.
///
/// Threads: one writer at a time calls the non-const functions; snapshot() from any thread.
class Store {
public:
    virtual ~Store() = default;
    virtual void add_view(const ViewSpec& view) = 0;
    virtual Result<void> drop_view(ViewId view) = 0;
    /// `gone` is the log's word on what is deleted and erased as of commit.position.
    virtual Result<void> commit(StoreCommit commit, const Gone& gone) = 0;
    virtual std::shared_ptr<const StoreSnapshot> snapshot() const = 0;
};

} // namespace sluice
