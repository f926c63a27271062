// The change feed. What a consumer has to do follows from two things: which messages the entries
// behind its position may have changed, and what those messages are in one snapshot.
//
//   entry                                 messages that it may have changed
//   a message                             itself
//   delete, erase, restore, replace,
//   derive again                          those it names
//   any that had messages derived again   those noted with it in kRederived
//
// So each batch is computed from nothing but the position, and says what is, not what was: a
// message that several entries changed is told once, and told again when those behind the batch
// have their turn. Entries have their turn when everything was derived that they have derived: up
// to the `since` of the transforms and of the filter's view.
//
// A message whose own entry has its turn and that does not match is not told, because nobody can
// have been told of it: what made it go lies behind, and is told. FeedPosition::doubt is for when
// that is not so: the filter was another one, or rows were derived anew.
#include "base/bytes.hpp"
#include "base/try.hpp"
#include "catalog/consumer.hpp"
#include "database/impl.hpp"
#include "views/predicate.hpp"

#include <algorithm>
#include <unordered_map>

namespace sluice {

std::string_view name_of(FeedChange::Kind kind) {
    switch (kind) {
    case FeedChange::Kind::added: return "added";
    case FeedChange::Kind::changed: return "changed";
    case FeedChange::Kind::gone: return "gone";
    }
    return "unknown";
}

namespace {

using Place = FeedPosition::Place;

/// What the log says that an entry did to messages.
struct Deed {
    Seq entry;
    bool is_message = false;
    bool is_restore = false;
    std::vector<Seq> seqs; ///< Ascending.
};

Deed deed_of(const Log& log, Seq seq) {
    Deed deed;
    deed.entry = seq;
    // A damaged message shows no rows, and what a damaged change named nobody knows.
    const auto entry = log.read_back(seq);
    if (!entry) return deed;
    if (entry->kind == Log::Kind::message) {
        deed.is_message = true;
        deed.seqs = {seq};
        return deed;
    }
    if (entry->erased) return deed;
    auto change = decode_change(entry->body, seq);
    if (!change) return deed;
    switch (change->kind) {
    case ChangeKind::restore: deed.is_restore = true; [[fallthrough]];
    case ChangeKind::remove:
    case ChangeKind::erase:
    case ChangeKind::replace:
    case ChangeKind::rederive: deed.seqs = std::move(change->seqs); break;
    default: break;
    }
    return deed;
}

/// The filter's view in one snapshot.
struct FilterView {
    ViewId id;
    bool has_keys = false; ///< Whose rows' keys say something to people.
};

/// Errors: not_found; invalid_argument.
Result<std::optional<FilterView>> view_of(const ViewSet& views, const FeedFilter& filter) {
    if (filter.view.empty()) {
        if (filter.prefix == Key()) return std::optional<FilterView>();
        return Error{Errc::invalid_argument, "a prefix is of a view's keys, and no view is named"};
    }
    SLUICE_TRY_ASSIGN(const OpenView* const found, view_of_messages(views, filter.view));
    note_read(*found);
    return std::optional(FilterView{found->entry.id, kind_of(*found->view) != ViewKind::search});
}

/// Messages that were derived again, by the entry that last did so.
class Notes {
public:
    Notes(const StoreSnapshot& rows, std::string_view lead, const Place& behind, Seq up_to)
        : lead_(lead) {
        ScanRange range;
        range.from = term(behind.entry.next());
        range.to = term(up_to.next());
        if (behind.within != Seq{}) range.after = {range.from, behind.within};
        cursor_ = rows.scan(kRederived, range);
        step();
    }
    /// The next message of `entry`, which is never before one that was asked for; or none.
    std::optional<Seq> next_of(Seq entry) const {
        return !is_done_ && entry_ == entry ? std::optional(cursor_->seq()) : std::nullopt;
    }
    void pass(Seq entry, Seq seq) {
        while (next_of(entry) && *next_of(entry) <= seq) step();
    }
    bool has_more() const { return !is_done_; }
    Result<void> status() const { return cursor_->status(); }

private:
    std::string term(Seq entry) const { return lead_ + rederived_term(entry); }
    void step() {
        is_done_ = !cursor_->next();
        if (!is_done_) entry_ = {get_be(cursor_->term().substr(lead_.size()))};
    }

    std::string lead_;
    std::unique_ptr<Cursor> cursor_;
    Seq entry_;
    bool is_done_ = true;
};

/// Puts one batch together.
class Telling {
public:
    Telling(const Snapshot::Impl& snapshot, const FeedFilter& filter, const Predicate* where,
            const std::optional<FilterView>& view, const FeedLimits& limits, Deed& deed)
        : snapshot_(snapshot), rows_(*snapshot.rows), filter_(filter), where_(where), view_(view),
          limits_(limits), deed_(deed), has_transforms_(!snapshot.outputs->empty()) {
        reach_ = end();
        if (has_transforms_) reach_ = std::min(reach_, rows_.since(kRederived));
        if (view_) reach_ = std::min(reach_, rows_.since(view_->id));
    }

    /// `noted_again`: what the last entry told has noted may be more by now.
    Result<FeedBatch> tell(const FeedPosition& from, bool noted_again) {
        at_ = from;
        if (tell_doubtful() && tell_entries(noted_again)) tell_gone_ahead();
        at_.gone = std::max(at_.gone, at_.told);
        if (at_.told.entry >= at_.doubt) at_.doubt = {};
        for (const Notes& notes : notes_) SLUICE_TRY(notes.status());
        if (view_) SLUICE_TRY(rows_.status(view_->id));
        for (const ViewId output : *snapshot_.outputs) SLUICE_TRY(rows_.status(output));
        FeedBatch batch;
        batch.position = at_;
        for (Told& each : told_) {
            if (each.matches) {
                each.change.kind =
                    each.is_added ? FeedChange::Kind::added : FeedChange::Kind::changed;
            } else if (each.may_be_there) {
                each.change.kind = FeedChange::Kind::gone;
            } else {
                continue;
            }
            batch.changes.push_back(std::move(each.change));
        }
        return batch;
    }
    /// Nothing is left to tell in this snapshot, for now.
    bool is_at_end() const { return at_.told.entry >= reach_ && at_.gone.entry >= end(); }

private:
    static constexpr std::uint64_t kEntriesMax = 65536; ///< So that no snapshot is kept for long.

    struct Told {
        FeedChange change;
        bool matches = false;
        bool is_added = false;
        bool may_be_there = false; ///< The consumer may have it.
    };
    enum class Reason : std::uint8_t { own_entry, restored, other };

    Seq end() const { return rows_.position(); }
    bool is_full() const { return count_ >= limits_.changes_max || bytes_ >= limits_.bytes_max; }

    /// The log was longer, before an older copy was put back: what it had behind is no more.
    bool tell_doubtful() {
        while (at_.doubt > end()) {
            if (is_full()) return false;
            touch(at_.doubt, Reason::other);
            at_.doubt = {at_.doubt.value - 1};
        }
        return true;
    }

    /// False: the batch is full, or long enough.
    bool tell_entries(bool noted_again) {
        const bool goes_back = noted_again && at_.told.entry > Seq{};
        const Place behind = goes_back ? Place{{at_.told.entry.value - 1}, {}} : at_.told;
        if (behind.entry >= reach_) return true;
        notes_.emplace_back(rows_, "", behind, reach_);
        notes_.emplace_back(rows_, kRederivedByViews, behind, reach_);
        if (goes_back && !tell_entry(at_.told.entry, {}, /*notes_only=*/true, at_.told))
            return false;
        std::uint64_t entries = 0;
        while (at_.told.entry < reach_) {
            const Seq entry = at_.told.entry.next();
            if (!tell_entry(entry, at_.told.within, /*notes_only=*/false, at_.told)) return false;
            at_.told = {entry, {}};
            if (++entries == kEntriesMax) return false;
        }
        return true;
    }

    /// What the log says is gone, of entries that have not had their turn.
    void tell_gone_ahead() {
        at_.gone = std::max(at_.gone, at_.told);
        for (std::uint64_t entries = 0; at_.gone.entry < end() && entries < kEntriesMax;
             ++entries) {
            const Seq entry = at_.gone.entry.next();
            read_deed(entry);
            for (const Seq seq : deed_.is_message ? std::vector<Seq>() : deed_.seqs) {
                if (seq <= at_.gone.within) continue;
                if (is_full()) return;
                if (!matches(seq)) touch(seq, Reason::other);
                at_.gone.within = seq;
            }
            at_.gone = {entry, {}};
        }
    }

    /// Messages of `entry` behind `behind`. False, and `place` is between two of them: the batch is
    /// full.
    bool tell_entry(Seq entry, Seq behind, bool notes_only, Place& place) {
        read_deed(entry);
        auto named = notes_only ? deed_.seqs.end()
                                : std::upper_bound(deed_.seqs.begin(), deed_.seqs.end(), behind);
        for (;;) {
            std::optional<Seq> next;
            const auto offer = [&](Seq seq) { next = next ? std::min(*next, seq) : seq; };
            const bool is_named_left = named != deed_.seqs.end();
            if (is_named_left) offer(*named);
            for (const Notes& notes : notes_) {
                if (const auto noted = notes.next_of(entry)) offer(*noted);
            }
            if (!next) return true;
            if (is_full()) {
                place = {{entry.value - 1}, behind};
                return false;
            }
            Reason reason = Reason::other;
            bool is_noted = false;
            for (Notes& notes : notes_) {
                is_noted = is_noted || notes.next_of(entry) == *next;
                notes.pass(entry, *next);
            }
            if (is_named_left && *named == *next) {
                if (deed_.is_restore) reason = Reason::restored;
                if (deed_.is_message) reason = Reason::own_entry;
                ++named;
            }
            touch(*next, reason);
            if (is_noted) touch(*next, Reason::other);
            behind = *next;
        }
    }

    /// A change of many messages is read for many batches.
    void read_deed(Seq entry) {
        if (deed_.entry != entry) deed_ = deed_of(*snapshot_.database->log, entry);
    }

    void touch(Seq seq, Reason reason) {
        const auto [known, is_new] = places_.emplace(seq.value, told_.size());
        if (is_new) {
            Told fresh;
            fresh.change.seq = seq;
            fresh.matches = look_up(seq, fresh.change);
            bytes_ += fresh.change.body.size();
            count_ += fresh.matches ? 1 : 0;
            told_.push_back(std::move(fresh));
        }
        Told& told = told_[known->second];
        if (reason != Reason::other) told.is_added = true;
        if (told.may_be_there || (reason == Reason::own_entry && seq > at_.doubt)) return;
        told.may_be_there = true;
        count_ += told.matches ? 0 : 1;
    }

    bool matches(Seq seq) const {
        FeedChange ignored;
        return look_up(seq, ignored);
    }

    /// What the snapshot shows of a message; false if the filter does not take it.
    bool look_up(Seq seq, FeedChange& change) const {
        if (seq > end() || rows_.gone().deleted.contains(seq) || is_waiting(seq)) return false;
        if (view_) {
            bool is_in_view = false;
            for (const auto& emission : rows_.row(view_->id, seq)) {
                if (!emission.term.starts_with(filter_.prefix.encoded())) continue;
                is_in_view = true;
                if (view_->has_keys)
                    change.rows.push_back(Key::from_encoded(emission.term).value());
            }
            if (!is_in_view) return false;
        }
        auto record = snapshot_.seen(seq);
        // Damaged, or erased by now: views show it no more either.
        if (!record || record->state != Record::State::live || record->hidden ||
            (where_ != nullptr && !where_->matches_body(record->body))) {
            change.rows.clear();
            return false;
        }
        change.key = std::move(record->key);
        change.body = std::move(record->body);
        return true;
    }

    /// Nobody knows what it says before the code of the transforms is here.
    bool is_waiting(Seq seq) const {
        if (!has_transforms_) return false;
        const auto pending = rows_.row(kPending, seq);
        return std::any_of(pending.begin(), pending.end(),
                           [](const auto& each) { return each.term == kPendingTerm; });
    }

    const Snapshot::Impl& snapshot_;
    const StoreSnapshot& rows_;
    const FeedFilter& filter_;
    const Predicate* where_;
    const std::optional<FilterView>& view_;
    const FeedLimits& limits_;
    Deed& deed_;
    bool has_transforms_;
    Seq reach_; ///< The last entry that has its turn.
    FeedPosition at_;
    std::vector<Notes> notes_;
    std::vector<Told> told_;
    std::unordered_map<std::uint64_t, std::size_t> places_; ///< In `told_`, by seq.
    std::size_t count_ = 0;                                 ///< Of those to be told.
    std::uint64_t bytes_ = 0;
};

} // namespace

struct Feed::Impl {
    Impl(Database::Impl& the_database, FeedFilter the_filter)
        : database(&the_database), filter(std::move(the_filter)) {}

    /// `at`, as far as it means something in this snapshot.
    FeedPosition found_in(const Snapshot::Impl& snapshot,
                          const std::optional<FilterView>& view) const;
    Result<FeedBatch> next(std::chrono::milliseconds patience, const FeedLimits& limits);

    Database::Impl* database;
    FeedFilter filter;
    std::optional<Predicate> where;
    std::string name; ///< Empty: nobody's.
    std::unique_ptr<FileLock> lock;
    std::optional<Consumer> kept;
    FeedPosition at;
    std::shared_ptr<const ViewSet> views; ///< Of the last batch; null before the first.
    Deed deed;
};

FeedPosition Feed::Impl::found_in(const Snapshot::Impl& snapshot,
                                  const std::optional<FilterView>& view) const {
    FeedPosition found = at;
    const Seq end = snapshot.rows->position();
    const std::uint32_t view_number = view ? view->id.value : 0;
    std::optional<Seq> behind = snapshot.derivations->behind_since(at.derivation);
    if (at.view != view_number || at.told.entry > end) behind = Seq{};
    if (!behind) return found;
    found.derivation = snapshot.derivations->last();
    found.view = view_number;
    // Whatever was told, acknowledged or not, was told of messages up to here.
    found.doubt = std::max({found.doubt, at.told.entry, at.gone.entry, end});
    found.told = std::min(found.told, Place{*behind, {}});
    found.gone = std::min(found.gone, std::max(found.told, Place{end, {}}));
    return found;
}

namespace {

bool has_notes_behind(const StoreSnapshot& rows, Seq position) {
    for (const std::string_view lead : {std::string_view(), kRederivedByViews}) {
        const Notes notes(rows, lead, {position, {}}, rows.position());
        if (notes.has_more()) return true;
    }
    return false;
}

} // namespace

/// A crash takes the rows that are in no file, and with them the notes of who was derived again by
/// what: nobody could tell then whose derivation, told already, has gone meanwhile.
Result<std::shared_ptr<const Snapshot::Impl>> Database::Impl::snapshot_to_tell() {
    auto now = snapshot();
    if (!has_notes_behind(*now->rows, store->saved_position())) return now;
    now.reset(); // An erasure may wait for it.
    return writing([&]() -> Result<std::shared_ptr<const Snapshot::Impl>> {
        const std::lock_guard lock(write_mutex);
        SLUICE_TRY(store->save());
        return snapshot();
    });
}

Result<FeedBatch> Feed::Impl::next(std::chrono::milliseconds patience, const FeedLimits& limits) {
    const auto until = std::chrono::steady_clock::now() + patience;
    for (;;) {
        SLUICE_TRY_ASSIGN(const auto snapshot, database->snapshot_to_tell());
        SLUICE_TRY_ASSIGN(const auto view, view_of(*snapshot->views, filter));
        const FeedPosition from = found_in(*snapshot, view);
        Telling telling(*snapshot, filter, where ? &*where : nullptr, view, limits, deed);
        // Views can be others, and what they note with them, without an entry that says so.
        SLUICE_TRY_ASSIGN(FeedBatch batch, telling.tell(from, views != snapshot->views));
        if (!snapshot->check()) continue; // Ended under way: it looks as if all were gone.
        // What a power cut takes back must not have been told.
        if (!batch.changes.empty()) {
            SLUICE_TRY(database->log->sync_up_to(snapshot->rows->position()));
        }
        at = batch.position;
        views = snapshot->views;
        const bool is_late = std::chrono::steady_clock::now() >= until;
        if (!batch.changes.empty() || (telling.is_at_end() && is_late)) return batch;
        if (telling.is_at_end()) database->wait_for_moment(snapshot->moment, until);
    }
}

Feed::Feed(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Feed::Feed(Feed&&) noexcept = default;
Feed& Feed::operator=(Feed&&) noexcept = default;
Feed::~Feed() = default;

Result<FeedBatch> Feed::next(std::chrono::milliseconds patience, const FeedLimits& limits) {
    return impl_->next(patience, limits);
}

const FeedPosition& Feed::position() const {
    return impl_->at;
}

Result<void> Feed::acknowledge() {
    Impl& feed = *impl_;
    if (feed.name.empty()) return {};
    Consumer consumer{feed.at, feed.filter};
    if (feed.kept == consumer) return {};
    SLUICE_TRY(consumers::save(*feed.database->log_directory, feed.name, consumer));
    feed.kept = std::move(consumer);
    return {};
}

Result<Feed> Database::feed(const FeedFilter& filter, const FeedStart& start) const {
    // What a reader derives for itself has no notes of which entry had it derived again.
    if (impl_->options.read_only) {
        return Error{Errc::read_only, "a feed is told by the process that writes"};
    }
    auto feed = std::make_unique<Feed::Impl>(*impl_, filter);
    if (!filter.where.empty()) {
        SLUICE_TRY_ASSIGN(Predicate where, Predicate::parse(filter.where));
        feed->where = std::move(where);
    }
    const auto snapshot = impl_->snapshot();
    SLUICE_TRY_ASSIGN(const auto view, view_of(*snapshot->views, filter));
    if (start.at == FeedStart::At::position) {
        feed->at = start.position;
        return Feed(std::move(feed));
    }
    feed->at.derivation = snapshot->derivations->last();
    if (view) feed->at.view = view->id.value;
    if (start.at == FeedStart::At::now) feed->at.told.entry = snapshot->rows->position();
    if (const Seq end = snapshot->rows->position();
        start.at == FeedStart::At::entry && start.entry > end.next()) {
        return Error{Errc::invalid_argument,
                     "there is no entry " + std::to_string(start.entry.value) +
                         " to begin at; the last one is " + std::to_string(end.value)};
    }
    if (start.at == FeedStart::At::entry && start.entry > Seq{}) {
        feed->at.told.entry = {start.entry.value - 1};
    }
    feed->at.gone = feed->at.told;
    feed->views = snapshot->views;
    return Feed(std::move(feed));
}

Result<Feed> Database::consumer(const std::string& name, const std::optional<FeedFilter>& filter,
                                const std::optional<FeedStart>& start) const {
    SLUICE_TRY(consumers::check_name(name));
    Directory& directory = *impl_->log_directory;
    SLUICE_TRY_ASSIGN(auto lock, consumers::lock(directory, name));
    SLUICE_TRY_ASSIGN(auto kept, consumers::load(directory, name));
    const FeedFilter wanted = filter ? *filter : kept ? kept->filter : FeedFilter();
    FeedStart from = start.value_or(FeedStart());
    if (kept && !start) {
        from.at = FeedStart::At::position;
        from.position = kept->position;
        // No view has this number: it begins anew, in doubt about all that the other one took.
        if (kept->filter != wanted) from.position.view = ~std::uint32_t{0};
    }
    SLUICE_TRY_ASSIGN(Feed feed, this->feed(wanted, from));
    feed.impl_->name = name;
    feed.impl_->lock = std::move(lock);
    feed.impl_->kept = std::move(kept);
    // Told by this filter, with nothing acknowledged, it may come back with another one, and has to
    // be told what that one does not take.
    if (!feed.impl_->kept || feed.impl_->kept->filter != wanted) SLUICE_TRY(feed.acknowledge());
    return feed;
}

Result<std::vector<ConsumerInfo>> Database::consumers() const {
    Directory& directory = *impl_->log_directory;
    const Seq end = last();
    SLUICE_TRY_ASSIGN(const auto names, consumers::list(directory));
    std::vector<ConsumerInfo> infos;
    for (const std::string& name : names) {
        const auto loaded = consumers::load(directory, name);
        ConsumerInfo info;
        info.name = name;
        if (!loaded && loaded.error().code != Errc::corrupt) return loaded.error();
        info.is_readable = loaded.has_value();
        if (loaded && !*loaded) continue; // Dropped meanwhile.
        if (loaded) {
            info.position = (*loaded)->position;
            info.filter = (*loaded)->filter;
        }
        info.lag = end.value - std::min(end, info.position.told.entry).value;
        infos.push_back(std::move(info));
    }
    return infos;
}

Result<void> Database::drop_consumer(const std::string& name) const {
    SLUICE_TRY(consumers::check_name(name));
    Directory& directory = *impl_->log_directory;
    SLUICE_TRY_ASSIGN(const auto names, consumers::list(directory));
    if (std::find(names.begin(), names.end(), name) == names.end()) {
        return Error{Errc::not_found, "there is no consumer " + name};
    }
    SLUICE_TRY_ASSIGN(const auto lock, consumers::lock(directory, name));
    return consumers::remove(directory, name);
}

} // namespace sluice
