// An embedded event log whose past can change, and the views of it that are right at once.
#pragma once
#include <sluice/fact.hpp>
#include <sluice/feed.hpp>
#include <sluice/key.hpp>
#include <sluice/links.hpp>
#include <sluice/result.hpp>
#include <sluice/retention.hpp>
#include <sluice/search.hpp>
#include <sluice/seq.hpp>
#include <sluice/subscription.hpp>
#include <sluice/transform.hpp>
#include <sluice/view.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sluice {

class Directory; // Where a test puts a simulated disk.

/// When an append or a change is durable: what a power cut can take back.
enum class Durability : std::uint8_t {
    every_commit, ///< When the call returns. One fdatasync; threads that append together share it.
    interval,     ///< Within Options::sync_interval. A power cut takes back at most that much.
    none,         ///< When the operating system gets to it, at flush() and on closing.
};

struct NewMessage {
    std::string_view body; ///< Any bytes up to 16 MiB. JSON is what declared views read.
    /// Names the message for people, at most 65,535 bytes; none if empty. Unique among messages.
    std::string_view key = {};
};

/// Whether a message must stay out, by the facts that there are: that its author is blocked, say.
/// Called under the database's lock for writing: it must not call the Database.
using KeepOut = std::function<bool(const NewMessage& message,
                                   const std::function<bool(const FactName&)>& has_fact)>;

struct Options {
    Durability durability = Durability::every_commit;
    std::chrono::milliseconds sync_interval{100};
    /// A log segment is closed when it reaches this size. Bytes.
    std::uint64_t log_segment_size_bytes = 64 * 1024 * 1024;
    /// Rows in one view segment at most. Erasing rewrites whole segments: smaller ones erase faster
    /// and read slower.
    std::uint32_t view_segment_rows_max = 131072;
    /// Rows kept in memory before they are written to view segments. Bytes.
    std::uint64_t view_memory_bytes_max = 48 * 1024 * 1024;
    /// How long erase() waits for snapshots that pin the erased rows' files.
    std::chrono::milliseconds erase_patience{10000};
    /// False: no threads; merging happens inside calls, in an order that depends on the calls only.
    bool background = true;
    /// Reads beside the process that writes, if there is one, and whichever comes next. Nothing is
    /// locked or written: what the writer has not put into files yet is derived in memory. With
    /// `background` it follows the writer within milliseconds. Calls that would write answer
    /// Errc::read_only.
    bool read_only = false;
    /// The code of transforms that this program has. Which are in use is the database's word: see
    /// Database::use_transforms().
    Transforms transforms = {};
    /// Asked for each message that is appended or offered. Empty: nothing is kept out.
    KeepOut keep_out = {};
    /// How often rules of retention are applied while the database is open, the first time after as
    /// long. Only with `background`; apply_retention() does it at any time.
    std::chrono::milliseconds retention_interval{60000};
    /// What time it is, in ms since 1970-01-01 UTC, from any thread. Empty: the system's clock.
    std::function<std::uint64_t()> clock = {};
};

/// Long work tells how far it is. Called from the thread that called in, a few times a second.
struct Progress {
    std::string_view what; ///< "deriving views", "erasing", ...
    std::uint64_t done = 0;
    std::uint64_t total = 0; ///< 0: unknown.
};
using ProgressFunction = std::function<void(const Progress&)>;

struct AppendOptions {
    /// Take messages whose key was deleted or erased before. Without it they are refused, so that
    /// replication and repeated imports do not bring back what was taken out.
    bool readmit = false;
    /// False: return when the messages are visible, without waiting for the disk. They are durable
    /// after flush(), or with whatever is made durable after them.
    bool wait_until_durable = true;
};

/// What became of one message of an offer.
enum class Offered : std::uint8_t {
    appended,
    exists,   ///< A live message has this key.
    refused,  ///< A deleted or erased message had this key.
    kept_out, ///< Options::keep_out said so.
};

/// How far a foreign file has been imported. Kept in the log, in one batch with the messages.
struct ImportMark {
    std::string_view fingerprint; ///< Names the file; only a keyed hash of it is kept.
    std::uint64_t offset = 0;     ///< Where the next record begins.
};

struct Offer {
    Seq first;                     ///< Of the appended ones, which follow each other; or 0.
    std::vector<Offered> outcomes; ///< In the order of the messages.
};

/// An entry of the log as it is now.
struct Record {
    enum class State : std::uint8_t { live, deleted, erased, change };
    Seq seq;
    State state = State::live;
    std::string key;  ///< Empty when erased.
    std::string body; ///< The latest bytes. Empty unless live.
    bool replaced = false;
    bool held = false;
    std::string change;       ///< For a change: a line for people that says what it did.
    bool transformed = false; ///< Snapshot::seen(): the body is what transforms made.
    bool hidden = false;      ///< Snapshot::seen(): a transform shows it to no view.
};
std::string_view name_of(Record::State state);

/// A part of the log.
struct LogRange {
    Seq from{1};                  ///< Inclusive, in the direction of reading.
    std::optional<Seq> to = {};   ///< Inclusive; none: to the end.
    bool reverse = false;         ///< From `from` (0: the last entry) down to `to`.
    bool include_changes = false; ///< Also changes, and messages that are gone.
    bool seen = false;            ///< Bodies as views see them, and not as they are stored.
};

/// Which messages? Gives seqs in ascending order, live ones only where it looks for messages
/// itself.
struct SelectView {
    std::string view;
    Key prefix;
};
struct SelectKeys {
    std::vector<std::string> keys;
};
struct SelectWhere {
    std::string predicate; ///< docs/design/where.md. Reads the whole log.
};
using Selector = std::variant<std::vector<Seq>, SelectKeys, SelectView, SelectWhere>;

struct ChangeOptions {
    std::string reason = {}; ///< Kept in the log for ever: no personal data.
    std::string actor = {};  ///< Likewise.
    ProgressFunction progress = {};
    /// erase() and erase_fact(): snapshots from before, of this and all other processes, end
    /// instead of being waited for. What is asked of them from then on answers Errc::ended.
    bool end_snapshots = false;
};

/// The record of an erasure. Never content, never a hash of content.
struct Receipt {
    Seq erasure;               ///< The entry that ordered it.
    std::vector<Seq> seqs;     ///< The messages.
    std::uint64_t time_ms = 0; ///< When it was finished; 0 while it is not. Since 1970-01-01 UTC.
    std::string reason;
    std::string actor;
    /// "files": no file of the database holds the bytes. "device": they were also overwritten in
    /// place on the device, as far as the file system lets us say. docs/design/erasure.md has what
    /// neither reaches: copies elsewhere, flash remapping, snapshots of the volume, backups.
    std::string assurance;
    std::uint64_t entries_wiped = 0;
    std::uint64_t segments_rewritten = 0;
    std::uint64_t bytes_destroyed = 0;
    bool finished() const { return time_ms != 0; }
};

/// What a change did.
struct Changed {
    Seq at;                ///< Its entry; 0 if there was nothing to do.
    std::vector<Seq> seqs; ///< The messages concerned, ascending. Of a fact: derived again.
    std::optional<Receipt> receipt; ///< erase only.
};

struct ViewInfo {
    enum class State : std::uint8_t {
        current,        ///< As far as the log. Also of code that is away, if nothing waits for it.
        behind,         ///< It catches up: see `since`.
        building,       ///< Derived from the whole log, and not shown before that is done.
        waits_for_code, ///< Messages wait for its function, or for a transform.
        damaged,        ///< A file of it is: the next opening derives again what that had.
    };
    struct Use {
        std::string app;
        std::uint64_t opened_ms = 0;
    };

    std::string name;
    std::string kind; ///< "index", "aggregate", "fold", "links" or "search".
    std::string app;  ///< Whose code it is. Empty for a declared view.
    std::uint32_t version = 0;
    std::string definition; ///< Canonical JSON.
    bool loaded = true;     ///< False for a code view whose function is not here.
    Seq since;              ///< Complete up to this entry.
    std::uint64_t rows = 0; ///< Stored, also those that are gone and not yet merged away.
    std::uint64_t segments = 0;
    std::uint64_t bytes = 0;
    std::uint64_t errors = 0; ///< Messages on which the function threw, since it was loaded.
    State state = State::current;
    /// Messages that are still to be mapped for it; by a reader, if that has the code.
    std::uint64_t pending = 0;
    std::vector<Use> uses = {}; ///< The apps that work with it, and when each registered it last.
    /// When it was last registered or read, in ms since 1970-01-01 UTC, to within some hours; 0:
    /// not known. Reads of other processes than the writer do not count.
    std::uint64_t opened_ms = 0;
};
std::string_view name_of(ViewInfo::State state);

/// An application, by what it registered here.
struct AppInfo {
    std::string name;
    std::uint64_t opened_ms = 0; ///< The latest that it registered one of its views; 0: not known.
    std::vector<ViewInfo> views = {}; ///< By name, also those that it shares with others.
};

struct ForgetOptions {
    bool dry_run = false; ///< Change nothing, and say what would be done.
};

struct Forgotten {
    std::vector<std::string> dropped;
    std::vector<std::string> kept; ///< Views that other apps use, which are no longer this one's.
};

struct TransformInfo {
    std::string name;
    std::uint32_t version = 0;
    bool loaded = true;        ///< False: its code is not here.
    std::uint64_t cells = 0;   ///< Messages that gave cells, stored.
    std::uint64_t outputs = 0; ///< Messages of which it makes something else, stored.
    std::uint64_t errors = 0;  ///< Messages on which the function threw.
};

/// Why views show of a message what they show.
struct Explanation {
    /// Something that a transform or a view looked at. When it would be found differently, the
    /// message is derived again.
    struct Look {
        std::string source; ///< "facts keys", "cells scuttlebutt.edit-links", "rows authors".
        /// "get", "has", "prefix", "first", "last" or "find any", as in Context.
        std::string kind;
        std::string key;   ///< JSON: the key, or the elements that keys begin with.
        bool found = true; ///< False: it looked in vain.
        Seq owner;         ///< Of the cell found; 0 for a fact, or for several.
    };
    struct Step {
        std::string transform;
        std::string made; ///< "unchanged", "body", "hidden" or "failed".
        std::vector<Look> looks;
        std::vector<std::string> cells; ///< The keys that it gave, as JSON.
    };
    struct Rows {
        std::string view;
        std::string kind;
        bool is_behind = false;        ///< The view waits for its application.
        std::vector<std::string> keys; ///< As JSON.
        std::vector<Look> looks;       ///< Of a view that reads: what it looked at.
    };
    Record record;           ///< As Snapshot::seen().
    std::vector<Step> steps; ///< In the order in which the message passed them.
    std::vector<Rows> views; ///< Those to which it gave something, or which looked something up.
    Seq rederived_by;        ///< The last entry that had it derived again; 0: none.
};

struct ReadOptions {
    std::optional<Key> exact = {};  ///< Only this key. The fastest way to look one up.
    std::optional<Key> prefix = {}; ///< Keys that begin with these elements.
    std::optional<Key> from = {};   ///< Inclusive.
    std::optional<Key> to = {};     ///< Exclusive.
    bool reverse = false;
    std::uint64_t limit = ~std::uint64_t{0};
    std::string after = {}; ///< A ViewCursor::position() of an earlier read: go on behind it.
};

/// Walks a view in key order. Valid while its Snapshot lives. Not thread-safe.
class ViewCursor {
public:
    struct Impl;
    ViewCursor(ViewCursor&&) noexcept;
    ViewCursor& operator=(ViewCursor&&) noexcept;
    ~ViewCursor();

    /// Moves to the next row; false at the end. Call it before the first access.
    bool next();
    /// Ask when next() has answered false. Errors: corrupt (a file of the view is damaged: then no
    /// row at all is shown, and the next opening derives the view again from the log); ended.
    Result<void> status() const;
    Key key() const;
    std::string_view encoded_key() const; ///< Key::encoded() without a copy, until the next next().
    Seq seq() const;                      ///< 0 for an aggregate and a fold.
    /// The answer of an aggregate as JSON, such as {"count":3}, or of a fold; empty for others.
    std::string value() const;
    /// The message behind a row, as the views of this snapshot see it. Errors: invalid_argument (of
    /// an aggregate or fold, whose rows are groups); corrupt.
    Result<Record> message() const;
    /// Where this row stands, for ReadOptions::after. Stays valid for ever, also when the row is
    /// gone.
    std::string position() const;
    /// Counts the rows that are left, faster than walking. Ends the cursor.
    std::uint64_t count_rest();

private:
    friend class Snapshot;
    explicit ViewCursor(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// Walks the log. Valid while its Snapshot lives. Not thread-safe.
class LogCursor {
public:
    struct Impl;
    LogCursor(LogCursor&&) noexcept;
    LogCursor& operator=(LogCursor&&) noexcept;
    ~LogCursor();
    /// The next entry; nothing at the end. A damaged one is an error that names it, and the walk
    /// goes on behind it with the next call.
    Result<std::optional<Record>> next();

private:
    friend class Snapshot;
    explicit LogCursor(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// Everything at one seq. Any number of threads may read it. An erasure waits for the snapshots
/// that pin what it erases, so do not keep one longer than you need it; or ends them, if it is told
/// to (ChangeOptions): then every call answers Errc::ended. Must not outlive the Database.
class Snapshot {
public:
    struct Impl;
    Seq position() const;
    /// The bytes as they are stored. Errors: not_found (no such entry); corrupt (it is damaged).
    Result<Record> get(Seq seq) const;
    /// The message as transforms make it, which is what views are made of: from the same moment as
    /// the views. Errors: as get().
    Result<Record> seen(Seq seq) const;
    /// The message of an application key: the newest that is not erased. Errors: not_found.
    Result<Record> get(std::string_view key) const;
    LogCursor log(const LogRange& range) const;
    /// Views of links and for searching show their rows, by the keys that docs/design/views.md
    /// says. Errors: not_found (no such view); invalid_argument (also for a fold whose code is not
    /// loaded).
    Result<ViewCursor> read(std::string_view view, const ReadOptions& options = {}) const;

    // Views of links. Errors of both: not_found; invalid_argument (another kind of view, a node or
    // relation that is not one element); corrupt.

    /// By source, relation, target; if only `to` is given, by target, relation, source.
    Result<std::vector<Link>> links(std::string_view view, const LinkQuery& query = {}) const;
    /// Breadth first. Costs the links of the nodes that it reaches before the last distance.
    Result<Walk> walk(std::string_view view, const WalkQuery& query) const;

    /// Ranked full-text search. Costs the rows of the words asked for. Errors: not_found;
    /// invalid_argument (another kind of view; no word in the query, or too many; quotes that do
    /// not close); corrupt.
    Result<SearchAnswer> search(std::string_view view, const SearchQuery& query) const;

private:
    friend class Database;
    friend class Subscription;
    explicit Snapshot(std::shared_ptr<const Impl> impl);
    std::shared_ptr<const Impl> impl_;
};

struct VerifyReport {
    struct View {
        std::string name;
        bool checked = true; ///< False: its function is not loaded, or it is behind.
        std::uint64_t rows = 0;
        std::vector<std::string> differences; ///< At most a few dozen, with seqs; never content.
        std::uint64_t difference_count = 0;
    };
    Seq position;
    std::vector<View> views;
    std::vector<std::string> problems; ///< Of log, segments and manifest.
    std::uint64_t needles_searched =
        0; ///< Pieces of what this process erased, looked for everywhere.
    std::vector<std::string> needles_found; ///< Files that still hold one.
    bool equal() const;
};

struct Stats {
    Seq last;
    std::uint64_t live = 0;
    std::uint64_t deleted = 0; ///< Deleted and not erased.
    std::uint64_t erased = 0;
    std::uint64_t held = 0;
    std::uint64_t changes = 0;
    std::uint64_t log_bytes = 0;
    std::uint64_t log_segments = 0;
    std::uint64_t view_bytes = 0;
    std::uint64_t not_in_files = 0; ///< Entries whose rows are in memory only.
    std::string durability;
    std::string assurance; ///< What an erasure here reaches: "files" or "device".
};

/// Promises, numbered as in docs/design/promises.md. promises_test.cpp has each in its own words.
///   P1  Each view equals the same view computed from scratch from what is live now.
///   P2  A change is an entry of the same log; `since` never decreases.
///   P3  All views advance together; a snapshot shows them at one seq and never changes.
///   P4  Retraction needs neither the old content nor the application's code.
///   P5  A fact derives again the messages concerned, and no other: see sluice/transform.hpp.
///   P6  Erased is gone: when erase() returns, no file of the database holds any of it.
///   P7  Nothing acknowledged is lost, nothing deleted returns.
///   P8  Deleting k messages costs k, whatever the length of the log and the number of views.
///   P9  Retention takes what its rules say of all messages, nothing else, and nothing held.
///
/// One process at a time writes a database, and any number read it (Options::read_only): when the
/// writer closes or dies, another may become it. Inside a process every function may be called from
/// any thread. Changes take turns, and so do why(), transforms(), verify() and a dry run of
/// retention; nothing else that reads waits for them. After a failed write every further one
/// answers Errc::latched until the database is opened again; reading goes on. Running out of memory
/// in a call that writes is such a failure (io); one that reads throws std::bad_alloc.
class Database {
public:
    struct Impl;
    /// Makes an empty database in a new or empty directory. Errors: exists; io.
    static Result<void> create(const std::string& path);
    /// Errors: not_found (no database there); busy (naming the process that has it); corrupt;
    /// unsupported_version; io.
    static Result<std::unique_ptr<Database>> open(const std::string& path,
                                                  const Options& options = {},
                                                  const ProgressFunction& progress = {});
    // The same on any Directory, which must outlive the database.
    static Result<void> create(Directory& directory);
    static Result<std::unique_ptr<Database>> open(Directory& directory, const Options& options,
                                                  const ProgressFunction& progress = {});
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    // Appending.

    /// Errors: exists, refused (the key; or Options::keep_out said so); invalid_argument (too
    /// large); io, no_space, latched.
    Result<Seq> append(const NewMessage& message, const AppendOptions& options = {});
    /// One atomic batch; the seqs follow each other from the one returned. Errors: as above, naming
    /// the message; then nothing is appended.
    Result<Seq> append(std::span<const NewMessage> messages, const AppendOptions& options = {});
    /// One atomic batch of those whose keys are free; says of the others why they were left out.
    Result<Offer> offer(std::span<const NewMessage> messages, const AppendOptions& options = {},
                        const std::optional<ImportMark>& mark = {});
    std::uint64_t imported_up_to(std::string_view fingerprint) const;
    /// Everything appended so far is durable after this, whatever Options::durability says.
    Result<void> flush();
    /// With Options::read_only: takes over what the writer has done, as `background` does by
    /// itself. Errors: also those that were met in the background since the last call; corrupt
    /// (the log is shorter than it was: open it again); io.
    Result<void> refresh();

    // Changing the past. Each is all or nothing, and every view is right when it returns.

    Result<Changed> delete_messages(const Selector& selector, const ChangeOptions& options = {});
    /// Only deleted messages; erased ones cannot come back.
    Result<Changed> restore(const Selector& selector, const ChangeOptions& options = {});
    /// Errors: not_found (no live message there).
    Result<Changed> replace(Seq seq, std::string_view body, const ChangeOptions& options = {});
    /// Every view maps these messages again, also those of applications that are away, when they
    /// are back. For functions that get answers elsewhere, as other libraries hand them over: what
    /// a Context has answered is followed without being asked.
    Result<Changed> rederive(const Selector& selector, const ChangeOptions& options = {});
    /// With a message whose header is damaged go those beside it that cannot be read either.
    /// Errors: held, naming the first held seq, also of these; busy, naming the processes (a
    /// snapshot pins the bytes longer than Options::erase_patience: the messages are gone for every
    /// new reader, and the next erase(), resume_erasures() or the next opening finishes it; also
    /// when it is such an erasure that is not finished).
    Result<Changed> erase(const Selector& selector, const ChangeOptions& options = {});
    Result<void> resume_erasures();
    /// Makes the log whole again: erases the entries that are damaged, except held ones; deletes
    /// those that are lost with a file, so that no view shows them (the file put back, restore()
    /// brings them back); and wipes erased ones again of which a file has bytes, as after somebody
    /// put an older copy back. Reads the whole log. Errors: as erase().
    Result<Changed> scrub(const ChangeOptions& options = {});
    /// A held message cannot be erased. (It can be deleted: that keeps it.)
    Result<Changed> hold(const Selector& selector, const ChangeOptions& options = {});
    Result<Changed> release(const Selector& selector, const ChangeOptions& options = {});
    /// What a selector means now, for a dry run. `deleted_too`: for restore and erase.
    Result<std::vector<Seq>> select(const Selector& selector, bool deleted_too = false) const;
    std::vector<Receipt> receipts() const;

    // Facts. Each call is one change entry, durable as the options say.

    /// Takes the place of the value that this fact had. Nothing to do when it is the same. Errors:
    /// invalid_argument (the name; a value over 16 MiB).
    /// Every message that was read with it, or looked for it in vain, is derived again, and no
    /// other.
    Result<Changed> put_fact(const NewFact& fact, const ChangeOptions& options = {});
    /// Several in one commit: each message is derived once for all of them.
    Result<Changed> put_facts(std::span<const NewFact> facts, const ChangeOptions& options = {});
    /// The log keeps what it was. What a secret one opened is taken out of all files of the views.
    /// Errors: not_found.
    Result<Changed> drop_fact(const FactName& name, const ChangeOptions& options = {});
    /// P6 for a fact: no file holds its name or any value that it ever had, dropped or not. Errors:
    /// not_found (no entry of the log names it).
    Result<Changed> erase_fact(const FactName& name, const ChangeOptions& options = {});
    /// By collection and key; of all collections when `collection` is empty.
    std::vector<Fact> facts(std::string_view collection = {}) const;

    // Transforms.

    /// These transforms of Options::transforms are in use from here on, in the order that they have
    /// there, with those that are in use already. Messages, and views of those that look different
    /// now, are derived again while readers go on with what was before. Interrupted, the next
    /// opening goes on where it was. Errors: not_found (Options::transforms has no such name);
    /// invalid_argument (a name, an order that contradicts the one in use, or one that it reads is
    /// not in use, named).
    ///
    /// Where a program opens the database without the code of one in use, deleting and erasing do
    /// all that they promise, and views wait for a program that has it.
    Result<void> use_transforms(std::span<const std::string> names,
                                const ProgressFunction& progress = {});
    /// Errors: not_found (none of that name is in use); invalid_argument (another one reads it).
    Result<void> drop_transform(const std::string& name, const ProgressFunction& progress = {});
    std::vector<TransformInfo> transforms() const;

    // Views.

    /// Derives the view from the whole log while everything else goes on, then shows it at once. A
    /// name that exists with another definition is built beside the old one and switched; with the
    /// same one nothing is done. Errors: invalid_argument.
    Result<void> add_view(const std::string& name, std::string_view definition_json,
                          const ProgressFunction& progress = {});
    /// Several declared views in one pass over the log; each message is parsed once for all of
    /// them.
    struct NewView {
        std::string name;
        std::string definition_json;
        std::string app = {}; ///< Whose it is, for views() and forget_app(). Empty: nobody's.
    };
    Result<void> add_views(std::span<const NewView> views, const ProgressFunction& progress = {});
    /// Registers the function again after each opening; if the version is the same, the view
    /// catches up from where it was. While one that reads is built, appends wait. With
    /// Options::read_only it is read with this function from here on, if it is in the database, and
    /// is as far as the log whatever `when_behind` says.
    /// Errors: invalid_argument (also if it would read itself, by way of others); not_found (it
    /// reads a view that there is not); read_only (the database has no such view).
    Result<void> add_view(const std::string& name, const CodeView& view,
                          const ProgressFunction& progress = {});
    /// Returns when no view that has its code here is behind, and catches up in this call what
    /// nobody else does. With Options::read_only none ever is. Errors: what catching up met.
    Result<void> wait_for_views(const ProgressFunction& progress = {});
    /// For CodeView::reads: the rows of an index, each as a Cell with the message that gave it. It
    /// means the name: when that view becomes another one, those who read it follow.
    /// Errors: not_found; invalid_argument (another kind of view).
    Result<Source> rows_of(const std::string& view) const;
    /// Errors: not_found; invalid_argument (another view reads it).
    Result<void> drop_view(const std::string& name);
    std::vector<ViewInfo> views() const;
    /// By name. Views that nobody registered in an app's name are in none.
    std::vector<AppInfo> apps() const;
    /// Drops, in one moment, the views that only this app uses, and its uses of the others. Errors:
    /// not_found (no view is of this app); invalid_argument (a view that would stay reads one of
    /// them, named).
    Result<Forgotten> forget_app(const std::string& app, const ForgetOptions& options = {});

    // Retention.

    /// Derives from the whole log what the rule needs to know, while everything else goes on.
    /// Nothing goes before the rule is applied. With a rule that is there already nothing is done.
    /// Errors: exists (another rule has the name); not_found (no such view); invalid_argument.
    Result<void> add_retention(const RetentionRule& rule, const ProgressFunction& progress = {});
    /// Errors: not_found.
    Result<void> drop_retention(const std::string& name);
    std::vector<RetentionInfo> retention() const;
    /// Deletes or erases what is due now, in batches that are all or nothing each; the reason of
    /// their changes names the rule. Messages that are held stay. Costs what is due, whatever the
    /// length of the log. Erasing comes first, so that a message due under two rules is erased.
    /// With Options::read_only only a dry run is not refused. Errors: not_found (no such rule); as
    /// erase(). What was done before one stays done.
    Result<std::vector<RetentionRun>> apply_retention(const RetentionOptions& options = {},
                                                      const ProgressFunction& progress = {});

    // Reading.

    Snapshot snapshot() const;
    Seq last() const;
    /// Waits until there is an entry behind `seen`; the last one's seq, or `seen` after `patience`.
    Seq wait_for_entry(Seq seen, std::chrono::milliseconds patience) const;

    // Following it (sluice/feed.hpp).

    /// By the process that writes. Errors: not_found (no such view); invalid_argument (a view of
    /// groups; the condition); read_only.
    Result<Feed> feed(const FeedFilter& filter = {}, const FeedStart& start = {}) const;
    /// The feed of a durable consumer, behind what it acknowledged last. A new one is told of
    /// everything, unless `start` says otherwise. No filter: the one that it has. Another one than
    /// it has: all is told again, also what has gone by it. Errors: as feed(); invalid_argument
    /// (the name); busy (somebody follows as this consumer); corrupt (its file is damaged); io.
    Result<Feed> consumer(const std::string& name, const std::optional<FeedFilter>& filter = {},
                          const std::optional<FeedStart>& start = {}) const;
    /// By name. Errors: io.
    Result<std::vector<ConsumerInfo>> consumers() const;
    /// Errors: not_found; busy (somebody follows as it); io.
    Result<void> drop_consumer(const std::string& name) const;
    /// The rows of a view in this range, and what becomes of them (sluice/subscription.hpp). A
    /// reader is told the rows afresh whenever the writer has other files. Errors: not_found;
    /// invalid_argument (a limit, a direction or `after`, which are for reading once).
    Result<Subscription> subscribe(const std::string& view, const ReadOptions& range = {},
                                   const SubscribeOptions& options = {}) const;

    // Looking after it.

    /// Errors: not_found (no such entry); corrupt.
    Result<Explanation> why(Seq seq) const;

    Stats stats() const;
    /// P1, proved: recomputes every view from the log with plain code and compares; also checks
    /// log, segments and manifest, and looks in all files for what this process erased.
    Result<VerifyReport> verify(const ProgressFunction& progress = {}) const;
    /// Merges every view into as few segments as possible.
    Result<void> merge_views();
    /// What opening had to repair, for people; empty if nothing.
    std::vector<std::string> recovery_notes() const;

private:
    explicit Database(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace sluice
