#include "support/simulated_disk.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>

#include <unistd.h>

namespace sluice::test {
namespace {

constexpr std::uint64_t kSeeds = 200;

std::unique_ptr<File> make(Directory& directory, const std::string& name,
                           std::string_view content) {
    std::unique_ptr<File> file = directory.open(name, Create::if_missing).value();
    if (!content.empty()) file->write_at(0, content).value();
    return file;
}

std::string content_of(const SimulatedDisk& disk, const std::string& path) {
    const auto files = disk.all_bytes();
    const auto at = files.find(path);
    return at == files.end() ? "(missing)" : at->second;
}

/// What `path` holds after a cut, over many seeds.
std::set<std::string> outcomes(const SimulatedDisk& disk, Fate fate, const std::string& path) {
    std::set<std::string> found;
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
        found.insert(content_of(*disk.copy_after_power_cut(fate, seed), path));
    }
    return found;
}

TEST(SimulatedDisk, ReadsWhatWasWritten) {
    SimulatedDisk disk;
    const auto root = disk.root();
    const auto file = make(*root, "a", "0123456789");
    file->write_at(12, "xy").value();
    EXPECT_EQ(file->size_bytes(), 14U);

    char bytes[14];
    file->read_at(0, bytes, sizeof bytes).value();
    EXPECT_EQ(std::string_view(bytes, 14), std::string_view("0123456789\0\0xy", 14));
    EXPECT_EQ(file->read_at(13, bytes, 2).error().code, Errc::corrupt);
    EXPECT_EQ(file->read_at(~std::uint64_t{0}, bytes, 2).error().code, Errc::corrupt);
}

TEST(SimulatedDisk, NamesFilesAsADirectoryDoes) {
    SimulatedDisk disk;
    const auto root = disk.root();
    make(*root, "b", "old");
    make(*root, "a", "new");
    const auto below = root->subdirectory("log", Create::if_missing).value();
    make(*below, "1", "entry");
    EXPECT_EQ(root->list().value(), (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(root->open("c", Create::never).error().code, Errc::not_found);
    EXPECT_EQ(root->open("a", Create::must).error().code, Errc::exists);
    EXPECT_EQ(root->rename("c", "d").error().code, Errc::not_found);
    EXPECT_EQ(root->remove("c").error().code, Errc::not_found);
    EXPECT_EQ(root->subdirectory("a", Create::if_missing).error().code, Errc::exists);
    EXPECT_EQ(root->open("log", Create::if_missing).error().code, Errc::io);

    root->rename("a", "b").value();
    EXPECT_EQ(disk.all_bytes(),
              (std::map<std::string, std::string>{{"b", "new"}, {"log/1", "entry"}}));
    root->remove("b").value();
    EXPECT_TRUE(root->list().value().empty());
    EXPECT_EQ(root->subdirectory("log", Create::if_missing).value()->path(), "/disk/log");
    EXPECT_EQ(root->medium(), Medium::device);
}

TEST(SimulatedDisk, CutsAndPunchesFilesToZeros) {
    SimulatedDisk disk;
    const auto root = disk.root();
    const auto file = make(*root, "a", std::string(10000, 'x'));
    file->truncate(5000).value();
    file->truncate(9000).value();
    file->punch_hole(100, 50).value();
    file->punch_hole(8000, 5000).value();
    std::string expected = std::string(5000, 'x') + std::string(4000, '\0');
    std::fill_n(expected.begin() + 100, 50, '\0');
    EXPECT_EQ(content_of(disk, "a"), expected);
}

TEST(SimulatedDisk, MapsBytesThatFollowLaterWrites) {
    SimulatedDisk disk;
    const auto root = disk.root();
    auto file = make(*root, "a", "first");
    const Mapping mapping = file->map(1 << 20).value();
    file->write_at(5, " second").value();
    file.reset();
    root->remove("a").value();
    EXPECT_EQ(mapping.bytes(0, 12), "first second");

    disk.cut_power(Fate::lost);
    EXPECT_EQ(mapping.bytes(0, 12), "first second");
}

TEST(SimulatedDisk, LosesWhatNoSyncFollowed) {
    SimulatedDisk disk;
    const auto root = disk.root();
    const auto file = make(*root, "a", "durable");
    file->sync().value();
    root->sync().value();
    file->write_at(0, "unsafe!").value();
    file->write_at(7, " and longer").value();
    make(*root, "b", "").reset();
    root->subdirectory("below", Create::if_missing).value();
    EXPECT_EQ(content_of(disk, "a"), "unsafe! and longer");

    disk.cut_power(Fate::lost);
    EXPECT_EQ(disk.all_bytes(), (std::map<std::string, std::string>{{"a", "durable"}}));
}

TEST(SimulatedDisk, KeepsEverythingWhenItIsLucky) {
    SimulatedDisk disk;
    const auto root = disk.root();
    const auto below = root->subdirectory("below", Create::if_missing).value();
    const auto file = make(*below, "a", std::string(3000, 'x'));
    file->truncate(1000).value();
    file->write_at(2000, "end").value();
    make(*root, "b", "moved");
    root->rename("b", "c").value();
    const auto before = disk.all_bytes();
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
        EXPECT_EQ(disk.copy_after_power_cut(Fate::kept, seed)->all_bytes(), before);
    }
}

TEST(SimulatedDisk, KeepsUnderEveryFateWhatWasSynced) {
    SimulatedDisk disk;
    const auto root = disk.root();
    const auto below = root->subdirectory("below", Create::if_missing).value();
    root->sync().value();
    const auto file = make(*below, "a", std::string(3000, 'x'));
    make(*below, "b", "").reset();
    below->rename("b", "c").value();
    below->sync().value();
    file->truncate(2000).value();
    file->punch_hole(0, 512).value();
    file->sync().value();
    const auto before = disk.all_bytes();
    for (const Fate fate : kEveryFate) {
        for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
            EXPECT_EQ(disk.copy_after_power_cut(fate, seed)->all_bytes(), before);
        }
    }
}

TEST(SimulatedDisk, SyncingAFileLeavesItsNameUnsafe) {
    SimulatedDisk disk;
    const auto root = disk.root();
    make(*root, "a", "text")->sync().value();
    EXPECT_EQ(outcomes(disk, Fate::lost, "a"), std::set<std::string>{"(missing)"});
    const std::set<std::string> either{"(missing)", "text"};
    EXPECT_EQ(outcomes(disk, Fate::torn, "a"), either);
    EXPECT_EQ(outcomes(disk, Fate::reordered, "a"), either);
}

TEST(SimulatedDisk, LosesASubdirectoryWhoseParentWasNotSynced) {
    SimulatedDisk disk;
    const auto root = disk.root();
    const auto below = root->subdirectory("below", Create::if_missing).value();
    make(*below, "a", "text")->sync().value();
    below->sync().value();
    EXPECT_TRUE(disk.copy_after_power_cut(Fate::lost)->all_bytes().empty());
    root->sync().value();
    EXPECT_EQ(disk.copy_after_power_cut(Fate::lost)->all_bytes().size(), 1U);
}

TEST(SimulatedDisk, TearsAWriteBetweenSectorsOnly) {
    SimulatedDisk disk;
    const auto root = disk.root();
    const auto file = make(*root, "a", std::string(2048, '.'));
    file->sync().value();
    root->sync().value();
    file->write_at(256, std::string(1024, 'x')).value(); // Half of sectors 0 and 2, and sector 1.

    std::set<std::string> expected;
    for (unsigned sectors = 0; sectors < 8; ++sectors) {
        std::string content(2048, '.');
        if (sectors & 1) std::fill_n(content.begin() + 256, 256, 'x');
        if (sectors & 2) std::fill_n(content.begin() + 512, 512, 'x');
        if (sectors & 4) std::fill_n(content.begin() + 1024, 256, 'x');
        expected.insert(content);
    }
    EXPECT_EQ(outcomes(disk, Fate::torn, "a"), expected);
}

TEST(SimulatedDisk, TearsAWriteBetweenPagesOnlyWhereTheDeviceHasLargeSectors) {
    SimulatedDisk disk;
    const auto root = disk.root();
    const auto file = make(*root, "a", std::string(8192, '.'));
    file->sync().value();
    root->sync().value();
    file->write_at(1024, std::string(7168, 'x')).value();

    const std::string none(1024, '.');
    EXPECT_EQ(outcomes(disk, Fate::torn_pages, "a"),
              (std::set<std::string>{none + std::string(7168, '.'), none + std::string(7168, 'x'),
                                     none + std::string(3072, 'x') + std::string(4096, '.'),
                                     none + std::string(3072, '.') + std::string(4096, 'x')}));
}

TEST(SimulatedDisk, NeverKeepsALaterWriteWithoutAnEarlierOneInOneSector) {
    SimulatedDisk disk;
    const auto root = disk.root();
    const auto file = make(*root, "a", "....");
    file->sync().value();
    root->sync().value();
    file->write_at(0, "1").value();
    file->write_at(1, "2").value();
    EXPECT_EQ(outcomes(disk, Fate::torn, "a"), (std::set<std::string>{"....", "1...", "12.."}));
}

TEST(SimulatedDisk, KeepsALaterWriteWithoutAnEarlierOneInOtherSectors) {
    SimulatedDisk disk;
    const auto root = disk.root();
    const auto file = make(*root, "a", std::string(1024, '.'));
    file->sync().value();
    root->sync().value();
    file->write_at(0, "1").value();
    file->write_at(1000, "2").value();
    std::set<std::string> ends;
    for (const std::string& content : outcomes(disk, Fate::torn, "a")) {
        ends.insert({content[0], content[1000]});
    }
    EXPECT_EQ(ends, (std::set<std::string>{"..", "1.", ".2", "12"}));
}

TEST(SimulatedDisk, GrowsAFileWithoutItsBytesAndCutsBytesWithoutTheirSize) {
    SimulatedDisk disk;
    const auto root = disk.root();
    const auto file = make(*root, "a", "");
    root->sync().value();
    file->write_at(0, "text").value();
    EXPECT_EQ(outcomes(disk, Fate::torn, "a"),
              (std::set<std::string>{"", "text", std::string(4, '\0')}));
    file->sync().value();
    file->truncate(2).value();
    EXPECT_EQ(outcomes(disk, Fate::torn, "a"),
              (std::set<std::string>{"text", "te", std::string("te\0\0", 4)}));
}

TEST(SimulatedDisk, ReordersFilesAndNames) {
    SimulatedDisk disk;
    const auto root = disk.root();
    make(*root, "current", "old")->sync().value();
    root->sync().value();
    make(*root, "next", "new").reset(); // Without sync: what everybody does once.
    root->rename("next", "current").value();
    EXPECT_EQ(outcomes(disk, Fate::reordered, "current"),
              (std::set<std::string>{"old", "new", ""}));

    SimulatedDisk second;
    const auto other = second.root();
    const auto a = make(*other, "a", ""), b = make(*other, "b", "");
    other->sync().value();
    a->write_at(0, "1").value();
    b->write_at(0, "2").value();
    std::set<std::string> found;
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
        const auto files = second.copy_after_power_cut(Fate::reordered, seed)->all_bytes();
        found.insert(files.at("a") + "|" + files.at("b"));
    }
    EXPECT_EQ(found, (std::set<std::string>{"|", "1|", "|2", "1|2"}));
}

TEST(SimulatedDisk, KeepsTheFirstOfADirectorysChangesWhenTorn) {
    SimulatedDisk disk;
    const auto root = disk.root();
    for (const char* name : {"1", "2", "3"}) make(*root, name, "").reset();
    std::set<std::size_t> counts;
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
        const auto names = disk.copy_after_power_cut(Fate::torn, seed)->root()->list().value();
        for (std::size_t i = 0; i < names.size(); ++i) EXPECT_EQ(names[i], std::to_string(i + 1));
        counts.insert(names.size());
    }
    EXPECT_EQ(counts, (std::set<std::size_t>{0, 1, 2, 3}));
}

TEST(SimulatedDisk, GivesAFileOneNameWhateverArrived) {
    SimulatedDisk disk;
    const auto root = disk.root();
    make(*root, "a", "text").reset();
    root->rename("a", "b").value();
    root->rename("b", "c").value();
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
        const auto found = disk.copy_after_power_cut(Fate::reordered, seed);
        EXPECT_LE(found->root()->list().value().size(), 1U);
    }
}

TEST(SimulatedDisk, RepeatsItselfForASeed) {
    SimulatedDisk disk;
    const auto root = disk.root();
    for (const char* name : {"1", "2", "3"}) make(*root, name, std::string(5000, name[0])).reset();
    for (const Fate fate : kEveryFate) {
        EXPECT_EQ(disk.copy_after_power_cut(fate, 7)->all_bytes(),
                  disk.copy_after_power_cut(fate, 7)->all_bytes());
    }
    const auto copy = disk.copy_after_power_cut(Fate::torn, 7);
    disk.cut_power(Fate::torn, 7);
    EXPECT_EQ(disk.all_bytes(), copy->all_bytes());
}

TEST(SimulatedDisk, FailsEveryOperationBehindTheCount) {
    SimulatedDisk disk;
    const auto root = disk.root();
    const auto file = make(*root, "a", "0123456789"); // Two operations.
    EXPECT_EQ(disk.operations(), 2U);
    disk.fail_after(2);
    file->write_at(0, "x").value();
    file->sync().value();
    const Result<void> failed = file->write_at(0, "abcd");
    EXPECT_EQ(failed.error().code, Errc::io);
    EXPECT_EQ(content_of(disk, "a"), "ab23456789") << "the failing write arrives by half";

    EXPECT_EQ(file->write_at(0, "abcd").error().code, Errc::io);
    EXPECT_EQ(file->truncate(0).error().code, Errc::io);
    EXPECT_EQ(file->punch_hole(0, 5).error().code, Errc::io);
    EXPECT_EQ(file->sync().error().code, Errc::io);
    EXPECT_EQ(root->open("b", Create::if_missing).error().code, Errc::io);
    EXPECT_EQ(root->rename("a", "b").error().code, Errc::io);
    EXPECT_EQ(root->remove("a").error().code, Errc::io);
    EXPECT_EQ(root->subdirectory("below", Create::if_missing).error().code, Errc::io);
    EXPECT_EQ(root->sync().error().code, Errc::io);
    EXPECT_EQ(content_of(disk, "a"), "ab23456789") << "later ones leave nothing";
    char byte = 0;
    file->read_at(0, &byte, 1).value();
    EXPECT_EQ(disk.syncs(), 1U);
}

TEST(SimulatedDisk, FailsWithTheCodeAskedForAndRecovers) {
    SimulatedDisk disk;
    const auto root = disk.root();
    const auto file = make(*root, "a", "0123456789");
    file->sync().value();
    root->sync().value();
    disk.fail_after(0, Errc::no_space);
    EXPECT_EQ(file->write_at(8, "abcd").error().code, Errc::no_space);
    disk.stop_failing();
    make(*root, "b", "").reset();
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
        EXPECT_EQ(disk.copy_after_power_cut(Fate::kept, seed)->all_bytes(), disk.all_bytes());
    }
    file->sync().value();
    EXPECT_EQ(content_of(*disk.copy_after_power_cut(Fate::lost), "a"), "01234567ab");
}

TEST(SimulatedDisk, FailsOnceIfAskedTo) {
    SimulatedDisk disk;
    const auto root = disk.root();
    const auto file = make(*root, "a", "0123456789");
    root->sync().value();
    disk.fail_once_after(1, Errc::no_space);
    file->sync().value();
    EXPECT_EQ(file->write_at(8, "abcd").error().code, Errc::no_space);
    file->sync().value();
    EXPECT_EQ(content_of(*disk.copy_after_power_cut(Fate::lost), "a"), "01234567ab");
}

/// What processes and the device have, in some order of luck, after a sync of the third of three
/// versions of a file of two pages failed and a later one succeeded.
std::set<std::pair<std::string, std::string>> after_a_failed_sync(FailedSync pages, bool touched) {
    std::set<std::pair<std::string, std::string>> found;
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
        SimulatedDisk disk;
        const auto root = disk.root();
        const auto file = make(*root, "a", std::string(8192, 'o'));
        file->sync().value();
        root->sync().value();
        for (std::uint64_t i = 0; i < seed; ++i) file->punch_hole(0, 0).value(); // Another luck.
        file->write_at(0, std::string(8192, 'n')).value();
        disk.fail_once_after(0, Errc::io, pages);
        EXPECT_FALSE(file->sync());
        if (touched) file->write_at(1, "n").value();
        file->sync().value();
        const auto ends = [](const std::string& content) {
            return std::string{content.front(), content.back()};
        };
        found.emplace(ends(content_of(disk, "a")),
                      ends(content_of(*disk.copy_after_power_cut(Fate::lost), "a")));
    }
    return found;
}

TEST(SimulatedDisk, LeavesOfAFailedSyncWhatFileSystemsLeave) {
    using Ends = std::set<std::pair<std::string, std::string>>;
    EXPECT_EQ(after_a_failed_sync(FailedSync::stays_dirty, false), (Ends{{"nn", "nn"}}));
    EXPECT_EQ(after_a_failed_sync(FailedSync::kept_clean, false),
              (Ends{{"nn", "oo"}, {"nn", "no"}, {"nn", "on"}, {"nn", "nn"}}));
    EXPECT_EQ(after_a_failed_sync(FailedSync::kept_clean, true), (Ends{{"nn", "no"}, {"nn", "nn"}}))
        << "a page that is written to again is written whole";
    EXPECT_EQ(after_a_failed_sync(FailedSync::reverted, false),
              (Ends{{"oo", "oo"}, {"no", "no"}, {"on", "on"}, {"nn", "nn"}}));
}

TEST(SimulatedDisk, TheOperationThatThePowerCutHitsMayArriveWholeByHalfOrNotAtAll) {
    const auto scenario = [](auto last) {
        std::set<std::string> found;
        for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
            SimulatedDisk disk;
            const auto root = disk.root();
            const auto file = make(*root, "a", std::string(1024, '.'));
            file->sync().value();
            root->sync().value();
            disk.fail_after(0);
            last(*root, *file);
            disk.cut_power(Fate::kept, seed);
            std::string state;
            for (const auto& [name, content] : disk.all_bytes()) {
                state += name + "=";
                if (!content.empty()) state += {content.front(), content.back()};
            }
            found.insert(state);
        }
        return found;
    };
    EXPECT_EQ(scenario([](Directory&, File& file) {
                  EXPECT_FALSE(file.write_at(0, std::string(1024, 'x')));
              }),
              (std::set<std::string>{"a=..", "a=x.", "a=.x", "a=xx"}));
    EXPECT_EQ(scenario([](Directory& root, File&) { EXPECT_FALSE(root.rename("a", "b")); }),
              (std::set<std::string>{"a=..", "b=.."}));
    EXPECT_EQ(scenario([](Directory& root, File&) { EXPECT_FALSE(root.remove("a")); }),
              (std::set<std::string>{"a=..", ""}));
    EXPECT_EQ(scenario([](Directory&, File& file) { EXPECT_FALSE(file.truncate(0)); }),
              (std::set<std::string>{"a=..", std::string("a=\0\0", 4), std::string("a=\0.", 4),
                                     std::string("a=.\0", 4), "a="}));
}

TEST(SimulatedDisk, FindsDurableWhatOnePowerCutLeftWhenTheNextComes) {
    SimulatedDisk disk;
    make(*disk.root()->subdirectory("below", Create::if_missing).value(), "a", "text").reset();
    disk.cut_power(Fate::kept);
    disk.cut_power(Fate::lost);
    EXPECT_EQ(content_of(disk, "below/a"), "text");
}

TEST(SimulatedDisk, ForgetsAfterRecoveryWhatAFailedOperationMightHaveDone) {
    SimulatedDisk disk;
    const auto below = disk.root()->subdirectory("below", Create::if_missing).value();
    make(*below, "a", "text").reset();
    disk.fail_after(0);
    EXPECT_FALSE(below->rename("a", "b"));
    disk.stop_failing();
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
        const auto found = disk.copy_after_power_cut(Fate::kept, seed);
        EXPECT_EQ(content_of(*found, "below/a"), "text");
    }
}

TEST(SimulatedDisk, EndsFilesLocksAndDirectoriesWithThePower) {
    SimulatedDisk disk;
    const auto root = disk.root();
    const auto lock = root->lock("lock").value();
    root->sync().value();
    const auto file = make(*root, "a", "text");
    disk.fail_after(0);
    EXPECT_FALSE(file->sync());
    disk.cut_power(Fate::kept);

    EXPECT_EQ(file->write_at(0, "more").error().code, Errc::io);
    EXPECT_EQ(file->sync().error().code, Errc::io);
    char byte = 0;
    EXPECT_EQ(file->read_at(0, &byte, 1).error().code, Errc::io);
    EXPECT_EQ(file->map(1).error().code, Errc::io);
    EXPECT_EQ(root->open("a", Create::never).error().code, Errc::io);
    EXPECT_EQ(root->list().error().code, Errc::io);
    EXPECT_EQ(root->sync().error().code, Errc::io);
    EXPECT_EQ(root->lock("lock").error().code, Errc::io);

    const auto again = disk.root();
    const auto held = again->lock("lock").value();
    make(*again, "b", "goes on")->sync().value();
    EXPECT_EQ(content_of(disk, "a"), "text");
}

TEST(SimulatedDisk, LocksOncePerMachine) {
    SimulatedDisk disk;
    const auto root = disk.root();
    auto lock = root->lock("lock").value();
    EXPECT_EQ(disk.root()->lock("lock").error().code, Errc::busy);
    EXPECT_EQ(content_of(disk, "lock"), std::to_string(::getpid()));
    lock.reset();
    EXPECT_TRUE(disk.root()->lock("lock"));
}

TEST(SimulatedDisk, ShowsEachOperationToAnObserver) {
    SimulatedDisk disk;
    const auto root = disk.root();
    std::vector<std::string> states;
    disk.observe(
        [&] { states.push_back(content_of(*disk.copy_after_power_cut(Fate::lost), "a")); });
    const auto file = make(*root, "a", "1");
    root->sync().value();
    file->sync().value();
    disk.cut_power(Fate::kept);
    make(*disk.root(), "a", "").reset();
    disk.root()->sync().value();
    EXPECT_EQ(states.size(), 5U) << "it stays through a power cut";
    states.pop_back();
    disk.observe({});
    disk.root()->sync().value();
    EXPECT_EQ(states, (std::vector<std::string>{"(missing)", "(missing)", "", "1"}));
}

TEST(SimulatedDisk, FindsANeedleInFilesOnly) {
    SimulatedDisk disk;
    const auto root = disk.root();
    const auto file =
        make(*root->subdirectory("log", Create::if_missing).value(), "1", "xx needle needle");
    const auto found = disk.find("needle");
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].where, "log/1");
    EXPECT_EQ(found[0].position, 3U);
    EXPECT_EQ(found[1].position, 10U);
    file->write_at(0, std::string(16, '\0')).value();
    EXPECT_TRUE(disk.find("needle").empty());
    EXPECT_FALSE(disk.find_on_device("needle").empty()) << "not synced yet";
    file->sync().value();
    EXPECT_TRUE(disk.find_on_device("needle").empty());
}

TEST(SimulatedDisk, FindsWhatWasRemovedWithoutOverwriting) {
    SimulatedDisk disk;
    const auto root = disk.root();
    make(*root, "a", "needle")->sync().value();
    root->remove("a").value();
    EXPECT_TRUE(disk.find("needle").empty());
    EXPECT_FALSE(disk.find_on_device("needle").empty());
    root->sync().value();
    EXPECT_FALSE(disk.find_on_device("needle").empty());
    disk.cut_power(Fate::kept);
    EXPECT_FALSE(disk.find_on_device("needle").empty());
}

TEST(SimulatedDisk, FindsWhatARenameReplaced) {
    SimulatedDisk disk;
    const auto root = disk.root();
    make(*root, "a", "needle")->sync().value();
    root->sync().value();
    make(*root, "b", "other")->sync().value();
    root->rename("b", "a").value();
    root->sync().value();
    EXPECT_EQ(content_of(disk, "a"), "other");
    EXPECT_FALSE(disk.find_on_device("needle").empty());
}

TEST(SimulatedDisk, FindsNothingOfADestroyedFile) {
    SimulatedDisk disk;
    const auto root = disk.root();
    make(*root, "a", "needle")->sync().value();
    root->sync().value();
    destroy_file(*root, "a").value();
    for (const Fate fate : kEveryFate) {
        for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
            EXPECT_TRUE(disk.copy_after_power_cut(fate, seed)->find_on_device("needle").empty());
        }
    }
    root->sync().value();
    EXPECT_TRUE(disk.find_on_device("needle").empty());
}

TEST(SimulatedDisk, FindsWhatWasGivenBackBeforeTheOverwriteWasDurable) {
    const auto given_back = [](auto give_back, bool sync_between) {
        SimulatedDisk disk;
        const auto root = disk.root();
        const auto file = make(*root, "a", std::string(600, '.') + "needle");
        file->sync().value();
        root->sync().value();
        overwrite_with_zeros(*file, 512, 100).value();
        if (sync_between) file->sync().value();
        give_back(*file);
        file->sync().value();
        return disk.find_on_device("needle").size();
    };
    const auto cut = [](File& file) { file.truncate(512).value(); };
    const auto punch = [](File& file) { file.punch_hole(512, 4096).value(); };
    EXPECT_EQ(given_back(cut, true), 0U);
    EXPECT_EQ(given_back(cut, false), 1U);
    EXPECT_EQ(given_back(punch, true), 0U);
    EXPECT_EQ(given_back(punch, false), 1U);
}

TEST(SimulatedDisk, FindsUnsyncedBytesThatWereGivenBack) {
    SimulatedDisk disk;
    const auto root = disk.root();
    const auto file = make(*root, "a", "");
    root->sync().value();
    file->write_at(0, "xxneedle").value();
    file->truncate(2).value();
    file->sync().value();
    EXPECT_EQ(disk.find_on_device("needle").size(), 1U);
    EXPECT_EQ(disk.find("needle").size(), 0U);
}

TEST(SimulatedDisk, FindsWhatAPowerCutLeftInFreeBlocks) {
    SimulatedDisk disk;
    const auto root = disk.root();
    make(*root, "vanishes", "needle")->sync().value();
    const auto file = make(*root, "stays", "");
    disk.cut_power(Fate::lost);
    EXPECT_TRUE(disk.all_bytes().empty());
    ASSERT_EQ(disk.find_on_device("needle").size(), 1U);
    EXPECT_EQ(disk.find_on_device("needle")[0].where, "vanishes (lost its name)");
}

TEST(SimulatedDisk, FindsWhatWasGivenBackWhenThePowerWasCut) {
    SimulatedDisk disk;
    const auto root = disk.root();
    const auto file = make(*root, "a", std::string(600, '.') + "needle");
    file->sync().value();
    root->sync().value();
    file->punch_hole(600, 6).value();
    EXPECT_EQ(disk.copy_after_power_cut(Fate::kept)->find_on_device("needle").size(), 1U);
    EXPECT_EQ(disk.copy_after_power_cut(Fate::kept)->find("needle").size(), 0U);
}

TEST(SimulatedDisk, FindsWhatATruncateLeftHoweverItArrived) {
    SimulatedDisk disk;
    const auto root = disk.root();
    const auto file = make(*root, "a", std::string(600, '.') + "needle");
    file->sync().value();
    root->sync().value();
    file->truncate(0).value();
    for (const Fate fate : kEveryFate) {
        for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
            EXPECT_FALSE(disk.copy_after_power_cut(fate, seed)->find_on_device("needle").empty());
        }
    }
}

TEST(SimulatedDisk, DoesNotTakeAFileThatSurvivedForFreeBlocks) {
    SimulatedDisk disk;
    const auto root = disk.root();
    make(*root, "a", "needle")->sync().value();
    root->sync().value();
    disk.cut_power(Fate::lost);
    const auto file = disk.root()->open("a", Create::never).value();
    overwrite_with_zeros(*file, 0, file->size_bytes()).value();
    file->sync().value();
    EXPECT_TRUE(disk.find_on_device("needle").empty());
}

TEST(SimulatedDisk, ForgetsUnsyncedBytesThatThePowerCutTook) {
    SimulatedDisk disk;
    const auto root = disk.root();
    const auto file = make(*root, "a", "");
    root->sync().value();
    file->write_at(0, "needle").value();
    for (const Fate fate : kEveryFate) {
        for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
            const auto found = disk.copy_after_power_cut(fate, seed);
            EXPECT_EQ(found->find_on_device("needle").empty(), found->find("needle").empty());
        }
    }
}

TEST(SimulatedDisk, RefusesFilesThatOutgrowIt) {
    SimulatedDisk disk;
    const auto file = make(*disk.root(), "a", "");
    EXPECT_EQ(file->write_at(SimulatedDisk::kFileSizeBytesMax, "x").error().code, Errc::no_space);
    EXPECT_EQ(file->truncate(SimulatedDisk::kFileSizeBytesMax + 1).error().code, Errc::no_space);
    EXPECT_EQ(file->size_bytes(), 0U);
}

TEST(SimulatedDiskThreads, ReadersOfAMappingAndOfTheFileRunBesideTheWriter) {
    SimulatedDisk disk;
    const auto root = disk.root();
    const auto file = make(*root, "a", std::string(4096, 'x'));
    const Mapping mapping = file->map(1 << 20).value();
    std::thread reader([&] {
        char bytes[64];
        for (std::uint64_t at = 0; at + sizeof bytes <= 4096; at += sizeof bytes) {
            file->read_at(at, bytes, sizeof bytes).value();
            EXPECT_EQ(mapping.bytes(at, sizeof bytes), std::string_view(bytes, sizeof bytes));
        }
    });
    for (std::uint64_t i = 0; i < 64; ++i) {
        file->write_at(4096 + i * 100, std::string(100, 'y')).value();
        file->sync().value();
    }
    reader.join();
}

} // namespace
} // namespace sluice::test
