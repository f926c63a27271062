// Reading beside the process that writes. The log is followed entry by entry; the views are the
// writer's files, with everything that those do not have yet derived in memory, as an opening does
// it: on an overlay, so that no part of the engine needs to know that it may not write. When the
// writer has put rows into files, or taken some out, a reader goes on from those.
#include "base/try.hpp"
#include "database/impl.hpp"

#include <algorithm>
#include <array>

namespace sluice {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Where nobody tells what changed, and in case that something was not told.
constexpr milliseconds kLookInterval{20};
constexpr milliseconds kWatchPatience{1000};
// Readers that follow a busy writer leave it the processor: they rest for a multiple of the time
// that they took. What they miss they find in its files.
constexpr int kRestFactor = 24;
constexpr milliseconds kRestMin{1};
constexpr milliseconds kRestMax{100};
constexpr std::uint64_t kBytesAtOnce = 512 * 1024; // Of the log, before they rest.
// Files that change while they are opened are opened again.
constexpr std::chrono::seconds kTakingPatience{10};

} // namespace

Result<void> Database::Impl::open_to_read(const ProgressFunction& progress) {
    const std::lock_guard lock(write_mutex);
    SLUICE_TRY(take_files(progress));
    start_following();
    return {};
}

Result<std::uint64_t> Database::Impl::follow_log(std::uint64_t bytes_max) {
    SLUICE_TRY_ASSIGN(const Log::Followed taken, log->follow(changes_known, bytes_max));
    SLUICE_TRY(apply_changes(taken.changes));
    changes_known = log->last();
    return taken.bytes_left;
}

Result<void> Database::Impl::take_files(const ProgressFunction& progress) {
    const auto patience_ends = steady_clock::now() + kTakingPatience;
    std::string taking;
    std::shared_ptr<Pins> mapped_files;
    std::unique_ptr<Directory> files;
    std::unique_ptr<SegmentStore> opened;
    while (opened == nullptr) {
        SLUICE_TRY_ASSIGN(const std::string before, SegmentStore::fingerprint(*views_directory));
        mapped_files = std::make_shared<Pins>();
        files = overlay_in_memory(*views_directory, mapped_files);
        auto attempt = open_store(*files);
        SLUICE_TRY_ASSIGN(const std::string after, SegmentStore::fingerprint(*views_directory));
        if (before == after) {
            if (!attempt) return attempt.error();
            opened = *std::move(attempt);
            taking = before;
        } else if (steady_clock::now() >= patience_ends) {
            return Error{Errc::busy, "the files in " + views_directory->path() +
                                         " change faster than they can be opened"};
        }
    }
    // The rows are of entries that were there before them.
    SLUICE_TRY(follow_log(kEverything));
    if (opened->snapshot()->position() > log->last()) {
        return Error{Errc::corrupt, "the views in " + views_directory->path() +
                                        " are of a longer log; whoever writes next mends that"};
    }
    SLUICE_TRY_ASSIGN(auto opened_catalog, Catalog::open(*log_directory));

    // Also behind a failure on the way: who reads stays with what was before.
    if (is_open) pin_shown();
    keep_shown = shown != nullptr;
    files_taken.reset();
    {
        const std::lock_guard lock(publish_mutex);
        std::swap(store, opened);
        position_taken = store->snapshot()->position();
    }
    opened.reset(); // Before the files that it is on.
    overlay = std::move(files);
    std::erase_if(former_pins, [](const auto& former) { return !former->any(); });
    if (pins) former_pins.push_back(std::move(pins));
    pins = std::move(mapped_files);
    catalog.emplace(std::move(opened_catalog));
    unfinished.reset();
    extra = {};
    is_open = false;
    SLUICE_TRY(open_derived(progress));
    is_open = true;
    keep_shown = false;
    files_taken = std::move(taking);
    const std::lock_guard lock(publish_mutex);
    show_current();
    tell_readers();
    for (const auto& each : subscribers) begin_anew(*each); // What changed, no commit has said.
    derived_unseen.clear();
    return {};
}

/// What is mapped of the files that there were stays in memory until their snapshots go, so that
/// whoever is reading in them can finish.
Result<void> Database::Impl::answer_request() {
    SLUICE_TRY_ASSIGN(std::string request, SegmentStore::request_to_end(*views_directory));
    if (request.empty() || request == request_answered) return {};
    request_answered = std::move(request);
    end_snapshots();
    for (const auto& former : former_pins) SLUICE_TRY(former->leave_files());
    return {};
}

Result<std::uint64_t> Database::Impl::refresh(bool files_too, std::uint64_t bytes_max) {
    // Whatever fails on the way: the next call takes the files, and does not go on from the middle.
    std::optional<std::string> taken = std::exchange(files_taken, std::nullopt);
    const Seq known = log->last();
    SLUICE_TRY_ASSIGN(const std::uint64_t bytes_left, follow_log(bytes_max));
    SLUICE_TRY_ASSIGN(const Catalog views_now, Catalog::open(*log_directory));
    bool are_others = !taken || views_now.entries() != catalog->entries();
    if (files_too && !are_others) {
        SLUICE_TRY_ASSIGN(const std::string now, SegmentStore::fingerprint(*views_directory));
        are_others = now != taken;
    }
    if (are_others) {
        SLUICE_TRY(take_files({}));
    } else {
        if (log->last() > known) SLUICE_TRY(advance({}));
        files_taken = std::move(taken);
    }
    if (files_too) SLUICE_TRY(answer_request());
    return are_others ? 0 : bytes_left;
}

Result<void> Database::refresh() {
    if (!impl_->options.read_only) {
        return Error{Errc::invalid_argument, impl_->root->path() + " is not open to read only"};
    }
    const std::lock_guard lock(impl_->write_mutex);
    SLUICE_TRY(std::exchange(impl_->followed, Result<void>()));
    return or_out_of_memory([&]() -> Result<void> {
        SLUICE_TRY(impl_->refresh(/*files_too=*/true));
        return {};
    });
}

Result<void> Database::Impl::load_code(const std::string& name, const CodeView& code_view,
                                       const ProgressFunction& progress) {
    return or_out_of_memory([&]() -> Result<void> {
        SLUICE_TRY_ASSIGN(auto view, compile_view(code_view));
        const CatalogEntry entry{
            {}, name, code_view.app, code_view.version, canonical_definition(*view)};
        const std::lock_guard lock(write_mutex);
        const CatalogEntry* const known = catalog->find(name);
        if (known == nullptr || !is_same(*known, entry)) {
            return Error{Errc::read_only, "the database has no view " + name + " of app " +
                                              code_view.app + " in version " +
                                              std::to_string(code_view.version) +
                                              ", and is open to read"};
        }
        loaded_code.insert_or_assign(name, OpenView{entry, std::move(view)});
        return take_files(progress);
    });
}

void Database::Impl::start_following() {
    if (!options.background) return;
    const std::array directories{log_directory->path(), views_directory->path()};
    if (auto watched = Watch::of(directories)) watch = *std::move(watched);
    follower = std::thread([this] { follow(); });
}

void Database::Impl::follow() {
    constexpr std::uint64_t kViews = 2; // The bit of views_directory.
    constexpr std::uint64_t kAll = ~std::uint64_t{0};
    const auto rest = [this](milliseconds time) {
        std::unique_lock resting(publish_mutex);
        return !closing.wait_for(resting, time, [this] { return is_closing; });
    };
    bool is_watched = false; // It looks first: files may have changed since they were opened.
    bool is_behind = false;
    std::uint64_t end = 0; // Of the log, in bytes, when it was last looked at.
    for (;;) {
        const std::uint64_t changed = is_watched && !is_behind ? watch->wait(kWatchPatience) : kAll;
        const auto begun = steady_clock::now();
        is_watched = watch && watch->arm().has_value(); // Before it looks: it is to miss nothing.
        bool is_being_written = true;
        {
            const std::lock_guard lock(write_mutex);
            const Seq known = log->last();
            const auto left =
                or_out_of_memory([&] { return refresh((changed & kViews) != 0, kBytesAtOnce); });
            if (!left) followed = left.error();
            is_behind = left && *left > 0 && log->last() > known; // Else it is an unfinished batch.
            const std::uint64_t end_now = log->size_bytes() + (left ? *left : 0);
            is_being_written = end_now != std::exchange(end, end_now);
        }
        const auto took =
            std::chrono::ceil<milliseconds>((steady_clock::now() - begun) * kRestFactor);
        const auto least = is_watched ? kRestMin : kLookInterval;
        const bool is_alone = is_behind && !is_being_written;
        if (!rest(is_alone ? milliseconds(0) : std::clamp(took, least, kRestMax))) return;
    }
}

} // namespace sluice
