// How the simulation keeps what is durable apart from what is seen.
//
// An Inode is a file without its name. It has its bytes twice: as processes see them (Region, which
// mappings share) and as they are durable, and between the two the list of unsynced changes. A
// Folder has its names twice and between them the list of unsynced name changes. sync() brings the
// durable side up to date and empties the list. Cutting the power builds a new tree of new inodes
// out of the durable side and whichever unsynced changes the fate lets arrive.
//
// A kernel writes whole sectors of the state the page has at that moment, so a sector never holds a
// later write without the earlier ones to the same sector. Hence a torn file is made by choosing
// for each sector a moment, and taking the sector as it was at that moment; the size has a moment
// too.
//
// Where a failing sync left pages clean that the device does not have, the inode knows them, and a
// write to one of them makes all of it unsynced again.
#include "support/simulated_disk.hpp"

#include "base/assert.hpp"
#include "base/try.hpp"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <random>
#include <set>

#include <sys/mman.h>
#include <unistd.h>

namespace sluice::test {
namespace {

constexpr std::uint64_t kPageBytes = 4096;

/// What a device writes whole.
std::uint64_t sector_bytes_of(Fate fate) {
    return fate == Fate::torn_pages ? kPageBytes : 512;
}
bool tears(Fate fate) {
    return fate == Fate::torn || fate == Fate::torn_pages;
}

class Dice {
public:
    explicit Dice(std::uint64_t seed) : engine_(seed) {}
    std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
    bool coin() { return below(2) == 0; }

private:
    std::mt19937_64 engine_;
};

bool all_zeros(std::string_view bytes) {
    return bytes.find_first_not_of('\0') == std::string_view::npos;
}

/// A file's bytes at an address that never moves. Touching what lies behind the end of the file
/// kills the process, as it does with a real mapping (there, from the next page on).
class Region {
public:
    Region()
        : at_(static_cast<char*>(::mmap(nullptr, SimulatedDisk::kFileSizeBytesMax, PROT_NONE,
                                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))) {
        SLUICE_ASSERT(at_ != MAP_FAILED);
    }
    Region(const Region&) = delete;
    Region& operator=(const Region&) = delete;
    ~Region() { ::munmap(at_, SimulatedDisk::kFileSizeBytesMax); }

    char* data() const { return at_; }
    std::uint64_t size_bytes() const { return size_bytes_; }
    std::string_view bytes() const { return {at_, size_bytes_}; }

    /// New bytes are zeros, also where a longer file was cut before.
    void resize(std::uint64_t size_bytes) {
        SLUICE_ASSERT(size_bytes <= SimulatedDisk::kFileSizeBytesMax);
        const std::uint64_t before = pages_of(size_bytes_), after = pages_of(size_bytes);
        if (after > before) {
            SLUICE_ASSERT(::mprotect(at_ + before, after - before, PROT_READ | PROT_WRITE) == 0);
        }
        if (size_bytes < size_bytes_) {
            std::memset(at_ + size_bytes, 0, std::min(size_bytes_, after) - size_bytes);
        }
        if (after < before) {
            SLUICE_ASSERT(::madvise(at_ + after, before - after, MADV_DONTNEED) == 0);
            SLUICE_ASSERT(::mprotect(at_ + after, before - after, PROT_NONE) == 0);
        }
        size_bytes_ = size_bytes;
    }

private:
    static std::uint64_t pages_of(std::uint64_t size_bytes) {
        static const auto kMapped = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
        return (size_bytes + kMapped - 1) / kMapped * kMapped;
    }

    char* at_;
    std::uint64_t size_bytes_ = 0;
};

/// A write_at, truncate or punch_hole that may not be on the device yet.
struct Change {
    enum class Kind : std::uint8_t { write, truncate, punch };
    Kind kind;
    std::uint64_t position; ///< Of a truncate: the new size.
    std::uint64_t size_bytes = 0;
    std::string bytes = {};   ///< Of a write.
    bool interrupted = false; ///< The power went, or the operation failed, in the middle of it.

    bool frees() const { return kind != Kind::write; }
    /// The end of the bytes it concerns.
    std::uint64_t end() const {
        return kind == Kind::truncate ? SimulatedDisk::kFileSizeBytesMax : position + size_bytes;
    }
    std::uint64_t size_after(std::uint64_t size_before) const {
        switch (kind) {
        case Kind::write: return std::max(size_before, end());
        case Kind::truncate: return position;
        case Kind::punch: break;
        }
        return size_before;
    }
    /// Writes into `image`, which is long enough, what this change puts at [from, to).
    void apply(std::string& image, std::uint64_t from, std::uint64_t to) const {
        from = std::max(from, position);
        to = std::min({to, end(), static_cast<std::uint64_t>(image.size())});
        if (from >= to) return;
        if (kind == Kind::write) {
            std::memcpy(image.data() + from, bytes.data() + (from - position), to - from);
        } else {
            std::memset(image.data() + from, 0, to - from);
        }
    }
};

struct Inode {
    std::shared_ptr<Region> region = std::make_shared<Region>();
    std::string durable;
    std::vector<Change> unsynced;
    std::set<std::uint64_t> clean; ///< Pages that no sync writes, though the device has others.
    std::vector<std::weak_ptr<const int>> pins; ///< Of File::pin().
    std::weak_ptr<const int> claim;
    bool has_no_name = false;

    /// A file as it is found when the power has come back.
    static std::shared_ptr<Inode> with_content(std::string content) {
        auto inode = std::make_shared<Inode>();
        inode->region->resize(content.size());
        if (!content.empty()) std::memcpy(inode->region->data(), content.data(), content.size());
        inode->durable = std::move(content);
        return inode;
    }

    /// Something was written to these bytes: their pages are to be written again, whole.
    void touch(std::uint64_t from, std::uint64_t to) {
        const std::string_view seen = region->bytes();
        for (auto page = clean.lower_bound(from / kPageBytes);
             page != clean.end() && *page * kPageBytes < to; page = clean.erase(page)) {
            const std::uint64_t at = *page * kPageBytes;
            if (at >= seen.size()) continue;
            const std::string_view bytes = seen.substr(at, kPageBytes);
            unsynced.push_back({Change::Kind::write, at, bytes.size(), std::string(bytes), false});
        }
    }

    /// A sync fails that `pages` says what becomes of. The size arrives.
    void fail_sync(FailedSync pages, Dice& dice) {
        if (pages == FailedSync::stays_dirty) return;
        const std::string_view seen = region->bytes();
        std::set<std::uint64_t> dirty;
        for (const Change& change : unsynced) {
            const std::uint64_t end = std::min<std::uint64_t>(change.end(), seen.size());
            for (std::uint64_t at = change.position; at < end;
                 at = (at / kPageBytes + 1) * kPageBytes)
                dirty.insert(at / kPageBytes);
        }
        unsynced.clear();
        durable.resize(seen.size(), '\0');
        for (const std::uint64_t page : dirty) {
            const std::uint64_t at = page * kPageBytes;
            const std::uint64_t size = std::min<std::uint64_t>(kPageBytes, seen.size() - at);
            if (dice.coin()) {
                std::memcpy(durable.data() + at, seen.data() + at, size);
            } else if (pages == FailedSync::kept_clean) {
                clean.insert(page);
            } else {
                std::memcpy(region->data() + at, durable.data() + at, size);
            }
        }
    }
};

struct Folder;

/// A change of a directory that may not be on the device yet.
struct NameChange {
    enum class Kind : std::uint8_t { create, remove, rename, create_folder };
    Kind kind;
    std::string name; ///< The name that something has after it; of a remove, the name that goes.
    std::shared_ptr<Inode> inode = nullptr;
    std::shared_ptr<Folder> folder = nullptr;
    bool interrupted = false;
};

struct Names {
    std::map<std::string, std::shared_ptr<Inode>> files;
    std::map<std::string, std::shared_ptr<Folder>> folders;

    void apply(const NameChange& change) {
        switch (change.kind) {
        case NameChange::Kind::create:
        case NameChange::Kind::rename:
            // A file has one name. Where an earlier change was lost, it may still have an older
            // one.
            std::erase_if(files, [&](const auto& each) { return each.second == change.inode; });
            files[change.name] = change.inode;
            break;
        case NameChange::Kind::remove: files.erase(change.name); break;
        case NameChange::Kind::create_folder: folders[change.name] = change.folder; break;
        }
    }
};

struct Folder {
    Names seen;
    Names durable;
    std::vector<NameChange> unsynced;
};

using Found = SimulatedDisk::Found;

void find_in(std::string_view bytes, std::string_view needle, const std::string& where,
             std::vector<Found>& found) {
    for (std::size_t at = bytes.find(needle); at != std::string_view::npos;
         at = bytes.find(needle, at + 1)) {
        found.push_back({where, at});
    }
}

/// Blocks that belong to no file any more, with what was in them.
class FreeBlocks {
public:
    void add(const std::string& where, std::string_view bytes) {
        if (all_zeros(bytes)) return;
        blocks_.push_back({where, std::make_shared<const std::string>(bytes)});
    }

    /// A file that has lost its last name.
    void add_file(const std::string& path, const Inode& inode, const char* why,
                  bool with_unsynced) {
        const std::string where = path + " (" + why + ")";
        add(where, inode.durable);
        if (!with_unsynced) return;
        for (const Change& change : inode.unsynced) add(where, change.bytes);
    }

    /// What `change`, the one at `index` of the inode's unsynced ones, gives back of [from, to).
    /// The blocks hold what was durable before: a kernel drops the dirty pages of a range that it
    /// frees, so an overwrite which was not synced may never have been written. Or it may: then
    /// they hold that.
    void add_freed(const std::string& path, const Inode& inode, std::size_t index,
                   std::uint64_t from, std::uint64_t to) {
        const Change& change = inode.unsynced[index];
        from = std::max(from, change.position);
        to = std::min(to, change.end());
        if (from >= to) return;
        const std::string where = path + " (given back)";
        if (from < inode.durable.size()) {
            add(where, std::string_view(inode.durable).substr(from, to - from));
        }
        for (std::size_t i = 0; i < index; ++i) {
            const Change& earlier = inode.unsynced[i];
            const std::uint64_t begin = std::max(from, earlier.position);
            const std::uint64_t end = std::min(to, earlier.end());
            if (earlier.frees() || begin >= end) continue;
            add(where,
                std::string_view(earlier.bytes).substr(begin - earlier.position, end - begin));
        }
    }

    void find(std::string_view needle, std::vector<Found>& found) const {
        for (const Block& block : blocks_) find_in(*block.bytes, needle, block.where, found);
    }

private:
    struct Block {
        std::string where;
        std::shared_ptr<const std::string> bytes; // Shared among copies of the disk.
    };
    std::vector<Block> blocks_;
};

/// The inodes below a folder that a process sees, or that are durable, or both, with their paths.
void collect(const Folder& folder, const std::string& prefix,
             std::map<std::shared_ptr<Inode>, std::string>& inodes) {
    std::set<const Folder*> visited;
    const auto descend = [&](const std::string& name, const std::shared_ptr<Folder>& below) {
        if (visited.insert(below.get()).second) collect(*below, prefix + name + "/", inodes);
    };
    for (const Names* names : {&folder.seen, &folder.durable}) {
        for (const auto& [name, inode] : names->files) inodes.emplace(inode, prefix + name);
        for (const auto& [name, below] : names->folders) descend(name, below);
    }
    for (const NameChange& change : folder.unsynced) {
        if (change.inode) inodes.emplace(change.inode, prefix + change.name);
        if (change.folder) descend(change.name, change.folder);
    }
}

/// Decides what a power cut leaves of a file.
class TornFile {
public:
    TornFile(const Inode& inode, Fate fate, Dice& dice)
        : inode_(inode), dice_(dice), sector_bytes_(sector_bytes_of(fate)) {
        const std::size_t count = inode.unsynced.size();
        std::uint64_t size = inode.durable.size(), longest = size;
        sizes_.push_back(size);
        for (const Change& change : inode.unsynced) {
            size = change.size_after(size);
            longest = std::max(longest, size);
            sizes_.push_back(size);
        }
        moments_.resize((longest + sector_bytes_ - 1) / sector_bytes_, 0);
        image_ = inode.durable;
        image_.resize(longest, '\0');

        const bool all = fate == Fate::kept || (fate == Fate::reordered && dice.coin());
        for (std::size_t i = 0; i < count && fate != Fate::lost; ++i) {
            const Change& change = inode.unsynced[i];
            const bool by_half = tears(fate) || change.interrupted;
            if (all || by_half) arrive(i, by_half);
        }
        if (all) {
            const bool by_half = count > 0 && inode.unsynced.back().interrupted;
            size_moment_ = by_half ? count - dice.below(2) : count;
        } else if (tears(fate)) {
            size_moment_ = dice.below(count + 1);
        }
    }

    /// The content that is found, and the blocks that the cut made free.
    std::string settle(const std::string& path, FreeBlocks& free) {
        for (std::size_t i = 0; i < inode_.unsynced.size(); ++i) apply(i, path, free);
        const std::uint64_t size = sizes_[size_moment_];
        // A cut that arrived without its zeros. What a file had grown by counts as never written.
        const std::uint64_t durable_size = inode_.durable.size();
        if (size < durable_size) {
            free.add(path + " (cut off)",
                     std::string_view(image_).substr(size, durable_size - size));
        }
        image_.resize(size);
        return std::move(image_);
    }

private:
    /// The change at `index` reaches all its sectors, none, or (when torn) some of them.
    void arrive(std::size_t index, bool may_tear) {
        const Change& change = inode_.unsynced[index];
        const std::uint64_t outcome = may_tear ? dice_.below(3) : 1;
        if (outcome == 0) return;
        const std::uint64_t end = std::min<std::uint64_t>(change.end(), image_.size());
        for (std::uint64_t at = change.position; at < end;
             at = (at / sector_bytes_ + 1) * sector_bytes_) {
            if (outcome == 1 || dice_.coin()) moments_[at / sector_bytes_] = index + 1;
        }
    }

    void apply(std::size_t index, const std::string& path, FreeBlocks& free) {
        const Change& change = inode_.unsynced[index];
        const std::uint64_t end = std::min<std::uint64_t>(change.end(), image_.size());
        // One run of sectors at a time, so that what they give back stays in one piece.
        for (std::uint64_t sector = change.position / sector_bytes_;
             sector * sector_bytes_ < end;) {
            const std::uint64_t first = sector;
            const bool arrived = moments_[first] > index;
            while (sector * sector_bytes_ < end && (moments_[sector] > index) == arrived) ++sector;
            if (!arrived) continue;
            change.apply(image_, first * sector_bytes_, sector * sector_bytes_);
            if (change.frees()) {
                free.add_freed(path, inode_, index, first * sector_bytes_, sector * sector_bytes_);
            }
        }
    }

    const Inode& inode_;
    Dice& dice_;
    const std::uint64_t sector_bytes_;
    std::string image_;
    std::vector<std::size_t> moments_; ///< For each sector, how many of the changes it has seen.
    std::vector<std::uint64_t> sizes_; ///< After none of the changes, after the first, ...
    std::size_t size_moment_ = 0;
};

} // namespace

struct SimulatedDisk::State {
    static constexpr std::uint64_t kNever = ~std::uint64_t{0};

    mutable std::mutex mutex;
    std::shared_ptr<Folder> root = std::make_shared<Folder>();
    FreeBlocks free;
    std::set<const Inode*> locked;
    std::function<void()> observer;
    std::uint64_t operations = 0;
    std::uint64_t syncs = 0;
    std::uint64_t fails_behind = kNever;
    Errc failure = Errc::io;
    FailedSync failed_sync = FailedSync::stays_dirty;
    bool fails_once = false;
    bool failing = false;
    bool powered = true;

    Result<void> check_power(const std::string& what) const {
        if (!powered) return Error{Errc::io, what + ": the power was cut"};
        return {};
    }

    /// One operation: counts it, and calls `perform(interrupted)` unless it leaves no trace.
    template <typename Perform> Result<void> operate(const std::string& what, Perform perform) {
        std::function<void()> observing;
        {
            const std::lock_guard lock(mutex);
            SLUICE_TRY(check_power(what));
            if (++operations > fails_behind) {
                if (!failing) perform(true);
                failing = true;
                if (fails_once) recover();
                return Error{failure, what + ": simulated failure"};
            }
            perform(false);
            observing = observer;
        }
        if (observing) observing();
        return {};
    }

    /// Operations succeed again. With the lock held.
    void recover();

    /// The tree that is found after a power cut, as the state of another disk.
    std::shared_ptr<State> after_power_cut(Fate fate, std::uint64_t seed) const {
        auto next = std::make_shared<State>();
        next->free = free;
        next->operations = operations;
        next->syncs = syncs;
        Dice dice(seed);
        std::map<std::shared_ptr<Inode>, std::string> gone;
        collect(*root, "", gone);
        settle(*root, "", fate, dice, *next->root, next->free, gone);
        for (const auto& [inode, path] : gone) {
            next->free.add_file(path, *inode, "lost its name", false);
        }
        return next;
    }

private:
    static void settle(const Folder& folder, const std::string& prefix, Fate fate, Dice& dice,
                       Folder& found, FreeBlocks& free,
                       std::map<std::shared_ptr<Inode>, std::string>& gone) {
        Names names = folder.durable;
        // A journal brings the first few changes; what has no journal, any of them.
        std::uint64_t arriving = dice.below(folder.unsynced.size() + 1);
        for (const NameChange& change : folder.unsynced) {
            const bool arrives = fate == Fate::kept        ? !change.interrupted || dice.coin()
                                 : tears(fate)             ? arriving > 0
                                 : fate == Fate::reordered ? dice.coin()
                                                           : false;
            if (arriving > 0) --arriving;
            if (arrives) names.apply(change);
        }
        for (const auto& [name, inode] : names.files) {
            gone.erase(inode);
            TornFile file(*inode, fate, dice);
            found.seen.files[name] = Inode::with_content(file.settle(prefix + name, free));
        }
        for (const auto& [name, below] : names.folders) {
            const auto folder_found = std::make_shared<Folder>();
            settle(*below, prefix + name + "/", fate, dice, *folder_found, free, gone);
            found.seen.folders[name] = folder_found;
        }
        found.durable = found.seen;
    }
};

namespace {

using State = SimulatedDisk::State;

class SimulatedFile final : public File {
public:
    SimulatedFile(std::shared_ptr<State> state, std::shared_ptr<Inode> inode, std::string path)
        : state_(std::move(state)), inode_(std::move(inode)), path_(std::move(path)) {}

    std::uint64_t size_bytes() const override {
        const std::lock_guard lock(state_->mutex);
        return inode_->region->size_bytes();
    }

    Result<void> read_at(std::uint64_t position, char* into, std::size_t size) const override {
        const std::lock_guard lock(state_->mutex);
        SLUICE_TRY(state_->check_power("reading " + path_));
        const std::string_view bytes = inode_->region->bytes();
        if (position > bytes.size() || size > bytes.size() - position) {
            return Error{Errc::corrupt, path_ + " ends too early"};
        }
        if (size > 0) std::memcpy(into, bytes.data() + position, size);
        return {};
    }

    Result<void> write_at(std::uint64_t position, std::string_view bytes) override {
        if (position > SimulatedDisk::kFileSizeBytesMax ||
            bytes.size() > SimulatedDisk::kFileSizeBytesMax - position) {
            return Error{Errc::no_space,
                         "writing " + path_ + ": longer than the simulation allows"};
        }
        return state_->operate("writing " + path_, [&](bool interrupted) {
            Region& region = *inode_->region;
            const std::uint64_t arrives = interrupted ? bytes.size() / 2 : bytes.size();
            if (arrives > 0) {
                if (position + arrives > region.size_bytes()) region.resize(position + arrives);
                std::memcpy(region.data() + position, bytes.data(), arrives);
            }
            inode_->unsynced.push_back(
                {Change::Kind::write, position, bytes.size(), std::string(bytes), interrupted});
            inode_->touch(position, position + arrives);
        });
    }

    Result<void> truncate(std::uint64_t size_bytes) override {
        if (size_bytes > SimulatedDisk::kFileSizeBytesMax) {
            return Error{Errc::no_space,
                         "truncating " + path_ + ": longer than the simulation allows"};
        }
        return state_->operate("truncating " + path_, [&](bool interrupted) {
            if (!interrupted) inode_->region->resize(size_bytes);
            inode_->unsynced.push_back({Change::Kind::truncate, size_bytes, 0, {}, interrupted});
            if (!interrupted) inode_->touch(size_bytes, SimulatedDisk::kFileSizeBytesMax);
        });
    }

    Result<void> sync() override {
        return state_->operate("syncing " + path_, [&](bool interrupted) {
            if (interrupted) {
                Dice dice(state_->operations);
                inode_->fail_sync(state_->failed_sync, dice);
                return;
            }
            ++state_->syncs;
            make_durable();
        });
    }

    Result<void> punch_hole(std::uint64_t position, std::uint64_t size_bytes) override {
        return state_->operate("punching a hole in " + path_, [&](bool interrupted) {
            Region& region = *inode_->region;
            const std::uint64_t end = std::min(position + size_bytes, region.size_bytes());
            if (position >= end) return;
            if (!interrupted) std::memset(region.data() + position, 0, end - position);
            inode_->unsynced.push_back(
                {Change::Kind::punch, position, end - position, {}, interrupted});
            if (!interrupted) inode_->touch(position, end);
        });
    }

    Result<Mapping> map(std::uint64_t reserve_bytes) const override {
        const std::lock_guard lock(state_->mutex);
        SLUICE_TRY(state_->check_power("mapping " + path_));
        if (reserve_bytes == 0) return Mapping{};
        struct Kept {
            std::shared_ptr<const void> region;
            std::shared_ptr<const int> pin;
        };
        auto kept = std::make_shared<Kept>(Kept{inode_->region, pin_});
        // Lets the file go and keeps no copy: nobody is to read what was ended.
        const auto leave = [weak = std::weak_ptr<Kept>(kept)]() -> Result<void> {
            if (const auto still = weak.lock()) still->pin.reset();
            return {};
        };
        return Mapping{std::move(kept), inode_->region->data(), leave};
    }

    Result<void> look_again() override { return {}; }

    Result<bool> pin() override {
        const std::lock_guard lock(state_->mutex);
        if (!inode_->claim.expired() || inode_->has_no_name) return false;
        pin_ = std::make_shared<const int>();
        inode_->pins.push_back(pin_);
        return true;
    }

    Result<Claim> claim() override {
        const std::lock_guard lock(state_->mutex);
        std::erase_if(inode_->pins, [](const auto& pin) { return pin.expired(); });
        if (!inode_->pins.empty()) return Claim{false, std::to_string(::getpid())};
        claim_ = std::make_shared<const int>();
        inode_->claim = claim_;
        return Claim{true, {}};
    }

private:
    void make_durable() {
        Inode& inode = *inode_;
        for (std::size_t i = 0; i < inode.unsynced.size(); ++i) {
            if (!inode.unsynced[i].frees() || inode.unsynced[i].interrupted) continue;
            state_->free.add_freed(path_, inode, i, 0, SimulatedDisk::kFileSizeBytesMax);
        }
        const std::string_view seen = inode.region->bytes();
        inode.durable.resize(seen.size(), '\0');
        for (const Change& change : inode.unsynced) {
            const std::uint64_t end = std::min<std::uint64_t>(change.end(), seen.size());
            if (change.position >= end) continue;
            std::memcpy(inode.durable.data() + change.position, seen.data() + change.position,
                        end - change.position);
        }
        inode.unsynced.clear();
    }

    std::shared_ptr<State> state_;
    std::shared_ptr<Inode> inode_;
    std::string path_;
    std::shared_ptr<const int> pin_;
    std::shared_ptr<const int> claim_;
};

class SimulatedLock final : public FileLock {
public:
    SimulatedLock(std::shared_ptr<State> state, std::shared_ptr<Inode> inode)
        : state_(std::move(state)), inode_(std::move(inode)) {}
    SimulatedLock(const SimulatedLock&) = delete;
    SimulatedLock& operator=(const SimulatedLock&) = delete;
    ~SimulatedLock() override {
        const std::lock_guard lock(state_->mutex);
        state_->locked.erase(inode_.get());
    }

private:
    std::shared_ptr<State> state_;
    std::shared_ptr<Inode> inode_;
};

class SimulatedDirectory final : public Directory {
public:
    SimulatedDirectory(std::shared_ptr<State> state, std::shared_ptr<Folder> folder,
                       std::string path)
        : state_(std::move(state)), folder_(std::move(folder)), path_(std::move(path)) {}

    std::string path() const override { return path_; }

    Result<std::unique_ptr<File>> open(const std::string& name, Create create) override {
        SLUICE_TRY_ASSIGN(std::shared_ptr<Inode> inode, inode_of(name, create));
        return std::unique_ptr<File>(
            std::make_unique<SimulatedFile>(state_, std::move(inode), path_of(name)));
    }

    Result<std::unique_ptr<Directory>> subdirectory(const std::string& name,
                                                    Create create) override {
        check_name(name);
        std::shared_ptr<Folder> below;
        {
            const std::lock_guard lock(state_->mutex);
            SLUICE_TRY(state_->check_power("making " + path_of(name)));
            if (folder_->seen.files.contains(name)) {
                return Error{Errc::exists, "making " + path_of(name) + ": it is a file"};
            }
            const auto at = folder_->seen.folders.find(name);
            if (at != folder_->seen.folders.end()) below = at->second;
        }
        if (!below && create == Create::never) {
            return Error{Errc::not_found, path_of(name) + " is not there"};
        }
        if (!below) {
            below = std::make_shared<Folder>();
            SLUICE_TRY(change({NameChange::Kind::create_folder, name, nullptr, below}, "making "));
        }
        return std::unique_ptr<Directory>(
            std::make_unique<SimulatedDirectory>(state_, std::move(below), path_of(name)));
    }

    Result<std::vector<std::string>> list() const override {
        const std::lock_guard lock(state_->mutex);
        SLUICE_TRY(state_->check_power("listing " + path_));
        std::vector<std::string> names;
        for (const auto& [name, inode] : folder_->seen.files) names.push_back(name);
        return names;
    }

    Result<void> rename(const std::string& from, const std::string& to) override {
        check_name(to);
        SLUICE_TRY_ASSIGN(std::shared_ptr<Inode> inode, inode_of(from, Create::never));
        return change({NameChange::Kind::rename, to, std::move(inode)}, "renaming to ");
    }

    Result<void> remove(const std::string& name) override {
        SLUICE_TRY_ASSIGN(std::shared_ptr<Inode> inode, inode_of(name, Create::never));
        SLUICE_TRY(change({NameChange::Kind::remove, name, inode}, "removing "));
        const std::lock_guard lock(state_->mutex);
        inode->has_no_name = true;
        return {};
    }

    Result<void> sync() override {
        return state_->operate("syncing " + path_, [&](bool interrupted) {
            if (!interrupted) make_durable();
        });
    }

    Result<std::unique_ptr<FileLock>> lock(const std::string& name) override {
        SLUICE_TRY_ASSIGN(std::shared_ptr<Inode> inode, inode_of(name, Create::if_missing));
        {
            const std::lock_guard guard(state_->mutex);
            if (!state_->locked.insert(inode.get()).second) {
                return Error{Errc::busy, path_ + " is open for writing in process " +
                                             std::to_string(::getpid())};
            }
        }
        auto held = std::make_unique<SimulatedLock>(state_, inode);
        SimulatedFile file(state_, std::move(inode), path_of(name));
        SLUICE_TRY(file.truncate(0));
        SLUICE_TRY(file.write_at(0, std::to_string(::getpid())));
        return std::unique_ptr<FileLock>(std::move(held));
    }

    Medium medium() const override { return Medium::device; }

private:
    static void check_name(const std::string& name) {
        SLUICE_ASSERT(!name.empty() && name.find('/') == std::string::npos && name != "." &&
                      name != "..");
    }
    std::string path_of(const std::string& name) const { return path_ + "/" + name; }

    Result<std::shared_ptr<Inode>> inode_of(const std::string& name, Create create) {
        check_name(name);
        {
            const std::lock_guard lock(state_->mutex);
            SLUICE_TRY(state_->check_power("opening " + path_of(name)));
            if (folder_->seen.folders.contains(name)) {
                return Error{Errc::io, "opening " + path_of(name) + ": it is a directory"};
            }
            const auto at = folder_->seen.files.find(name);
            const bool exists = at != folder_->seen.files.end();
            if (exists && create == Create::must) {
                return Error{Errc::exists, "opening " + path_of(name) + ": it exists"};
            }
            if (exists) return at->second;
            if (create == Create::never) {
                return Error{Errc::not_found, "opening " + path_of(name) + ": no such file"};
            }
        }
        auto inode = std::make_shared<Inode>();
        SLUICE_TRY(change({NameChange::Kind::create, name, inode}, "making "));
        return inode;
    }

    Result<void> change(NameChange change, const char* doing) {
        return state_->operate(doing + path_of(change.name), [&](bool interrupted) {
            change.interrupted = interrupted;
            if (!interrupted) folder_->seen.apply(change);
            folder_->unsynced.push_back(std::move(change));
        });
    }

    void make_durable() {
        std::map<std::shared_ptr<Inode>, std::string> gone;
        for (const auto& [name, inode] : folder_->durable.files) gone.emplace(inode, path_of(name));
        for (const NameChange& each : folder_->unsynced) {
            if (each.inode) gone.emplace(each.inode, path_of(each.name));
        }
        for (const auto& [name, inode] : folder_->seen.files) gone.erase(inode);
        for (const auto& [inode, path] : gone) {
            state_->free.add_file(path, *inode, "removed", true);
        }
        folder_->durable = folder_->seen;
        folder_->unsynced.clear();
    }

    std::shared_ptr<State> state_;
    std::shared_ptr<Folder> folder_;
    std::string path_;
};

void read_all(const Folder& folder, const std::string& prefix,
              std::map<std::string, std::string>& files) {
    for (const auto& [name, inode] : folder.seen.files) {
        files.emplace(prefix + name, inode->region->bytes());
    }
    for (const auto& [name, below] : folder.seen.folders) {
        read_all(*below, prefix + name + "/", files);
    }
}

/// An operation that failed by half and was not followed by a power cut: what processes see is what
/// there is.
void forget_interruptions(Folder& folder) {
    std::map<std::shared_ptr<Inode>, std::string> inodes;
    collect(folder, "", inodes);
    for (const auto& [inode, path] : inodes) {
        for (Change& change : inode->unsynced) {
            if (!change.interrupted || change.kind != Change::Kind::write) continue;
            change.bytes.resize(change.bytes.size() / 2);
            change.size_bytes = change.bytes.size();
            change.interrupted = change.bytes.empty();
        }
        std::erase_if(inode->unsynced, [](const Change& change) { return change.interrupted; });
    }
    std::erase_if(folder.unsynced, [](const NameChange& change) { return change.interrupted; });
    for (const auto& [name, below] : folder.seen.folders) forget_interruptions(*below);
}

} // namespace

void SimulatedDisk::State::recover() {
    fails_behind = kNever;
    failing = fails_once = false;
    forget_interruptions(*root);
}

std::string_view name_of(Fate fate) {
    switch (fate) {
    case Fate::lost: return "lost";
    case Fate::kept: return "kept";
    case Fate::torn: return "torn";
    case Fate::torn_pages: return "torn pages";
    case Fate::reordered: return "reordered";
    }
    return "unknown";
}

SimulatedDisk::SimulatedDisk() : state_(std::make_shared<State>()) {}
SimulatedDisk::SimulatedDisk(std::shared_ptr<State> state) : state_(std::move(state)) {}
SimulatedDisk::~SimulatedDisk() = default;

std::unique_ptr<Directory> SimulatedDisk::root() {
    return std::make_unique<SimulatedDirectory>(state_, state_->root, "/disk");
}

std::uint64_t SimulatedDisk::operations() const {
    const std::lock_guard lock(state_->mutex);
    return state_->operations;
}

std::uint64_t SimulatedDisk::syncs() const {
    const std::lock_guard lock(state_->mutex);
    return state_->syncs;
}

void SimulatedDisk::fail_after(std::uint64_t operations, Errc code, FailedSync pages) {
    const std::lock_guard lock(state_->mutex);
    state_->fails_behind = state_->operations + operations;
    state_->failure = code;
    state_->failed_sync = pages;
    state_->fails_once = false;
}

void SimulatedDisk::fail_once_after(std::uint64_t operations, Errc code, FailedSync pages) {
    fail_after(operations, code, pages);
    const std::lock_guard lock(state_->mutex);
    state_->fails_once = true;
}

void SimulatedDisk::stop_failing() {
    const std::lock_guard lock(state_->mutex);
    state_->recover();
}

void SimulatedDisk::cut_power(Fate fate, std::uint64_t seed) {
    std::shared_ptr<State> next;
    {
        const std::lock_guard lock(state_->mutex);
        next = state_->after_power_cut(fate, seed);
        next->observer = state_->observer;
        state_->powered = false;
    }
    state_ = std::move(next);
}

std::unique_ptr<SimulatedDisk> SimulatedDisk::copy_after_power_cut(Fate fate,
                                                                   std::uint64_t seed) const {
    const std::lock_guard lock(state_->mutex);
    return std::unique_ptr<SimulatedDisk>(new SimulatedDisk(state_->after_power_cut(fate, seed)));
}

void SimulatedDisk::observe(std::function<void()> observer) {
    const std::lock_guard lock(state_->mutex);
    state_->observer = std::move(observer);
}

std::map<std::string, std::string> SimulatedDisk::all_bytes() const {
    const std::lock_guard lock(state_->mutex);
    std::map<std::string, std::string> files;
    read_all(*state_->root, "", files);
    return files;
}

std::vector<Found> SimulatedDisk::find(std::string_view needle) const {
    std::vector<Found> found;
    for (const auto& [path, bytes] : all_bytes()) find_in(bytes, needle, path, found);
    return found;
}

std::vector<Found> SimulatedDisk::find_on_device(std::string_view needle) const {
    const std::lock_guard lock(state_->mutex);
    std::vector<Found> found;
    std::map<std::shared_ptr<Inode>, std::string> inodes;
    collect(*state_->root, "", inodes);
    for (const auto& [inode, path] : inodes) {
        find_in(inode->region->bytes(), needle, path, found);
        find_in(inode->durable, needle, path + " (durable)", found);
        for (const Change& change : inode->unsynced) {
            find_in(change.bytes, needle, path + " (unsynced)", found);
        }
    }
    state_->free.find(needle, found);
    return found;
}

} // namespace sluice::test
