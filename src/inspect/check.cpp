// check(): each file for itself first, then the log as a whole, then the files of the views.
#include "base/try.hpp"
#include "catalog/catalog.hpp"
#include "catalog/consumer.hpp"
#include "database/progress_meter.hpp"
#include "inspect/database_files.hpp"
#include "log/ledger.hpp"
#include "store/segment_store.hpp"

#include <sluice/check.hpp>

#include <algorithm>

namespace sluice {
namespace {

using Remedy = Finding::Remedy;

std::string entries_text(Seq first, Seq last) {
    if (first == last) return "entry " + std::to_string(first.value);
    return "entries " + std::to_string(first.value) + " to " + std::to_string(last.value);
}

class Check {
public:
    Check(DatabaseFiles& files, const ProgressFunction& progress)
        : files_(files), progress_(progress) {}

    Result<std::vector<Finding>> run() {
        SLUICE_TRY(look_at_names());
        SLUICE_TRY(look_at_identity());
        if (has_identity_) SLUICE_TRY(look_at_segments());
        SLUICE_TRY(look_at_catalog());
        SLUICE_TRY(look_at_consumers());
        if (has_identity_ && !is_blocked_) SLUICE_TRY(look_at_log());
        if (files_.views) SLUICE_TRY(look_at_views());
        return std::move(found_);
    }

private:
    void add(std::string file, std::string what, Remedy remedy) {
        Finding finding;
        finding.file = std::move(file);
        finding.what = std::move(what);
        finding.remedy = remedy;
        found_.push_back(std::move(finding));
    }
    /// What begins with a file's path.
    void add(std::string problem, Remedy remedy) {
        const std::string root = files_.root->path() + "/";
        if (problem.starts_with(root)) problem.erase(0, root.size());
        const std::size_t end = std::min(problem.find_first_of(": "), problem.size());
        const std::size_t text = std::min(problem.find_first_not_of(": ", end), problem.size());
        add(problem.substr(0, end), problem.substr(text), remedy);
    }
    /// Errors other than damage end the check.
    template <typename T> Result<void> damage_in(const Result<T>& result, Remedy remedy) {
        if (result) return {};
        if (result.error().code != Errc::corrupt) return result.error();
        add(result.error().context, remedy);
        return {};
    }

    Result<void> look_at_names() {
        SLUICE_TRY_ASSIGN(const auto in_log, files_.log->list());
        for (const std::string& name : in_log) {
            const bool is_ours = Log::has_name(name) || Catalog::has_name(name) ||
                                 consumers::has_file_name(name) || name == Log::kLockName;
            if (!is_ours) add("log/" + name, "is no file of ours", Remedy::set_aside);
        }
        if (!files_.views) return {};
        SLUICE_TRY_ASSIGN(const auto in_views, files_.views->list());
        for (const std::string& name : in_views) {
            if (name.starts_with("manifest-") || SegmentFiles::has_name(name)) continue;
            add("views/" + name, "is no file of ours", Remedy::set_aside);
        }
        return {};
    }

    Result<void> look_at_identity() {
        const auto identity = Log::identity_of(*files_.log);
        has_identity_ = identity.has_value();
        if (identity) return {};
        const Errc code = identity.error().code;
        if (code != Errc::corrupt && code != Errc::not_found) return identity.error();
        add("log/identity",
            std::string(code == Errc::corrupt ? "is damaged" : "is missing") +
                ": without it nothing can be read. It can be made again, but for its secret: keys "
                "of erased messages will not be recognized, and could be imported again",
            Remedy::new_identity);
        return {};
    }

    Result<void> look_at_segments() {
        SLUICE_TRY_ASSIGN(const auto looks, Log::look_at_segments(*files_.log));
        for (const Log::SegmentLook& look : looks) {
            const std::string file = "log/" + look.file;
            switch (look.state) {
            case Log::SegmentLook::State::whole: break;
            case Log::SegmentLook::State::headless:
                add(file, "the header is damaged, which costs nothing", Remedy::opening);
                break;
            case Log::SegmentLook::State::no_segment:
                add(file, "is no segment, and is passed over", Remedy::set_aside);
                break;
            case Log::SegmentLook::State::misplaced:
                is_blocked_ = true;
                add(look.error.context + ": the database does not open with it", Remedy::set_aside);
                break;
            }
        }
        return {};
    }

    Result<void> look_at_catalog() {
        const auto catalog = Catalog::open(*files_.log);
        if (catalog) {
            for (const CatalogEntry& entry : catalog->entries()) {
                if (entry.id != ViewId{}) known_views_.push_back(entry.id);
            }
            return {};
        }
        is_catalog_damaged_ = true;
        return damage_in(catalog, Remedy::set_aside);
    }

    Result<void> look_at_consumers() {
        SLUICE_TRY_ASSIGN(const auto names, consumers::list(*files_.log));
        for (const std::string& name : names) {
            SLUICE_TRY(damage_in(consumers::load(*files_.log, name), Remedy::set_aside));
        }
        return {};
    }

    Result<void> look_at_log() {
        LogOptions options;
        options.read_only = true;
        const auto opened = Log::open(*files_.log, options);
        if (!opened) return damage_in(opened, Remedy::none);
        const Log& log = **opened;
        for (const std::string& note : log.recovery_notes()) add("log", note, Remedy::opening);
        for (const std::string& name : log.damaged_indexes()) {
            add("log/" + name,
                "the index is damaged or cannot be read, without which nothing is missing",
                Remedy::set_aside);
        }
        end_ = log.last();

        Ledger ledger;
        for (const Seq at : log.changes_at_open()) {
            const auto entry = log.read(at);
            if (!entry || entry->erased) continue;
            const auto change = decode_change(entry->body, at);
            if (change) {
                ledger.apply(at, *change);
            } else {
                add("log", entries_text(at, at) + ": " + change.error().context, Remedy::none);
            }
        }
        SeqBitmap unfinished;
        for (const auto& [at, erasure] : ledger.erasures()) {
            if (erasure.receipt) continue;
            add("log", "the erasure ordered by " + entries_text(at, at) + " is not finished",
                Remedy::opening);
            for (const Seq seq : erasure.change.seqs) unfinished.insert(seq);
            for (const Seq seq : erasure.change.replacements) unfinished.insert(seq);
        }
        SLUICE_TRY(look_for_erased_bytes(log, ledger, unfinished));
        look_for_damage(log, ledger);
        return {};
    }

    Result<void> look_for_erased_bytes(const Log& log, const Ledger& ledger,
                                       const SeqBitmap& unfinished) {
        std::vector<Seq> wiped;
        const SeqBitmap& all = ledger.wiped();
        for (Seq seq = all.next_from({1}); seq != SeqBitmap::kNone;
             seq = all.next_from(seq.next())) {
            if (!unfinished.contains(seq)) wiped.push_back(seq);
        }
        SLUICE_TRY_ASSIGN(const std::vector<Seq> not_wiped, log.not_wiped(wiped));
        for (const Seq seq : not_wiped) {
            add("log",
                entries_text(seq, seq) +
                    " was erased, and has bytes again: somebody put an older copy of its file back",
                Remedy::wipe);
            found_.back().first = found_.back().last = seq;
        }
        return {};
    }

    void look_for_damage(const Log& log, const Ledger& ledger) {
        ProgressMeter meter(progress_, "checking", log.last().value);
        const auto damages = log.check([&](Seq seq) { meter.at(seq.value); });
        meter.finish();
        for (const Log::Damage& damage : damages) {
            const bool is_lost = damage.file.empty();
            const SeqBitmap& dealt_with = is_lost ? ledger.gone().deleted : ledger.wiped();
            bool is_new = false;
            for (Seq seq = damage.first; seq <= damage.last; seq = seq.next()) {
                is_new = is_new || !dealt_with.contains(seq);
            }
            if (!is_new) continue; // An erasure overwrote the header too.
            const std::string verb = damage.first == damage.last ? " is " : " are ";
            const std::string state = is_lost ? "lost with a file" : "damaged";
            const bool is_kept = !is_lost && ledger.held().any_between(damage.first, damage.last);
            std::string what = entries_text(damage.first, damage.last).append(verb).append(state);
            if (is_kept) what += ", and held";
            add(is_lost ? "log" : "log/" + damage.file, std::move(what),
                is_lost   ? Remedy::give_up
                : is_kept ? Remedy::none
                          : Remedy::erase);
            Finding& finding = found_.back();
            finding.begin = damage.begin;
            finding.end = damage.end;
            finding.first = damage.first;
            finding.last = damage.last;
            const auto legible = log.read_back(damage.first);
            finding.may_be_changes = !legible || legible->kind == Log::Kind::change;
        }
    }

    Result<void> look_at_views() {
        SLUICE_TRY_ASSIGN(const auto inspected, SegmentStore::inspect(*files_.views));
        SLUICE_TRY_ASSIGN(const auto names, files_.views->list());
        for (const std::string& problem : inspected.problems) {
            add(problem, Remedy::opening);
            // Opening reads of a segment what it needs, and may not come across the damage. Where
            // there is none it knows what is lost.
            Finding& found = found_.back();
            const std::string name = found.file.substr(found.file.find('/') + 1);
            const bool is_there = std::ranges::find(names, name) != names.end();
            if (is_there && SegmentFiles::has_name(name)) found.remedy = Remedy::set_aside;
        }
        if (end_ && inspected.position > *end_) {
            add("views", "they are of a longer log: its end is lost, or an older copy was put back",
                Remedy::opening);
        }
        if (is_catalog_damaged_ || !known_views_.empty()) return {};
        const auto unknown = static_cast<std::uint64_t>(
            std::count_if(inspected.views.begin(), inspected.views.end(),
                          [](ViewId id) { return id.value >= Catalog::kFirstId; }));
        if (unknown > 0) {
            add("log/catalog",
                "is missing: what " + std::to_string(unknown) +
                    " views of the files in views/ were is not known, and opening drops them",
                Remedy::none);
        }
        return {};
    }

    DatabaseFiles& files_;
    const ProgressFunction& progress_;
    std::vector<Finding> found_;
    bool has_identity_ = false;
    bool is_blocked_ = false;
    bool is_catalog_damaged_ = false;
    std::vector<ViewId> known_views_;
    std::optional<Seq> end_;
};

} // namespace

std::string_view name_of(Finding::Remedy remedy) {
    switch (remedy) {
    case Remedy::opening: return "opening";
    case Remedy::set_aside: return "set_aside";
    case Remedy::new_identity: return "new_identity";
    case Remedy::erase: return "erase";
    case Remedy::give_up: return "give_up";
    case Remedy::wipe: return "wipe";
    case Remedy::none: break;
    }
    return "none";
}

std::string describe(Finding::Remedy remedy) {
    switch (remedy) {
    case Remedy::opening: return "opening the database puts it right";
    case Remedy::set_aside: return "repair takes the file out";
    case Remedy::new_identity: return "repair makes it again, and derives all views anew";
    case Remedy::erase: return "repair erases what is left of it";
    case Remedy::give_up: return "a copy of the file would bring it back; repair deletes it";
    case Remedy::wipe: return "repair wipes it again";
    case Remedy::none: break;
    }
    return "only a copy of the file helps";
}

Result<std::vector<Finding>> check_files(DatabaseFiles& files, const ProgressFunction& progress) {
    return Check(files, progress).run();
}

Result<std::vector<Finding>> check(const std::string& path, const ProgressFunction& progress) {
    SLUICE_TRY_ASSIGN(const auto root, open_directory(path, Create::never));
    auto log = root->subdirectory("log", Create::never);
    if (!log) {
        if (log.error().code != Errc::not_found) return log.error();
        return Error{Errc::not_found, path + " is not a sluice database"};
    }
    auto views = root->subdirectory("views", Create::never);
    if (!views && views.error().code != Errc::not_found) return views.error();
    DatabaseFiles files{root.get(), *std::move(log), views ? *std::move(views) : nullptr};
    SLUICE_TRY_ASSIGN(const auto lock, files.log->lock(Log::kLockName));
    return check_files(files, progress);
}

} // namespace sluice
