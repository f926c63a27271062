// What a Database is made of. Only files of this folder include it.
//
// Locks, in the order in which they are taken:
//   retention_mutex  which rules there are: one is added or dropped at a time
//   derive_mutex   one back-fill or erasure at a time: neither may see the other half done
//   write_mutex    the log's one writer: an append or a change, from the check to the commit
//   publish_mutex  what a new snapshot is put together from; held for a moment only
#pragma once
#include "base/memory.hpp"
#include "catalog/catalog.hpp"
#include "catalog/derivations.hpp"
#include "database/progress_meter.hpp"
#include "database/retention_rule.hpp"
#include "facts/facts.hpp"
#include "io/file.hpp"
#include "io/overlay.hpp"
#include "io/watch.hpp"
#include "log/ledger.hpp"
#include "log/log.hpp"
#include "store/segment_store.hpp"
#include "transform/chain.hpp"
#include "views/view.hpp"

#include <sluice/database.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

namespace sluice {

/// The register of application keys is a view of the engine's own: term = the first half of the
/// key's hash, and the log has the last word. It outlives a delete, so that a deleted key is still
/// refused.
constexpr ViewId kKeyRegister{1};
inline std::string_view key_term(const KeyHash& key) {
    return key.view().substr(0, 8);
}

/// Of each message that something else was made of since it was appended, by transforms or by views
/// that read: the seq of the entry that last did so, or that deleted what they had made of it.
/// Views that were away find there what to derive again, and erasing finds whose dead rows may have
/// bytes of what it erases. Outlives a delete, as those rows do.
constexpr ViewId kRederived{2};
/// Messages that wait for a program with the code of the transforms, or of a view that reads.
constexpr ViewId kPending{3};
constexpr std::string_view kPendingTerm = "p";
std::string pending_term(ViewId reader);
/// And those whose rows were lost with a damaged file, until they are derived as if they were new.
constexpr std::string_view kLostTerm = "l";
/// The term of a message re-derived by entry `at`: sorts by it, those by views behind the others.
std::string rederived_term(Seq at);
constexpr std::string_view kRederivedByViews = "v"; ///< Then a rederived_term().
/// Whether this is no view but a transform.
bool is_transform(const CatalogEntry& entry);
/// Whether nobody added it as a view: its name begins with a control byte.
bool is_engines_own(std::string_view catalog_name);
/// Whether the two are one definition of one view, whatever its id and whoever uses it.
bool is_same(const CatalogEntry& a, const CatalogEntry& b);
/// What the catalog's entry has for a name that says where rows were derived anew. No view can have
/// it.
constexpr std::string_view kDerivationsName = "\x02"
                                              "derivations";

struct Subscriber;

/// A view that readers and the writer know of.
struct OpenView {
    OpenView() = default;
    // No aggregate: g++ 12 destroys members twice when the allocation of a later one throws.
    OpenView(CatalogEntry the_entry, std::shared_ptr<const View> the_view)
        : entry(std::move(the_entry)), view(std::move(the_view)) {}

    CatalogEntry entry;
    std::shared_ptr<const View> view;
    WhenBehind when_behind = WhenBehind::wait;
    /// Somebody read it since it was noted when.
    std::shared_ptr<std::atomic<bool>> was_read = std::make_shared<std::atomic<bool>>(false);
};
/// Any thread. Looks first, so that readers share the line of memory.
inline void note_read(const OpenView& view) {
    if (!view.was_read->load(std::memory_order_relaxed)) {
        view.was_read->store(true, std::memory_order_relaxed);
    }
}
using ViewSet = std::map<std::string, OpenView, std::less<>>;

using RuleSet = std::map<std::string, std::shared_ptr<Retention>, std::less<>>;

inline bool is_among(ViewId id, const std::vector<ViewId>& ids) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
}

/// What people call so. Null pointer: there is none, or it is the engine's own.
const OpenView* find_view(const ViewSet& views, std::string_view name);
/// For who was asked for it. Errors: not_found.
Result<const OpenView*> known_view(const ViewSet& views, std::string_view name);
/// The same of a view whose rows are of messages. Errors: also invalid_argument.
Result<const OpenView*> view_of_messages(const ViewSet& views, std::string_view name);
/// Null pointer, or the name of a view that reads this one (reading_views.cpp).
const std::string* reader_of(const ViewSet& views, std::string_view name);

std::uint64_t now_ms();

struct Database::Impl {
    Impl(Directory& root_directory, const Options& the_options);
    ~Impl();

    /// Every public function that writes runs in here: after a failed write, to whichever file, all
    /// further ones are refused before they can touch the log.
    template <typename Write> auto writing(const Write& write) -> decltype(write());
    using Patience = std::optional<std::chrono::milliseconds>;
    /// A call ended in the middle: what is in memory is neither before nor behind it. The files
    /// are.
    void abandon();

    // Opening (open.cpp).
    /// For recovery_notes(). Without publish_mutex.
    void note(std::string text);
    Result<void> find_log();
    Result<void> open(const ProgressFunction& progress);
    /// The store in `files`, which is the writer's directory or a reader's overlay.
    Result<std::unique_ptr<SegmentStore>> open_store(Directory& files) const;
    /// Whatever is derived from the log, by what the catalog says and as far as the store has it.
    Result<void> open_derived(const ProgressFunction& progress);
    /// The same, up to damage that nobody knew of.
    Result<void> try_to_derive(const ProgressFunction& progress);
    Result<void> load_definitions();
    Result<void> open_views(const ProgressFunction& progress);
    Result<void> replay_changes();
    /// Takes these entries into ledger and facts. Answers those that are damaged.
    Result<std::vector<Seq>> apply_changes(std::span<const Seq> entries);
    /// Harmless to repeat. False: it cannot be read.
    Result<bool> apply_change(Seq at);
    void start_syncing();
    std::uint64_t now() const { return options.clock ? options.clock() : now_ms(); }
    /// Rows that come from the entries behind this one are derived anew, nobody knows from what.
    /// Before the first of them is.
    Result<void> remember_derivation(Seq behind);

    /// Under derive_mutex and write_mutex (verify.cpp).
    Result<VerifyReport> verify(const ProgressFunction& progress);

    // Reading beside the writer (follow.cpp).
    static constexpr std::uint64_t kEverything = ~std::uint64_t{0};
    Result<void> open_to_read(const ProgressFunction& progress);
    /// Under write_mutex, as the next three. `files_too`: the writer's files may be others by now.
    /// Answers how many bytes of the log are left, of which it takes about bytes_max.
    Result<std::uint64_t> refresh(bool files_too, std::uint64_t bytes_max = kEverything);
    Result<std::uint64_t> follow_log(std::uint64_t bytes_max);
    /// Goes on from what the writer has in files now. Readers see the change in one moment.
    Result<void> take_files(const ProgressFunction& progress);
    /// Ends the snapshots of files that the writer wants to destroy now.
    Result<void> answer_request();
    Result<void> load_code(const std::string& name, const CodeView& code,
                           const ProgressFunction& progress);
    void start_following();
    void follow();

    // Appending (append.cpp).
    enum class OnTaken : std::uint8_t { skip, fail };
    Result<Offer> append(std::span<const NewMessage> messages, const AppendOptions& append_options,
                         const std::optional<ImportMark>& mark, OnTaken on_taken);
    /// What would become of each message. Under write_mutex.
    Result<std::vector<Offered>> outcomes_of(std::span<const NewMessage> messages,
                                             const AppendOptions& append_options) const;
    /// Call without write_mutex: makes what was written as durable as the options promise.
    Result<void> acknowledge();

    // Deriving rows (derive.cpp).
    /// A message as of `position`: the latest version's body, and the key of the message itself.
    Result<Log::Entry> latest(Seq seq, Seq position) const;
    /// An entry that nothing has been derived from yet. Of what this process has just appended the
    /// payload is not checked again.
    Result<Log::Entry> read_new(Seq seq) const;
    /// What this change entry says; none if an erasure has overwritten it, perhaps only since it
    /// was read. Any thread.
    Result<std::optional<Change>> change_of(const Log::Entry& entry, Seq at) const;
    /// The same as views see it, by the transforms' rows in `rows`; none if they do not see it, or
    /// it is damaged.
    std::optional<Log::Entry> seen(Seq seq, Seq position, const StoreSnapshot& rows) const;
    /// The same of a message whose latest version is at hand.
    std::optional<std::string_view> seen_body(Seq seq, const Log::Entry& latest_entry,
                                              const StoreSnapshot& rows) const;
    /// `with_it`: what else readers see from the same moment on, set with publish_mutex.
    Result<void> commit(StoreCommit commit, const std::function<void()>& with_it = {});
    /// Brings transforms, the current views and the register of keys from where they are to the
    /// log's end, in one moment for readers. Under write_mutex.
    Result<void> advance(const ProgressFunction& progress);
    /// Brings these views from their `since` up to the log's end.
    /// With `write_lock`, which holds write_mutex: lets others write from time to time. Errors:
    /// busy, if the database is closing then.
    Result<void> catch_up(const std::vector<OpenView>& late, bool keys_too, Seq since,
                          const ProgressFunction& progress,
                          std::unique_lock<std::mutex>* write_lock = nullptr);
    Result<void> breathe(std::unique_lock<std::mutex>& write_lock) const;
    /// Messages up to `since` that mean something else by entries from `first` on, of which
    /// `remaking` has the changes. Any thread.
    Result<std::vector<Seq>> remade_by(Seq first, Seq since, const SeqBitmap& remaking,
                                       const StoreSnapshot& rows) const;
    /// Has those wait who look at what these messages give to a view, where that changes.
    void mark_readers(ViewId view, std::span<const Seq> seqs, const RowBatch& batch,
                      Draft& marks) const;
    /// Derives views that the store does not have from the whole log, while appending goes on, and
    /// installs them. Call with derive_mutex and without write_mutex. From the moment in which they
    /// have caught up `write_lock` holds write_mutex: it must not be let go before `mapper` maps
    /// for them too, or what is appended in between is missing in them.
    Result<void> build(const std::vector<OpenView>& fresh_views, bool keys_too,
                       std::unique_lock<std::mutex>& write_lock, const ProgressFunction& progress);
    /// Whether it reads no other view, nor is read by one: what a damaged file of it had can be
    /// derived again with nobody else to be told.
    bool is_plain(const OpenView& each) const {
        return reads_of(*each.view) == nullptr && !chain.is_read(each.entry.id);
    }
    /// mend() of all of these that are derived here.
    Result<void> mend_plain_views(bool keys_too, const ProgressFunction& progress);
    /// Derives again what damaged files of these views had, and the register of keys with them.
    /// They are as far as the log. Under write_mutex.
    Result<void> mend(const std::vector<OpenView>& current, bool keys_too,
                      const ProgressFunction& progress);
    struct Advance;
    /// `fresh_keys`: what new messages give to the register of keys.
    Result<Delta> delta_behind(Seq since, Seq keys_since, RowBatch& fresh_keys) const;
    Chain::World world() const;
    std::optional<Chain::Stored> stored_message(Seq seq, bool is_new) const;
    std::vector<Seq> waiting(const StoreSnapshot& rows, std::string_view term) const;
    bool has_lost_reads() const;
    /// Rows without which nobody knows what messages were read with.
    std::vector<ViewId> views_of_reads() const;
    Result<void> check_reads_are_whole();
    /// Is it current with the transforms, or does it lag behind them?
    bool follows(ViewId view) const;
    Worklist plan(Advance& run);
    void retract_too_early(Advance& run);
    Result<void> advance_without_code(Advance& run);
    Result<void> derive_rows(Advance& run, const ProgressFunction& progress);
    void map_moved(Advance& run, Seq seq, bool is_new);
    void settle(Advance& run, const Chain::Stage& view, Seq seq, bool is_other);
    Result<void> save_part(Advance& run);
    void add_view_rows(StoreCommit& step, Advance& run);
    void note_gone(Advance& run);
    std::string chain_state(const Worklist* work) const;
    /// Messages that were re-derived by the entry `since` or a later one, or wait to be.
    enum class Deriver : std::uint8_t { transforms, any };
    Result<std::vector<Seq>> rederived_since(Seq since, Deriver deriver,
                                             const StoreSnapshot& rows) const;
    /// Those that the entries from `first` to the log's end re-derived.
    Result<std::vector<Seq>> rederived_by(Seq first, Deriver deriver,
                                          const StoreSnapshot& rows) const;
    /// What a dropped secret opened leaves all files.
    Result<void> purge_behind_secrets();
    void emit_key(RowBatch& batch, Seq seq, std::string_view key) const;
    std::vector<ViewId> all_but(const std::vector<OpenView>& current, bool with_keys) const;

    // Transforms (transforms.cpp).
    /// Why something cannot be done: names a transform in use whose code is not here.
    Error without_code(std::string_view so) const;
    /// The transforms of the catalog and the views that read, with the code that is here.
    void install_chain();
    SeqBitmap live_messages(Seq behind = {}) const;
    Result<void> open_chain();
    std::vector<ViewId> chain_views() const;
    /// The first of as many ids that follow each other.
    Result<ViewId> take_ids(std::uint32_t count);
    /// From here on everything is derived anew.
    Result<void> forget_derived();
    /// Rows of the chain are lost with damaged files: the messages that they may have been of are
    /// to be derived as if they were new, or all, where more is lost than that can mend.
    Result<void> mend_chain();
    Result<void> take_lost();
    /// Rows that say what is to be done, durably. Every view stays where it is.
    Result<void> save_marks(Draft& marks);

    // Views (admin.cpp).
    Result<void> add_views(std::vector<OpenView> wanted, const ProgressFunction& progress);
    /// Adds what the functions of these views threw to what is known of them. Without
    /// publish_mutex.
    void count_errors(const std::vector<OpenView>& mapped_views, Mapper& their_mapper);
    void publish(std::shared_ptr<const ViewSet> set);
    void remake_mapper();
    /// These views follow the log from now on, the others stay behind.
    void map_for(std::vector<OpenView> current);
    /// All of them, and what the catalog says of others, in one moment.
    Result<void> drop_views(const std::vector<std::string>& names,
                            const std::vector<CatalogEntry>& changed);
    /// What there is to say about views, of one moment. Copying it costs next to nothing.
    struct ViewsNow {
        std::shared_ptr<const StoreSnapshot> rows;
        std::shared_ptr<const ViewSet> views;
        std::vector<SegmentStore::ViewStats> stats;
        std::vector<ViewId> damaged;
        std::map<ViewId, std::uint64_t> errors;
        std::map<ViewId, Seq> catching_up;
        std::vector<CatalogEntry> building;
        SeqBitmap remaking, changes; ///< Of the ledger.
    };
    /// Any thread, as the next two.
    ViewsNow views_now() const;
    ViewInfo info_of(const OpenView& each, const ViewsNow& now_known) const;
    /// How many messages are still to be mapped for a view.
    std::uint64_t pending_of(const OpenView& each, const ViewsNow& now_known) const;

    // Applications (apps.cpp).
    /// Whether it is time to note that it was opened: now and then, so that it costs nothing.
    bool is_stale(std::uint64_t opened_ms) const;
    void note_opened(CatalogEntry& entry, const std::vector<CatalogUse>& by) const;
    /// Writes down which views were read. Under write_mutex.
    Result<void> save_readings();
    Result<Forgotten> forget(const std::string& app, bool is_dry_run);

    // What is done beside (keeper.cpp).
    /// Catches up the views that serve reads meanwhile.
    Result<void> catch_up_beside(const ProgressFunction& progress);
    void end_catching_up(ViewId id); ///< Under write_mutex.
    /// What one rule has met keeps no other from being applied.
    void apply_rules_beside();
    /// With derive_mutex, or while opening. Without Options::background, nothing.
    void start_keeper();
    void keep();

    // Retention (retain.cpp). What is due: at most as many, none that is held. Under write_mutex.
    static Result<OpenView> open_rule_view(const CatalogEntry& entry, RuleSet& into);
    /// So that a rule that erases finds what others have deleted. With publish_mutex.
    void note_deleted(const Change& change);
    std::shared_ptr<Retention> find_rule(std::string_view name) const;
    bool is_held_back(const Retention& rule, Seq seq) const;
    /// What is not younger is due; none while nothing can be.
    std::optional<std::int64_t> cutoff_of(const Retention& rule) const;
    std::optional<RetentionPlace> place_of_deleted(const Retention& rule, Seq seq) const;
    Result<RetentionBatch> due(Retention& rule, std::size_t count_max);
    Result<void> due_by_age(Retention& rule, std::size_t count_max, RetentionBatch& batch) const;
    Result<void> due_of_deleted(Retention& rule, std::size_t count_max, RetentionBatch& batch);
    Result<void> due_by_group(Retention& rule, std::size_t count_max, RetentionBatch& batch) const;
    struct RetentionTurn {
        bool is_dry_run = false;
        ProgressFunction progress = {};
        Patience patience = {};
    };
    Result<Seq> take_due(const Retention& rule, const std::vector<Seq>& seqs,
                         const RetentionTurn& turn);
    Result<bool> apply_batch(const Retention& wanted, const RetentionTurn& turn, RetentionRun& run);
    Result<RetentionRun> apply_rule(const std::shared_ptr<Retention>& rule,
                                    const RetentionTurn& turn);
    /// Without publish_mutex.
    void note_run(Retention& rule, const std::function<void(Retention::Runs&)>& note_in);
    /// Those that erase first.
    std::vector<std::shared_ptr<Retention>> rules_in_turn() const;
    bool is_closing_now() const;

    // Views that read (reading_views.cpp).
    /// Their stages, each behind those that it reads.
    std::vector<Chain::Stage> reader_stages() const;
    Chain::Stage reader_stage(const OpenView& reader) const;
    /// Whether a view of this name may be what it is, by what it reads and what reads it.
    Result<void> check_reads(const std::string& name, const View& view) const;
    /// Derives a view that reads, which nobody knows of yet, from all messages. Under write_mutex.
    Result<void> build_reader(const OpenView& fresh, const ProgressFunction& progress);
    bool has_loaded_readers() const;
    /// By the next advance(): those who looked into the view are asked again.
    void wake_readers_of(ViewId view);
    /// The same, by the next one that has their code, also behind a crash: for a view that begins
    /// anew under its old id.
    Result<void> mark_readers_of(ViewId view);
    /// Whether a view that reads has its code here, and would find nothing in one that is damaged.
    bool looks_into_damage() const;
    /// By the next advance(): messages that are new to a view that reads are mapped for it.
    void wake_for_new(ViewId reader);

    // Changing (change.cpp, erase.cpp).
    enum class Wanted : std::uint8_t { live, deleted, not_erased };
    /// Any thread.
    Result<std::vector<Seq>> resolve(const Selector& selector, Wanted wanted,
                                     const Snapshot::Impl& as_of,
                                     const ProgressFunction& progress) const;
    Result<Seq> append_changes(std::span<const Change> changes);
    Result<Seq> append_change(const Change& change) {
        return append_changes(std::span(&change, 1));
    }
    Change new_change(ChangeKind kind, const ChangeOptions& change_options,
                      std::vector<Seq> seqs) const;
    Result<Changed> change(ChangeKind kind, const Selector& selector, Wanted wanted,
                           const ChangeOptions& change_options);
    /// Erases the messages and changes that `order` names, with the versions and keys that belong
    /// to them.
    Result<Changed> erase_all(Change order, const ChangeOptions& how, Patience patience = {});
    /// Does what an erase entry orders, from writing it to its receipt. Everything it names is
    /// durable. Errors: held, with nothing written, also of a message that an entry without a
    /// header takes with it.
    Result<Changed> carry_out(const Change& order, const ChangeOptions& how,
                              Patience patience = {});
    /// `patience`: with whoever has the old files, if it is not options.erase_patience.
    Result<void> finish_erasure(Seq erasure, const ProgressFunction& progress,
                                Pinned by_snapshots = Pinned::wait, Patience patience = {});
    /// Those that an earlier call did not finish, because somebody read the bytes. Errors: busy.
    Result<void> finish_owed_erasures(const ProgressFunction& progress,
                                      Pinned by_snapshots = Pinned::wait, Patience patience = {});
    /// All that there are answer Errc::ended from here on.
    void end_snapshots();
    void remember_needles(std::span<const Seq> seqs);
    void remember_needle(std::string_view bytes);

    // Looking up (read.cpp).
    std::shared_ptr<const Snapshot::Impl> snapshot() const;
    std::shared_ptr<const Snapshot::Impl> snapshot_locked() const; ///< With publish_mutex.
    /// One of which a consumer may be told (feed.cpp).
    Result<std::shared_ptr<const Snapshot::Impl>> snapshot_to_tell();
    /// Readers see something else now. With publish_mutex.
    void tell_readers();
    /// The subscriber is told the rows afresh. With publish_mutex.
    static void begin_anew(Subscriber& subscriber);
    /// Waits until readers see something else than at the moment `seen`, or the time has come.
    void wait_for_moment(std::uint64_t seen, std::chrono::steady_clock::time_point until) const;
    /// The rows that readers see. With publish_mutex.
    std::shared_ptr<const StoreSnapshot> shown_rows() const {
        return shown ? shown : store->snapshot();
    }
    /// Readers stay with what there is now until the next advance() is through.
    void pin_shown();
    /// Readers go on to what there is now. With publish_mutex.
    void show_current();
    /// Messages that have this key and are not erased, ascending.
    Result<std::vector<Seq>> seqs_of_key(const StoreSnapshot& rows, std::string_view key) const;
    KeyHash hash(std::string_view key) const { return hash_key(key, log->identity().secret); }

    // Subscribers (subscription.cpp).
    /// Before a commit: what readers see, and whose rows it is about. Null pointer if nobody asks.
    std::shared_ptr<const Snapshot::Impl> before_commit(const StoreCommit& step);
    /// Under write_mutex, when readers see `after`.
    void tell_subscribers(const std::shared_ptr<const Snapshot::Impl>& before,
                          const std::shared_ptr<const Snapshot::Impl>& after,
                          std::span<const std::shared_ptr<Subscriber>> subscribed);
    /// Subscribers whose view is another one now begin anew. With publish_mutex.
    void void_switched_views();

    Directory* root;
    Options options;
    std::unique_ptr<Directory> owned_root; // When opened by path.
    std::unique_ptr<FileLock> file_lock;
    std::unique_ptr<Directory> log_directory;
    std::unique_ptr<Directory> views_directory;
    std::unique_ptr<Log> log;
    std::unique_ptr<Directory> overlay; // Of views_directory; a reader's.
    std::unique_ptr<SegmentStore> store;
    std::optional<Catalog> catalog;

    std::mutex retention_mutex;
    std::mutex derive_mutex;
    mutable std::mutex write_mutex;
    mutable std::mutex publish_mutex;
    Ledger ledger;                        // Changed under write_mutex and publish_mutex.
    Facts facts;                          // Changed under write_mutex and publish_mutex.
    std::shared_ptr<const ViewSet> views; // Changed under write_mutex and publish_mutex.
    std::vector<OpenView> mapped;         // The views that `mapper` maps for; under write_mutex.
    std::vector<ViewId> unmapped;         // The other views; under write_mutex.
    std::optional<Mapper> mapper;         // Under write_mutex.
    Chain chain;                          // Under write_mutex.
    std::atomic<bool> is_chain_loaded{true};
    Seq chain_since;                    // As far as transforms and `mapped` have come.
    bool keys_current = true;           // The register of keys is as far as the store.
    std::optional<Worklist> unfinished; // What an interrupted advance() left.
    /// What the next advance() is to do beside what the log says.
    struct Extra {
        SeqBitmap afresh; ///< Messages to be derived as if nothing were known of them.
        std::vector<std::pair<std::size_t, SeqBitmap>> dirty; ///< Units by stage.
    } extra;
    /// What readers see while big work is under way; with publish_mutex.
    std::shared_ptr<const StoreSnapshot> shown;
    /// Set when the snapshots that have it are ended; with publish_mutex. Never null.
    std::shared_ptr<std::atomic<bool>> ended = std::make_shared<std::atomic<bool>>(false);
    std::shared_ptr<const ViewSet> shown_views;               ///< Null pointer when `shown` is.
    std::shared_ptr<const std::vector<ViewId>> shown_outputs; ///< Likewise.
    std::shared_ptr<const Derivations> shown_derivations;     ///< Likewise.
    bool keep_shown = false; ///< Beyond the next advance(). Under write_mutex.
    /// The outputs of the transforms whose rows readers see; with publish_mutex. Never null.
    std::shared_ptr<const std::vector<ViewId>> outputs = std::make_shared<std::vector<ViewId>>();
    /// Facts whose entries were found damaged: they have no value, whatever was derived with them.
    std::vector<FactId> damaged_facts;
    bool is_open = false;
    std::map<ViewId, std::uint64_t> errors_counted; // With publish_mutex.
    /// Views with their code here that serve reads while they catch up, and how far they have come.
    /// Changed under write_mutex and publish_mutex, as the next two.
    std::map<ViewId, Seq> catching_up;
    std::vector<CatalogEntry> building; // What build() is about.
    RuleSet rules;
    mutable std::condition_variable entry_added; // With publish_mutex.
    std::uint64_t moment_count = 0;              // How often readers were told; with publish_mutex.
    std::vector<std::shared_ptr<Subscriber>> subscribers; // With publish_mutex.
    std::atomic<std::size_t> subscriber_count{0};
    /// Messages whose rows were derived and are not shown yet. Under write_mutex.
    std::map<ViewId, std::vector<Seq>> derived_unseen;
    Derivations derivations; // Under write_mutex.
    /// Of the rows that readers see; with publish_mutex. Never null.
    std::shared_ptr<const Derivations> derivations_of_rows = std::make_shared<Derivations>();

    std::atomic<bool> write_failed{false};
    std::vector<std::string> notes;   // With publish_mutex.
    std::vector<SecretBytes> needles; // Under write_mutex; see verify.cpp.

    // A reader's.
    Seq changes_known;  // Up to here changes of the log are in ledger and facts. With write_mutex.
    Seq position_taken; // Of the writer's files when they were taken; with publish_mutex.
    /// SegmentStore::fingerprint() of what the store was opened on; none: that is not done.
    std::optional<std::string> files_taken;
    std::map<std::string, OpenView, std::less<>> loaded_code; // Of views; under write_mutex.
    std::shared_ptr<Pins> pins;                               // What the store has mapped.
    std::vector<std::shared_ptr<Pins>> former_pins;           // What older snapshots have mapped.
    std::string request_answered;                             // SegmentStore::request_to_end().
    std::unique_ptr<Watch> watch; // Null pointer: it looks again and again.
    Result<void> followed;        // Under write_mutex.
    std::thread follower;

    std::thread syncer;
    std::thread keeper;
    std::condition_variable closing; // With publish_mutex.
    bool is_closing = false;         // With publish_mutex.
    bool has_work_beside = false;    // With publish_mutex.
};

template <typename Write> auto Database::Impl::writing(const Write& write) -> decltype(write()) {
    if (options.read_only) {
        return Error{Errc::read_only, root->path() + " is open to read; another process may write"};
    }
    if (write_failed) {
        return Error{Errc::latched,
                     "an earlier write to " + root->path() + " failed; open it again"};
    }
    auto written = or_out_of_memory([&] {
        try {
            return write();
        } catch (...) { // Memory ran out, or a function of the caller's threw.
            abandon();
            throw;
        }
    });
    if (!written) {
        const Errc code = written.error().code;
        if (code == Errc::io || code == Errc::no_space || code == Errc::latched)
            write_failed = true;
    }
    return written;
}

struct Snapshot::Impl {
    const Database::Impl* database;
    std::shared_ptr<const StoreSnapshot> rows;
    std::shared_ptr<const ViewSet> views;
    SeqBitmap held;
    std::shared_ptr<const std::vector<ViewId>> outputs; ///< Of the transforms.
    std::shared_ptr<const Derivations> derivations;
    std::uint64_t moment = 0; ///< Of the database, when it was taken.
    std::shared_ptr<const std::atomic<bool>> ended;

    /// Errors: ended.
    Result<void> check() const;
    Result<Record> record(Seq seq) const;
    Result<Record> seen(Seq seq) const;
};

/// Of a view, an app, a rule. Errors: invalid_argument.
Result<void> check_label(const std::string& what, std::string_view name);
/// Errors: invalid_argument.
Result<ScanRange> scan_range(const ReadOptions& options);
void sort_unique(std::vector<Seq>& seqs);

} // namespace sluice
