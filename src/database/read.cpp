// Reading: snapshots, and the cursors over log and views that belong to them.
#include "base/bytes.hpp"
#include "base/try.hpp"
#include "database/impl.hpp"
#include "views/fold.hpp"

#include <algorithm>

namespace sluice {
namespace {

std::string describe(const Change& change) {
    std::string line(name_of(change.kind));
    if (change.kind == ChangeKind::receipt) {
        line += " for the erasure at " + std::to_string(change.receipt.erasure.value);
    } else if (change.kind == ChangeKind::import_mark) {
        line += " up to byte " + std::to_string(change.source_offset);
    } else if (change.kind == ChangeKind::put_fact || change.kind == ChangeKind::drop_fact) {
        line += " in " + change.collection;
    } else if (change.kind == ChangeKind::transforms) {
        line += " derive anew from here on";
    } else if (change.seqs.empty() && !change.replacements.empty()) {
        line += " a fact";
    } else if (change.seqs.size() == 1) {
        line += " " + std::to_string(change.seqs.front().value);
    } else {
        line += " " + std::to_string(change.seqs.size()) + " messages";
    }
    if (!change.reason.empty()) line += ": " + change.reason;
    return line;
}

} // namespace

std::string_view name_of(Record::State state) {
    switch (state) {
    case Record::State::live: return "live";
    case Record::State::deleted: return "deleted";
    case Record::State::erased: return "erased";
    case Record::State::change: return "change";
    }
    return "unknown";
}

// Snapshot

std::shared_ptr<const Snapshot::Impl> Database::Impl::snapshot() const {
    const std::lock_guard lock(publish_mutex);
    return snapshot_locked();
}

std::shared_ptr<const Snapshot::Impl> Database::Impl::snapshot_locked() const {
    return std::make_shared<Snapshot::Impl>(
        Snapshot::Impl{this, shown_rows(), shown ? shown_views : views, ledger.held(),
                       shown ? shown_outputs : outputs,
                       shown ? shown_derivations : derivations_of_rows, moment_count, ended});
}

void Database::Impl::tell_readers() {
    ++moment_count;
    entry_added.notify_all();
}

void Database::Impl::wait_for_moment(std::uint64_t seen,
                                     std::chrono::steady_clock::time_point until) const {
    std::unique_lock lock(publish_mutex);
    entry_added.wait_until(lock, until, [&] { return moment_count != seen; });
}

void Database::Impl::pin_shown() {
    const std::lock_guard lock(publish_mutex);
    if (shown) return;
    shown = store->snapshot();
    shown_views = views;
    shown_outputs = outputs;
    shown_derivations = derivations_of_rows;
}

void Database::Impl::show_current() {
    shown.reset();
    shown_views.reset();
    shown_outputs.reset();
    shown_derivations.reset();
}

Snapshot Database::snapshot() const {
    return Snapshot(impl_->snapshot());
}

Seq Database::last() const {
    return impl_->snapshot()->rows->position();
}

Seq Database::wait_for_entry(Seq seen, std::chrono::milliseconds patience) const {
    std::unique_lock lock(impl_->publish_mutex);
    Seq last = seen;
    impl_->entry_added.wait_for(lock, patience, [&] {
        last = std::max(seen, impl_->shown_rows()->position());
        return last > seen;
    });
    return last;
}

Snapshot::Snapshot(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

Seq Snapshot::position() const {
    return impl_->rows->position();
}

Result<void> Snapshot::Impl::check() const {
    if (!*ended) return {};
    return Error{Errc::ended, "the snapshot was ended by an erasure that did not wait for it"};
}

Result<Record> Snapshot::Impl::record(Seq seq) const {
    SLUICE_TRY(check());
    if (seq == Seq{} || seq > rows->position()) {
        return Error{Errc::not_found, "there is no entry " + std::to_string(seq.value) +
                                          "; the last one is " +
                                          std::to_string(rows->position().value)};
    }
    Record record;
    record.seq = seq;
    const Log& log = *database->log;
    const auto erased = [&] {
        record = {};
        record.seq = seq;
        record.state = Record::State::erased;
        return record;
    };
    if (rows->gone().erased.contains(seq)) return erased();
    SLUICE_TRY_ASSIGN(const Log::Entry entry, log.read(seq));
    if (entry.kind == Log::Kind::change) {
        record.state = Record::State::change;
        // The bytes of a replacement go with the message they belonged to.
        SLUICE_TRY_ASSIGN(const auto change, database->change_of(entry, seq));
        record.change = change ? describe(*change) : "replace, erased";
        return record;
    }
    // Erased behind this snapshot's back: its bytes are gone for everybody.
    if (entry.erased) return erased();
    const bool is_live = !rows->gone().deleted.contains(seq);
    record.state = is_live ? Record::State::live : Record::State::deleted;
    record.key = entry.key;
    record.held = held.contains(seq);
    const Seq version = database->ledger.version_at(seq, rows->position());
    record.replaced = version != seq;
    if (is_live) {
        SLUICE_TRY_ASSIGN(const Log::Entry message, database->latest(seq, rows->position()));
        if (message.erased) return erased();
        record.body = message.body;
    }
    // The bytes were copied from a map that an erasure may have overwritten meanwhile. If it did,
    // the entry no longer checks.
    const auto is_whole = [&](Seq at) {
        const auto again = log.read(at);
        return again && !again->erased;
    };
    if (!is_whole(seq) || (record.replaced && is_live && !is_whole(version))) return erased();
    return record;
}

Result<Record> Snapshot::get(Seq seq) const {
    return impl_->record(seq);
}

Result<Record> Snapshot::Impl::seen(Seq seq) const {
    SLUICE_TRY_ASSIGN(Record record, this->record(seq));
    if (record.state != Record::State::live) return record;
    const Made made = made_of(seq, *rows, *outputs);
    for (const ViewId output : *outputs) SLUICE_TRY(rows->status(output));
    record.hidden = !made.is_shown();
    record.transformed = made.kind == Made::Kind::body;
    if (record.transformed) record.body = made.body;
    return record;
}

Result<Record> Snapshot::seen(Seq seq) const {
    return impl_->seen(seq);
}

Result<Record> Snapshot::get(std::string_view key) const {
    SLUICE_TRY(impl_->check());
    SLUICE_TRY_ASSIGN(const std::vector<Seq> seqs, impl_->database->seqs_of_key(*impl_->rows, key));
    // A live one before a deleted one, a newer one before an older.
    const auto live = std::find_if(seqs.rbegin(), seqs.rend(), [&](Seq seq) {
        return !impl_->rows->gone().deleted.contains(seq);
    });
    if (live != seqs.rend()) return impl_->record(*live);
    if (!seqs.empty()) return impl_->record(seqs.back());
    return Error{Errc::not_found, "no message has this key"};
}

// The log

struct LogCursor::Impl {
    std::shared_ptr<const Snapshot::Impl> snapshot;
    LogRange range;
    Seq next; // 0: at the end.
    Seq last_wanted;
};

LogCursor::LogCursor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LogCursor::LogCursor(LogCursor&&) noexcept = default;
LogCursor& LogCursor::operator=(LogCursor&&) noexcept = default;
LogCursor::~LogCursor() = default;

LogCursor Snapshot::log(const LogRange& range) const {
    const Seq end = impl_->rows->position();
    auto cursor = std::make_unique<LogCursor::Impl>(LogCursor::Impl{impl_, range, {}, {}});
    if (range.reverse) {
        const Seq from = range.from == Seq{} ? end : std::min(range.from, end);
        cursor->last_wanted = std::max(range.to.value_or(Seq{1}), Seq{1});
        cursor->next = from >= cursor->last_wanted ? from : Seq{};
    } else {
        cursor->last_wanted = std::min(range.to.value_or(end), end);
        cursor->next = std::max(range.from, Seq{1});
        if (cursor->next > cursor->last_wanted) cursor->next = {};
    }
    return LogCursor(std::move(cursor));
}

Result<std::optional<Record>> LogCursor::next() {
    Impl& at = *impl_;
    SLUICE_TRY(at.snapshot->check());
    while (at.next != Seq{}) {
        const Seq seq = at.next;
        at.next = seq == at.last_wanted ? Seq{}
                  : at.range.reverse    ? Seq{seq.value - 1}
                                        : seq.next();
        if (!at.range.include_changes && at.snapshot->rows->gone().deleted.contains(seq)) continue;
        auto record = at.range.seen ? at.snapshot->seen(seq) : at.snapshot->record(seq);
        if (!record) return record.error();
        if (record->state != Record::State::live && !at.range.include_changes) continue;
        return std::optional<Record>(std::move(*record));
    }
    return std::optional<Record>();
}

// Views

struct ViewCursor::Impl {
    std::shared_ptr<const Snapshot::Impl> snapshot;
    std::shared_ptr<const View> view;
    ViewId id;
    std::unique_ptr<Cursor> rows;        // Of a view that shows rows.
    std::unique_ptr<GroupCursor> groups; // Of an aggregate or a fold.
    mutable Result<void> folding;        // Whether the answers so far could be read.
    std::uint64_t left;
};

ViewCursor::ViewCursor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ViewCursor::ViewCursor(ViewCursor&&) noexcept = default;
ViewCursor& ViewCursor::operator=(ViewCursor&&) noexcept = default;
ViewCursor::~ViewCursor() = default;

namespace {

/// A position is the seq, then the key's encoding, in hexadecimal so that it passes through shells
/// and JSON.
std::string encode_position(Seq seq, std::string_view term) {
    std::string raw;
    append_varint(raw, seq.value);
    raw += term;
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (const char c : raw) {
        const auto byte = static_cast<unsigned char>(c);
        text.push_back(kDigits[byte >> 4]);
        text.push_back(kDigits[byte & 15]);
    }
    return text;
}

std::optional<ScanRange::After> decode_position(std::string_view text) {
    const auto digit = [](char c) {
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    };
    if (text.size() % 2 != 0) return std::nullopt;
    std::string raw;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = digit(text[i]), low = digit(text[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        raw.push_back(static_cast<char>(high * 16 + low));
    }
    ByteReader from(raw);
    const Seq seq{from.varint()};
    if (!from.ok()) return std::nullopt;
    return ScanRange::After{std::string(from.rest()), seq};
}

} // namespace

Result<ScanRange> scan_range(const ReadOptions& options) {
    ScanRange range;
    if (options.prefix) range = ScanRange::with_prefix(options.prefix->encoded());
    if (options.exact) {
        if (options.prefix || options.from || options.to) {
            return Error{Errc::invalid_argument, "an exact key leaves no room for other bounds"};
        }
        range = ScanRange::exact(options.exact->encoded());
    }
    if (options.from) range.from = std::max(range.from, options.from->encoded());
    if (options.to && (!range.to || options.to->encoded() < *range.to)) {
        range.to = options.to->encoded();
    }
    range.reverse = options.reverse;
    if (!options.after.empty()) {
        range.after = decode_position(options.after);
        if (!range.after) {
            return Error{Errc::invalid_argument, "`after` is not a position of an earlier read"};
        }
    }
    return range;
}

Result<ViewCursor> Snapshot::read(std::string_view view, const ReadOptions& options) const {
    SLUICE_TRY(impl_->check());
    SLUICE_TRY_ASSIGN(const OpenView* const found, known_view(*impl_->views, view));
    SLUICE_TRY_ASSIGN(const ScanRange range, scan_range(options));
    const ViewId id = found->entry.id;
    const ViewKind kind = kind_of(*found->view);
    if (kind == ViewKind::fold && fold_of(*found->view) == nullptr) {
        return Error{Errc::invalid_argument,
                     "the code that folds view " + std::string(view) + " is not loaded"};
    }
    note_read(*found);
    auto cursor = std::make_unique<ViewCursor::Impl>(
        ViewCursor::Impl{impl_, found->view, id, nullptr, nullptr, {}, options.limit});
    if (shows_rows(kind)) {
        cursor->rows = impl_->rows->scan(id, range);
    } else {
        cursor->groups = impl_->rows->groups(id, range);
    }
    return ViewCursor(std::move(cursor));
}

bool ViewCursor::next() {
    if (impl_->left == 0 || *impl_->snapshot->ended) return false;
    --impl_->left;
    return impl_->rows ? impl_->rows->next() : impl_->groups->next();
}

std::string_view ViewCursor::encoded_key() const {
    return impl_->rows ? impl_->rows->term() : impl_->groups->term();
}

Result<void> ViewCursor::status() const {
    SLUICE_TRY(impl_->snapshot->check());
    if (!impl_->folding) return impl_->folding;
    return impl_->rows ? impl_->rows->status() : impl_->groups->status();
}

Key ViewCursor::key() const {
    // The store checked its bytes, and only the mapper makes terms.
    return Key::from_encoded(encoded_key()).value();
}

Seq ViewCursor::seq() const {
    return impl_->rows ? impl_->rows->seq() : Seq{};
}

std::string ViewCursor::value() const {
    if (impl_->rows) return {};
    if (kind_of(*impl_->view) == ViewKind::fold) {
        const auto answer = fold_answer(*fold_of(*impl_->view), impl_->groups->partial(), [&] {
            return impl_->snapshot->rows->scan(impl_->id, ScanRange::exact(impl_->groups->term()));
        });
        if (answer) return *answer;
        impl_->folding = answer.error();
        return "null";
    }
    return aggregate_to_json(*impl_->view, impl_->groups->row_count(), impl_->groups->partial());
}

Result<Record> ViewCursor::message() const {
    if (!impl_->rows) {
        return Error{Errc::invalid_argument,
                     "the rows of this kind of view are groups, not messages"};
    }
    return impl_->snapshot->seen(seq());
}

std::string ViewCursor::position() const {
    return encode_position(seq(), encoded_key());
}

std::uint64_t ViewCursor::count_rest() {
    std::uint64_t count = 0;
    if (impl_->rows && impl_->left == ~std::uint64_t{0} && !*impl_->snapshot->ended) {
        count = impl_->rows->count_rest();
    } else {
        while (next()) ++count;
    }
    impl_->left = 0;
    return count;
}

} // namespace sluice
