// Live differences. The writer looks up, for each commit and subscriber, the rows of the messages
// concerned as they were and as they are: messages whose rows the commit brings or takes, and those
// that the two sets of what is gone do not share. What it finds waits in the subscriber's queue, as
// keys and seqs: a queue of snapshots would hold files against every erasure.
//
// A subscriber whose queue is void takes a snapshot and reads it. It and the queue fit together
// because both are taken with publish_mutex, and because each knows its moment.
#include "base/try.hpp"
#include "database/impl.hpp"

#include <algorithm>
#include <deque>
#include <iterator>
#include <set>
#include <tuple>

namespace sluice {

/// Locked behind publish_mutex.
struct Subscriber {
    std::string view;
    ReadOptions options;
    ScanRange range;
    std::size_t rows_waiting_max = 0;

    std::mutex mutex; ///< Guards all below.
    std::condition_variable came;
    bool is_void = true;         ///< What was told, and what waits, is not to go on with.
    bool is_from_pinned = false; ///< Its rows were read while others were being derived.
    ViewId id;
    std::uint64_t moment = 0; ///< As of which it was read, or told last.
    std::deque<Difference> waiting;
    std::size_t rows_waiting = 0;

    /// With the mutex.
    void begin_anew() {
        is_void = true;
        waiting.clear();
        rows_waiting = 0;
        came.notify_all();
    }
};

namespace {

std::optional<ViewId> shown_id(const ViewSet& views, std::string_view name) {
    const auto found = views.find(name);
    return found == views.end() ? std::nullopt : std::optional(found->second.entry.id);
}

bool is_in(const ScanRange& range, std::string_view term) {
    return term >= range.from && (!range.to || term < *range.to);
}

/// The live terms in the range that a message gave.
std::set<std::string> terms_of(const StoreSnapshot& rows, ViewId view, Seq seq,
                               const ScanRange& range) {
    std::set<std::string> terms;
    if (rows.gone().deleted.contains(seq)) return terms;
    for (const auto& emission : rows.row(view, seq)) {
        if (is_in(range, emission.term)) terms.emplace(emission.term);
    }
    return terms;
}

void order(std::vector<ViewRow>& rows) {
    std::sort(rows.begin(), rows.end(), [](const ViewRow& a, const ViewRow& b) {
        return std::tie(a.key, a.seq) < std::tie(b.key, b.seq);
    });
}

Result<std::vector<ViewRow>> read_all(ViewCursor cursor) {
    std::vector<ViewRow> rows;
    while (cursor.next()) rows.push_back({cursor.key(), cursor.seq(), cursor.value()});
    SLUICE_TRY(cursor.status());
    return rows;
}

/// Messages that a commit concerns.
struct Concerned {
    std::vector<Seq> derived; ///< Their rows in the view were. Ascending.
    std::vector<Seq> turned;  ///< Gone, and not so before, or the other way round. Ascending.
};

Result<void> add_rows(const Concerned& concerned, const Subscriber& subscriber,
                      const StoreSnapshot& before, const StoreSnapshot& after, Difference& into) {
    std::vector<Seq> seqs;
    std::ranges::set_union(concerned.derived, concerned.turned, std::back_inserter(seqs));
    const auto add = [&](std::vector<ViewRow>& told, const StoreSnapshot& rows) {
        for (const Seq seq : seqs) {
            for (const std::string& term : terms_of(rows, subscriber.id, seq, subscriber.range)) {
                told.push_back({Key::from_encoded(term).value(), seq, {}});
            }
        }
        return rows.status(subscriber.id);
    };
    SLUICE_TRY(add(into.gone, before));
    return add(into.added, after);
}

} // namespace

std::shared_ptr<const Snapshot::Impl> Database::Impl::before_commit(const StoreCommit& step) {
    if (subscriber_count == 0) {
        derived_unseen.clear();
        return nullptr;
    }
    for (const StoreCommit::Rows& rows : step.rows) {
        std::vector<Seq>& seqs = derived_unseen[rows.view];
        seqs.insert(seqs.end(), rows.retract.begin(), rows.retract.end());
        for (const RowBatch::Row& row : rows.batch.rows()) seqs.push_back(row.seq);
    }
    return snapshot();
}

void Database::Impl::tell_subscribers(const std::shared_ptr<const Snapshot::Impl>& before,
                                      const std::shared_ptr<const Snapshot::Impl>& after,
                                      std::span<const std::shared_ptr<Subscriber>> subscribed) {
    auto derived = std::exchange(derived_unseen, {});
    for (auto& [view, seqs] : derived) sort_unique(seqs);
    std::vector<Seq> turned;
    bool is_any_erased = false;
    if (before) {
        const Gone &old = before->rows->gone(), &now = after->rows->gone();
        SeqBitmap::for_each_difference(old.deleted, now.deleted,
                                       [&](Seq seq) { turned.push_back(seq); });
        is_any_erased = old.erased.size() != now.erased.size();
    }
    for (const std::shared_ptr<Subscriber>& each : subscribed) {
        const std::lock_guard lock(each->mutex);
        if (each->is_void || each->moment >= after->moment) continue;
        // Nobody looked before the commit, or its rows were read between two parts of one; its view
        // is another one now; or what waits may be of what is erased.
        if (!before || std::exchange(each->is_from_pinned, false) ||
            shown_id(*after->views, each->view) != each->id ||
            (is_any_erased && !each->waiting.empty())) {
            each->begin_anew();
            continue;
        }
        each->moment = after->moment;
        const Concerned concerned{derived[each->id], turned};
        if (concerned.derived.empty() && turned.empty()) continue;
        Difference difference;
        difference.at = after->rows->position();
        const auto add = [&]() -> Result<void> {
            const View& view = *after->views->find(each->view)->second.view;
            if (shows_rows(kind_of(view))) {
                return add_rows(concerned, *each, *before->rows, *after->rows, difference);
            }
            std::set<std::string> terms;
            for (const auto* const seqs : {&concerned.derived, &concerned.turned}) {
                for (const Seq seq : *seqs) {
                    terms.merge(terms_of(*before->rows, each->id, seq, each->range));
                    terms.merge(terms_of(*after->rows, each->id, seq, each->range));
                }
            }
            for (const std::string& term : terms) {
                const ReadOptions group{.exact = Key::from_encoded(term).value()};
                const auto answer = [&](const std::shared_ptr<const Snapshot::Impl>& snapshot)
                    -> Result<std::vector<ViewRow>> {
                    SLUICE_TRY_ASSIGN(ViewCursor cursor,
                                      Snapshot(snapshot).read(each->view, group));
                    return read_all(std::move(cursor));
                };
                SLUICE_TRY_ASSIGN(const auto old, answer(before));
                SLUICE_TRY_ASSIGN(const auto now, answer(after));
                if (old == now) continue;
                difference.gone.insert(difference.gone.end(), old.begin(), old.end());
                difference.added.insert(difference.added.end(), now.begin(), now.end());
            }
            return {};
        };
        // Reading all of it will say what is wrong.
        if (!add()) {
            each->begin_anew();
            continue;
        }
        const std::size_t rows = difference.gone.size() + difference.added.size();
        if (rows == 0) continue;
        order(difference.gone);
        order(difference.added);
        each->rows_waiting += rows;
        if (each->rows_waiting > each->rows_waiting_max) {
            each->begin_anew();
            continue;
        }
        each->waiting.push_back(std::move(difference));
        each->came.notify_all();
    }
}

void Database::Impl::void_switched_views() {
    if (shown) return;
    for (const std::shared_ptr<Subscriber>& each : subscribers) {
        const std::lock_guard lock(each->mutex);
        if (!each->is_void && shown_id(*views, each->view) != each->id) each->begin_anew();
    }
}

// Subscription

void Database::Impl::begin_anew(Subscriber& subscriber) {
    const std::lock_guard lock(subscriber.mutex);
    subscriber.begin_anew();
}

struct Subscription::Impl {
    Impl(Database::Impl& the_database, std::shared_ptr<Subscriber> the_subscriber)
        : database(&the_database), subscriber(std::move(the_subscriber)) {}
    ~Impl() {
        const std::lock_guard lock(database->publish_mutex);
        std::erase(database->subscribers, subscriber);
        database->subscriber_count = database->subscribers.size();
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    Database::Impl* database;
    std::shared_ptr<Subscriber> subscriber;
};

Subscription::Subscription(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Subscription::Subscription(Subscription&&) noexcept = default;
Subscription& Subscription::operator=(Subscription&&) noexcept = default;
Subscription::~Subscription() = default;

Result<Subscription> Database::subscribe(const std::string& view, const ReadOptions& range,
                                         const SubscribeOptions& options) const {
    if (range.reverse || range.limit != ReadOptions().limit || !range.after.empty()) {
        return Error{Errc::invalid_argument,
                     "a subscription has no limit, no direction and no place to go on from"};
    }
    auto subscriber = std::make_shared<Subscriber>();
    SLUICE_TRY_ASSIGN(subscriber->range, scan_range(range));
    SLUICE_TRY(snapshot().read(view, range)); // What is wrong with the view is said now.
    subscriber->view = view;
    subscriber->options = range;
    subscriber->rows_waiting_max = options.rows_waiting_max;
    {
        const std::lock_guard lock(impl_->publish_mutex);
        impl_->subscribers.push_back(subscriber);
        impl_->subscriber_count = impl_->subscribers.size();
    }
    return Subscription(std::make_unique<Subscription::Impl>(*impl_, std::move(subscriber)));
}

Result<std::optional<Difference>> Subscription::next(std::chrono::milliseconds patience) {
    Subscriber& subscriber = *impl_->subscriber;
    const auto until = std::chrono::steady_clock::now() + patience;
    {
        std::unique_lock lock(subscriber.mutex);
        subscriber.came.wait_until(
            lock, until, [&] { return subscriber.is_void || !subscriber.waiting.empty(); });
        if (!subscriber.is_void && subscriber.waiting.empty()) return std::optional<Difference>();
        if (!subscriber.is_void) {
            Difference difference = std::move(subscriber.waiting.front());
            subscriber.waiting.pop_front();
            subscriber.rows_waiting -= difference.gone.size() + difference.added.size();
            return std::optional(std::move(difference));
        }
    }
    std::shared_ptr<const Snapshot::Impl> snapshot;
    {
        const std::lock_guard publish_lock(impl_->database->publish_mutex);
        const std::lock_guard lock(subscriber.mutex);
        snapshot = impl_->database->snapshot_locked();
        const auto id = shown_id(*snapshot->views, subscriber.view);
        if (!id) return Error{Errc::not_found, "there is no view " + subscriber.view};
        subscriber.id = *id;
        subscriber.moment = snapshot->moment;
        subscriber.is_from_pinned = impl_->database->shown != nullptr;
        subscriber.is_void = false;
    }
    Difference all;
    all.at = snapshot->rows->position();
    all.is_fresh = true;
    const auto read = [&]() -> Result<std::vector<ViewRow>> {
        SLUICE_TRY_ASSIGN(ViewCursor cursor,
                          Snapshot(snapshot).read(subscriber.view, subscriber.options));
        return read_all(std::move(cursor));
    };
    auto rows = read();
    if (!rows) {
        const std::lock_guard lock(subscriber.mutex);
        subscriber.begin_anew();
        return rows.error();
    }
    all.added = *std::move(rows);
    return std::optional(std::move(all));
}

} // namespace sluice
