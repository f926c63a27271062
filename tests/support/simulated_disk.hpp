// A disk in memory whose power can be cut, with the directories and files of io/file.hpp on it.
#pragma once
#include "io/file.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::test {

/// What the disk did with everything that no sync() followed, when the power was cut.
enum class Fate : std::uint8_t {
    lost, ///< Nothing of it arrived.
    kept, ///< All of it arrived.
    /// Each write arrived whole, not at all, or in some of its 512-byte sectors, and a file's size
    /// goes its own way: a grown file may read zeros. Of a directory's changes the first few
    /// arrived.
    torn,
    torn_pages, ///< The same with pages of 4096 bytes, as devices with large sectors tear.
    /// Some files got all their writes and others none, some changes of a directory arrived and
    /// others not: a file can have its new name and none of its bytes.
    reordered,
};
inline constexpr Fate kEveryFate[] = {Fate::lost, Fate::kept, Fate::torn, Fate::torn_pages,
                                      Fate::reordered};
/// Whether this fate leaves one of many disks, and dice choose which.
inline bool has_variants(Fate fate) {
    return fate != Fate::lost && fate != Fate::kept;
}
std::string_view name_of(Fate fate);

/// What a file system does with the pages that a failing File::sync() could not write. After
/// Rebello and others, "Can Applications Recover from fsync Failures?", USENIX ATC 2020. Which
/// pages arrived all the same is a matter of luck.
enum class FailedSync : std::uint8_t {
    stays_dirty, ///< The next sync writes them: what one might hope for.
    /// ext4, xfs: reads show the new bytes and the device has the old ones, and no later sync
    /// writes a page before something is written to it again.
    kept_clean,
    reverted, ///< btrfs: reads show the old bytes again, too.
};
inline constexpr FailedSync kEveryFailedSync[] = {FailedSync::stays_dirty, FailedSync::kept_clean,
                                                  FailedSync::reverted};

/// Keeps for each file what is durable and which writes are not, and for each directory the same of
/// its names. File::sync() makes a file's data and size durable, but not its name: a new file whose
/// directory was not synced may vanish. A new subdirectory is a name in its parent. Durable from
/// the beginning: the root, empty.
///
/// An *operation* is a call that changes something: write_at, truncate, punch_hole, sync, a
/// creating open, rename, remove, making a subdirectory. Taking a lock also writes the file that it
/// names.
///
/// Threads: files and directories as io/file.hpp says; fail_after(), operations(), syncs() and the
/// searches from any; cutting the power only while no other thread is inside a call.
class SimulatedDisk {
public:
    static constexpr std::uint64_t kFileSizeBytesMax = 256 * 1024 * 1024;

    SimulatedDisk();
    ~SimulatedDisk();
    SimulatedDisk(const SimulatedDisk&) = delete;
    SimulatedDisk& operator=(const SimulatedDisk&) = delete;

    /// Its path is "/disk", its medium Medium::device.
    std::unique_ptr<Directory> root();

    /// How often something was changed, or would have been if it had not failed.
    std::uint64_t operations() const;
    /// How many of them were File::sync(): what a commit costs.
    std::uint64_t syncs() const;

    /// Counted from now, `operations` succeed; the one after them and all later ones fail. The one
    /// that fails first may arrive by half, later ones leave nothing. Reading goes on.
    void fail_after(std::uint64_t operations, Errc code = Errc::io,
                    FailedSync pages = FailedSync::stays_dirty);
    /// Only the one behind `operations` fails.
    void fail_once_after(std::uint64_t operations, Errc code = Errc::io,
                         FailedSync pages = FailedSync::stays_dirty);
    /// Operations succeed again. What the first failure left behind stays.
    void stop_failing();

    /// Continues with what is found when the power comes back. Files, directories and locks from
    /// before answer Errc::io from now on; their mappings still read what they read before. Failing
    /// stops. The same fate and seed on the same disk give the same result.
    void cut_power(Fate fate, std::uint64_t seed = 0);
    /// A second disk: what cut_power() would leave, while this one goes on as if nothing had been.
    std::unique_ptr<SimulatedDisk> copy_after_power_cut(Fate fate, std::uint64_t seed = 0) const;

    /// Calls `observer` after each operation that succeeded, on the thread that made it and with no
    /// lock held. With copy_after_power_cut() one run of a scenario yields a crash at each of its
    /// operations. Empty to stop.
    void observe(std::function<void()> observer);

    /// Every file that a process sees now: its path below the root, as in "log/000001", and
    /// content.
    std::map<std::string, std::string> all_bytes() const;

    struct Found {
        std::string
            where; ///< A path; or a path and what became of it, as in "log/000001 (removed)".
        std::uint64_t position = 0;
    };
    /// Where `needle` is in the files that a process sees.
    std::vector<Found> find(std::string_view needle) const;
    /// Where someone who reads the device's blocks can find `needle`: in files as they are seen, as
    /// they are durable, in their unsynced writes, and in the blocks that removed, replaced,
    /// truncated and punched files gave back without durably overwriting them first. Blocks given
    /// back are never used again, so that nothing is overwritten by luck.
    /// What a power cut took away counts as never written, except files that lost their name: these
    /// had their blocks.
    std::vector<Found> find_on_device(std::string_view needle) const;

    struct State; // Public for the files in simulated_disk.cpp only.

private:
    explicit SimulatedDisk(std::shared_ptr<State> state);
    std::shared_ptr<State> state_;
};

} // namespace sluice::test
