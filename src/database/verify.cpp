// Verifying: every view computed again from the log, with nothing but the mapper, a sort and a
// fold, and held against what the store shows. And the needle check: pieces of what this process
// erased are looked for in every file.
//
// A needle proves something only if nothing that is left contains it too: people quote each other,
// and generated messages repeat themselves. Such needles are left out.
#include "base/json.hpp"
#include "base/try.hpp"
#include "database/impl.hpp"
#include "transform/plain_chain.hpp"
#include "views/fold.hpp"

#include <algorithm>
#include <cstring>
#include <set>

namespace sluice {
namespace {

constexpr std::size_t kNeedleSize = 32;
constexpr std::size_t kNeedleCountMax = 256;
constexpr std::size_t kDifferencesShown = 20;
constexpr int kAttemptsMax = 10;

/// What one view should show: its rows in key order.
struct Expected {
    std::string_view term;
    Seq seq;
    std::string_view value;
};

class Recomputed {
public:
    explicit Recomputed(RowBatch batch) : batch_(std::move(batch)) {
        for (const RowBatch::Row& row : batch_.rows()) {
            for (std::size_t i = 0; i < row.emission_count; ++i) {
                const auto emission = batch_.emission(row.first_emission + i);
                rows_.push_back({emission.term, row.seq, emission.value});
            }
        }
        std::stable_sort(rows_.begin(), rows_.end(), [](const Expected& a, const Expected& b) {
            return a.term != b.term ? a.term < b.term : a.seq < b.seq;
        });
        // Of a term that one message emits twice the first is kept.
        const auto same_row = [](const Expected& a, const Expected& b) {
            return a.term == b.term && a.seq == b.seq;
        };
        rows_.erase(std::unique(rows_.begin(), rows_.end(), same_row), rows_.end());
    }
    const std::vector<Expected>& rows() const { return rows_; }

private:
    RowBatch batch_;
    std::vector<Expected> rows_;
};

class Differences {
public:
    explicit Differences(VerifyReport::View& report) : report_(report) {}
    void add(const std::string& what) {
        ++report_.difference_count;
        if (report_.differences.size() < kDifferencesShown) report_.differences.push_back(what);
    }

private:
    VerifyReport::View& report_;
};

void compare_index(const std::vector<Expected>& expected, Cursor& shown,
                   VerifyReport::View& report) {
    Differences differences(report);
    auto at = expected.begin();
    bool more = shown.next();
    while (more || at != expected.end()) {
        ++report.rows;
        const auto order = [&] {
            if (!more) return 1;
            if (at == expected.end()) return -1;
            if (shown.term() != at->term) return shown.term() < at->term ? -1 : 1;
            if (shown.seq() != at->seq) return shown.seq() < at->seq ? -1 : 1;
            return 0;
        }();
        if (order < 0) {
            differences.add("a row of entry " + std::to_string(shown.seq().value) +
                            " should not be there");
        } else if (order > 0) {
            differences.add("a row of entry " + std::to_string(at->seq.value) + " is missing");
        } else if (shown.value() != at->value) {
            differences.add("a row of entry " + std::to_string(at->seq.value) +
                            " has another value");
        }
        if (order <= 0) more = shown.next();
        if (order >= 0) ++at;
    }
}

void compare_groups(const std::vector<Expected>& expected, const Reducer* reducer,
                    GroupCursor& shown, VerifyReport::View& report) {
    Differences differences(report);
    std::uint64_t group = 0;
    auto at = expected.begin();
    bool more = shown.next();
    while (more || at != expected.end()) {
        ++group;
        ++report.rows;
        const bool is_shown = more && (at == expected.end() || shown.term() <= at->term);
        const bool is_expected = at != expected.end() && (!more || at->term <= shown.term());
        if (!is_expected) {
            differences.add("group " + std::to_string(group) + " should not be there");
            more = shown.next();
            continue;
        }
        const std::string_view term = at->term;
        const Seq first = at->seq;
        std::uint64_t row_count = 0;
        const auto accumulator = reducer != nullptr ? reducer->accumulator() : nullptr;
        for (; at != expected.end() && at->term == term; ++at, ++row_count) {
            if (accumulator) accumulator->add_value(at->value);
        }
        if (!is_shown) {
            differences.add("the group of entry " + std::to_string(first.value) + " is missing");
            continue;
        }
        if (shown.row_count() != row_count ||
            (accumulator && shown.partial() != accumulator->partial())) {
            differences.add("the group of entry " + std::to_string(first.value) +
                            " has another value");
        }
        more = shown.next();
    }
}

/// Answers are compared and not partials: these may depend on which rows share a file.
void compare_folds(const std::vector<Expected>& expected, const View& view, ViewId id,
                   const StoreSnapshot& rows, VerifyReport::View& report) {
    Differences differences(report);
    const std::shared_ptr<const Fold> fold = fold_of(view);
    const auto shown = rows.groups(id, {});
    for (auto at = expected.begin(); at != expected.end();) {
        const std::string_view term = at->term;
        const Seq first = at->seq;
        PlainFold plain(*fold);
        for (; at != expected.end() && at->term == term; ++at) plain.add_row(at->value);
        if (!shown->next() || shown->term() != term) return; // The rows were compared before.
        const auto answer = fold_answer(*fold, shown->partial(),
                                        [&] { return rows.scan(id, ScanRange::exact(term)); });
        if (!answer || *answer != plain.to_json()) {
            differences.add("the group of entry " + std::to_string(first.value) +
                            " has another answer");
        }
    }
}

void compare(const std::vector<Expected>& expected, const OpenView& each, const StoreSnapshot& rows,
             VerifyReport::View& report) {
    const ViewKind kind = kind_of(*each.view);
    if (kind != ViewKind::aggregate) {
        compare_index(expected, *rows.scan(each.entry.id, {}), report);
    }
    if (kind == ViewKind::fold) {
        compare_folds(expected, *each.view, each.entry.id, rows, report);
    } else if (reducer_of(*each.view) || kind == ViewKind::aggregate) {
        // Of a view for searching both are kept, rows and sums; its rows are counted once.
        const std::uint64_t row_count = report.rows;
        compare_groups(expected, reducer_of(*each.view).get(), *rows.groups(each.entry.id, {}),
                       report);
        if (shows_rows(kind)) report.rows = row_count;
    }
}

/// What people call a view, or what the engine keeps like one.
std::string shown_name(const std::string& name) {
    if (!is_engines_own(name)) return name;
    const std::string rule = "retention rule " + name.substr(1);
    return name.front() == Retention::kSumsMark ? rule + ", sums" : rule;
}

bool contains(std::string_view hay, const SecretBytes& needle) {
    // What was wiped has no bytes, and memmem() takes none from nowhere.
    return !hay.empty() && memmem(hay.data(), hay.size(), needle.data(), needle.size()) != nullptr;
}

} // namespace

void Database::Impl::remember_needles(std::span<const Seq> seqs) {
    for (const Seq seq : seqs) {
        const auto message = latest(seq, log->last());
        if (message && !message->erased) remember_needle(message->body);
    }
}

void Database::Impl::remember_needle(std::string_view bytes) {
    if (needles.size() >= kNeedleCountMax || bytes.size() < kNeedleSize) return;
    // The window with the most different bytes: text says more than punctuation does.
    std::size_t best = 0, best_count = 0;
    for (std::size_t i = 0; i + kNeedleSize <= bytes.size(); i += kNeedleSize / 4) {
        const std::string_view window = bytes.substr(i, kNeedleSize);
        const std::size_t count = std::set<char>(window.begin(), window.end()).size();
        if (count > best_count) best = i, best_count = count;
    }
    const std::string_view window = bytes.substr(best, kNeedleSize);
    needles.emplace_back(window.begin(), window.end());
}

bool VerifyReport::equal() const {
    return problems.empty() && needles_found.empty() &&
           std::all_of(views.begin(), views.end(),
                       [](const View& each) { return each.difference_count == 0; });
}

namespace {

/// Reads each file of the directory in overlapping pieces and drops what it finds into `found`.
Result<void> search_files(Directory& directory, const std::vector<SecretBytes>& needles,
                          std::vector<std::string>& found) {
    SLUICE_TRY_ASSIGN(const auto names, directory.list());
    for (const std::string& name : names) {
        auto file = directory.open(name, Create::never);
        if (!file) continue; // Merging removes files while we look.
        constexpr std::uint64_t kPiece = 4 * 1024 * 1024;
        std::string piece;
        for (std::uint64_t at = 0; at < (*file)->size_bytes(); at += kPiece - kNeedleSize) {
            piece.resize(std::min(kPiece, (*file)->size_bytes() - at));
            SLUICE_TRY((*file)->read_at(at, piece.data(), piece.size()));
            const bool hit =
                std::any_of(needles.begin(), needles.end(),
                            [&](const SecretBytes& needle) { return contains(piece, needle); });
            if (hit) {
                found.push_back(directory.path() + "/" + name);
                break;
            }
        }
    }
    return {};
}

} // namespace

Result<VerifyReport> Database::verify(const ProgressFunction& progress) const {
    // Under the writer's lock: what is compared, and the files that are read, stand still.
    const std::lock_guard derive_lock(impl_->derive_mutex);
    const std::lock_guard lock(impl_->write_mutex);
    SLUICE_TRY_ASSIGN(VerifyReport report, impl_->verify(progress));
    if (!impl_->options.read_only) return report;
    // Beside a writer they do not: it overwrites what it erases before a reader comes to that
    // entry.
    for (int attempts = 1; !report.equal(); ++attempts) {
        const Seq known = impl_->log->last();
        SLUICE_TRY(impl_->refresh(/*files_too=*/true));
        if (impl_->log->last() == known) break;
        if (attempts == kAttemptsMax) {
            return Error{Errc::busy,
                         impl_->root->path() + " changes faster than it can be verified"};
        }
        SLUICE_TRY_ASSIGN(report, impl_->verify(progress));
    }
    return report;
}

Result<VerifyReport> Database::Impl::verify(const ProgressFunction& progress) {
    const auto rows = store->snapshot();
    const Seq position = rows->position();
    const Gone& gone = ledger.gone();
    VerifyReport report;
    report.position = position;

    std::vector<SecretBytes> searched = needles;
    std::uint64_t done = 0;
    ProgressMeter meter(progress, "verifying", position.value * (mapped.size() + 1));
    // Of a message that cannot be read nobody can say what it gives: what is there is believed, and
    // the message named as a problem.
    std::set<Seq> unreadable; // As far as somebody has come across them.
    const auto believe = [&](ViewId view, Seq seq, RowBatch& batch) {
        const auto row = rows->row(view, seq);
        if (!row.empty()) batch.begin_row(seq);
        for (const auto& [term, value] : row) batch.emit(term, value);
    };
    const auto believe_unreadable = [&](ViewId view, RowBatch& batch) {
        for (const Seq seq : unreadable) believe(view, seq, batch);
    };
    const auto each_live = [&](const auto& visit) {
        for (Seq seq{1}; seq <= position; seq = seq.next()) {
            meter.at(++done);
            if (ledger.is_change(seq) || gone.deleted.contains(seq)) continue;
            const auto message = latest(seq, position);
            if (!message) unreadable.insert(seq);
            if (message && !message->erased) visit(seq, *message);
        }
    };

    PlainChain plain(chain.transforms(), facts);
    const bool is_loaded = chain.is_loaded();
    if (is_loaded && !chain.transforms().empty()) {
        std::vector<PlainChain::Message> messages;
        each_live([&](Seq seq, const Log::Entry& entry) {
            messages.push_back({seq, std::string(entry.key), std::string(entry.body)});
        });
        plain.run(messages);
        std::size_t at = 0;
        for (const Chain::Stage& stage : chain.transforms()) {
            const auto& made = plain.made()[at++];
            const std::string name = "transform " + stage.name;
            report.views.push_back({.name = name + ", cells", .differences = {}});
            compare_index(Recomputed(made.cells).rows(), *rows->scan(stage.cells, {}),
                          report.views.back());
            report.views.push_back({.name = name + ", outputs", .differences = {}});
            compare_index(Recomputed(made.outputs).rows(), *rows->scan(stage.outputs(), {}),
                          report.views.back());
        }
    }

    const auto each_seen = [&](const auto& visit) {
        each_live([&](Seq seq, const Log::Entry& entry) {
            const auto body = chain.transforms().empty() ? entry.body : plain.body_of(seq);
            if (body) visit(seq, entry.key, *body);
        });
    };
    /// What the view should have, against what it has; and what others read there.
    const auto check_view = [&](const OpenView& each, std::optional<RowBatch> batch) {
        VerifyReport::View view;
        view.name = shown_name(each.entry.name);
        view.checked = batch.has_value();
        plain.add_view(each.entry.name);
        if (!batch) {
            const auto stored = rows->scan(each.entry.id, {});
            while (stored->next()) plain.add_row(each.entry.name, stored->term(), stored->seq());
            return report.views.push_back(std::move(view));
        }
        const Recomputed expected(*std::move(batch));
        if (chain.is_read(each.entry.id) || reads_of(*each.view) != nullptr) {
            for (const Expected& row : expected.rows()) {
                plain.add_row(each.entry.name, row.term, row.seq);
            }
        }
        compare(expected.rows(), each, *rows, view);
        report.views.push_back(std::move(view));
    };
    for (const auto& [name, each] : *views) {
        if (reads_of(*each.view) != nullptr) continue;
        std::optional<RowBatch> batch;
        const bool is_late = catching_up.contains(each.entry.id);
        if (can_map(*each.view) && is_loaded && !is_late) {
            batch.emplace();
            Mapper again({each.view});
            each_seen([&](Seq seq, std::string_view key, std::string_view body) {
                again.map(seq, key, body, std::span(&*batch, 1));
            });
            again.settle(std::span(&*batch, 1));
            believe_unreadable(each.entry.id, *batch);
        }
        check_view(each, std::move(batch));
    }
    for (const Chain::Stage& reader : chain.readers()) {
        const OpenView& each = views->find(reader.name)->second;
        std::optional<RowBatch> batch;
        if (reader.map != nullptr && is_loaded) {
            batch.emplace();
            ReadingMapper again(each.view);
            JsonParser parser;
            const auto context = plain.answers();
            each_seen([&](Seq seq, std::string_view key, std::string_view body) {
                batch->begin_row(seq);
                again.map(*context, {seq, key, body, parser.parse(body)}, *batch);
            });
            believe_unreadable(each.entry.id, *batch);
        }
        check_view(each, std::move(batch));
    }

    // The register of keys is a view like the others.
    {
        VerifyReport::View view;
        view.name = "application keys";
        RowBatch batch;
        for (Seq seq{1}; seq <= position; seq = seq.next()) {
            meter.at(++done);
            if (gone.erased.contains(seq)) continue;
            const auto entry = log->read(seq);
            if (!entry) {
                const bool is_given_up = gone.deleted.contains(seq) && log->is_lost(seq);
                if (!is_given_up) report.problems.push_back(entry.error().context);
                believe(kKeyRegister, seq, batch);
                continue;
            }
            // Also what is deleted, and each version of what was replaced, is still there.
            std::erase_if(searched, [&](const SecretBytes& needle) {
                return contains(entry->body, needle) || contains(entry->key, needle);
            });
            if (!ledger.is_change(seq)) emit_key(batch, seq, entry->key);
        }
        const Recomputed expected(std::move(batch));
        compare_index(expected.rows(), *rows->scan(kKeyRegister, {}), view);
        report.views.push_back(std::move(view));
    }
    meter.finish();

    for (const std::string& problem : store->check()) report.problems.push_back(problem);
    for (const auto& [at, erasure] : ledger.erasures()) {
        if (erasure.receipt) continue;
        report.problems.push_back("the erasure ordered by entry " + std::to_string(at.value) +
                                  " is not finished");
    }
    report.needles_searched = searched.size();
    if (!searched.empty()) {
        for (Directory* const directory : {root, log_directory.get(), views_directory.get()}) {
            SLUICE_TRY(search_files(*directory, searched, report.needles_found));
        }
    }
    return report;
}

} // namespace sluice
