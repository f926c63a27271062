// P6 and P7 down to the device: a process does everything on ext4 or xfs, on a disk that remembers
// in which order the file system wrote to it. The disk as it was at some of these writes, where of
// what was not flushed all, nothing or some arrived, is mounted again and held against what the
// process had acknowledged by then; and its raw bytes are searched for what was erased.
// Skipped, with the reason, where one may not mount, or there are no loop devices, no FUSE or no
// mkfs.
#include "crash/judge.hpp"
#include "crash/trials.hpp"
#include "kill/mounted_image.hpp"
#include "kill/recorded_disk.hpp"
#include "kill/victim.hpp"
#include "kill/worker.hpp"
#include "support/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include <unistd.h>

namespace sluice::test {
namespace {

/// SLUICE_CUTS: how often each disk is cut.
std::uint64_t cut_count() {
    const char* const wanted = std::getenv("SLUICE_CUTS");
    return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 4;
}

constexpr std::uint64_t kStepCount = 120;

struct FileSystem {
    const char* type;
    const char* make;
    std::uint64_t size_bytes; ///< xfs has no smaller ones.
};
constexpr FileSystem kFileSystems[] = {
    {"ext4", "mkfs.ext4 -q -F ", 64 << 20},
    {"xfs", "mkfs.xfs -q -f ", 320 << 20},
};

/// A mark of a worker, and how much the disk had been told when it was made.
struct Mark {
    std::uint64_t operations = 0;
    char kind = 0;
};

enum class Fate : std::uint8_t { nothing, everything, some_writes, some_sectors };
constexpr Fate kFates[] = {Fate::nothing, Fate::everything, Fate::some_writes, Fate::some_sectors};

class DeviceTrial {
public:
    DeviceTrial(const FileSystem& system, std::uint64_t seed)
        : system_(system), seed_(seed), options_(worker_options(seed)),
          directory_(in_memory_if_possible()) {}

    /// Empty, or why this machine cannot.
    std::string make() {
        std::ofstream(image()).close();
        std::filesystem::resize_file(image(), system_.size_bytes);
        const std::string line = system_.make + image().string() + " >/dev/null 2>&1";
        if (std::system(line.c_str()) != 0) return std::string(system_.make) + "does not work here";
        copy_image(image(), base());
        return {};
    }

    void live() {
        RecordedDisk disk(image(), directory_.path() + "/recorded");
        {
            const MountedImage mounted(disk.file(), directory_.path() + "/mounted", system_.type);
            Database::create(mounted.path("database")).value();
            first_cut_ = disk.operation_count();
            Gone gone;
            Work work{mounted.path("database"), options_, {},
                      RandomSteps(seed_, 1),    gone,     kStepCount};
            Process worker([&](int marks) {
                sluice::test::work(std::move(work), [&](char kind, std::string_view what) {
                    const Mark mark{disk.operation_count(), kind};
                    std::string bytes(sizeof mark, '\0');
                    std::memcpy(bytes.data(), &mark, sizeof mark);
                    if (::write(marks, bytes.data(), bytes.size()) < 0) ::_exit(1);
                    if (kind != kWrong) return;
                    std::fprintf(stderr, "%.*s\n", static_cast<int>(what.size()), what.data());
                    ::_exit(1);
                });
            });
            const Obituary obituary = worker.kill_at(Moment::never());
            ASSERT_EQ(obituary.wrong, "");
            marks_.resize(obituary.marks.size() / sizeof(Mark));
            std::memcpy(marks_.data(), obituary.marks.data(), marks_.size() * sizeof(Mark));
        }
        operations_ = disk.stop();
        RandomSteps steps(seed_, 1);
        Model model;
        model.open_again();
        states_.push_back(model);
        for (std::uint64_t i = 0; i < kStepCount; ++i) {
            const Step step = steps.next(model);
            step.expect(model);
            states_.push_back(model);
        }
    }

    void cut(std::uint64_t number, Trials& trials) {
        std::mt19937_64 random(seed_ + number);
        // Every other time just behind an acknowledgement, which is where most can be lost.
        std::uint64_t at = first_cut_ + random() % (operations_.size() - first_cut_ + 1);
        if (number % 2 == 0) at = marks_[random() % marks_.size()].operations;
        const Fate fate = kFates[number / 2 % std::size(kFates)];
        build(at, fate, random);
        const std::string when = std::string(system_.type) + ", seed " + std::to_string(seed_) +
                                 ", cut " + std::to_string(number) + " at operation " +
                                 std::to_string(at);
        trials.count_fault();
        trials.count_state(judge_cut(at), when);
    }

private:
    std::filesystem::path image() const { return directory_.path() + "/image"; }
    std::filesystem::path base() const { return directory_.path() + "/base"; }
    std::filesystem::path found() const { return directory_.path() + "/found"; }

    /// The disk as it is found when the power goes before the operation number `at`.
    void build(std::uint64_t at, Fate fate, std::mt19937_64& random) const {
        copy_image(base(), found());
        std::fstream disk(found(), std::ios::binary | std::ios::in | std::ios::out);
        const auto write = [&](std::uint64_t position, std::string_view bytes) {
            disk.seekp(static_cast<std::streamoff>(position));
            disk.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        };
        const auto begin = operations_.begin();
        const auto end = begin + static_cast<std::ptrdiff_t>(at);
        const auto flush = std::find_if(std::make_reverse_iterator(end), operations_.rend(),
                                        [](const DiskOperation& each) { return each.is_flush(); });
        for (auto each = begin; each != end; ++each) {
            if (each < flush.base() || fate == Fate::everything) {
                write(each->position, each->bytes);
            } else if (fate == Fate::some_writes) {
                if (random() % 2 == 0) write(each->position, each->bytes);
            } else if (fate == Fate::some_sectors) {
                const std::string_view bytes = each->bytes;
                for (std::size_t i = 0; i < bytes.size(); i += 512) {
                    if (random() % 2 == 0) write(each->position + i, bytes.substr(i, 512));
                }
            }
        }
    }

    Verdict judge_cut(std::uint64_t at) const {
        const auto count = [&](char kind) {
            return static_cast<std::size_t>(
                std::count_if(marks_.begin(), marks_.end(), [&](const Mark& mark) {
                    return mark.kind == kind && mark.operations <= at;
                }));
        };
        const Model& before = states_.at(count(kDone));
        const Model& after = states_.at(std::max(count(kDone), count(kBegun)));
        const std::string left = leftover(before);
        if (!left.empty()) return {.leftover = left + " as the power left it"};
        Verdict verdict;
        {
            const MountedImage mounted(found(), directory_.path() + "/mounted", system_.type);
            const auto root = open_directory(mounted.path("database"), Create::never).value();
            // The whole disk is searched below, files and all.
            const Place place{*root, [](std::string_view) { return std::string(); }};
            verdict = judge(place, options_, before, after);
        }
        if (verdict.is_good()) verdict.leftover = leftover(verdict.model);
        return verdict;
    }

    /// On the raw disk.
    std::string leftover(const Model& model) const {
        const std::set<std::string> words = words_in_image(found());
        for (const std::string& needle : model.needles()) {
            if (words.contains(std::string(word_in(needle)))) {
                return "erased text \"" + needle + "\" is on the disk" + origin_of(word_in(needle));
            }
        }
        return {};
    }

    /// The last write that had a word in it.
    std::string origin_of(std::string_view word) const {
        for (std::size_t i = operations_.size(); i-- > 0;) {
            const std::size_t found = operations_[i].bytes.find(word);
            if (found == std::string::npos) continue;
            return ", last written by operation " + std::to_string(i) + " (" +
                   std::to_string(operations_[i].bytes.size()) + " bytes) at byte " +
                   std::to_string(operations_[i].position + found);
        }
        return ", and nobody wrote it";
    }

    const FileSystem& system_;
    std::uint64_t seed_;
    Options options_;
    TemporaryDirectory directory_;
    std::uint64_t first_cut_ = 0;
    std::vector<Mark> marks_;
    std::vector<DiskOperation> operations_;
    std::vector<Model> states_; ///< By the number of steps that are done.
};

class DevicePowerCut : public testing::TestWithParam<FileSystem> {};

TEST_P(DevicePowerCut, AtRecordedWritesLeavesWhatWasAcknowledgedAndNothingThatWasErased) {
    DeviceTrial trial(GetParam(), round_number());
    try {
        mount_for_ourselves();
        if (const std::string reason = trial.make(); !reason.empty()) GTEST_SKIP() << reason;
        trial.live();
    } catch (const NotAllowed& error) {
        GTEST_SKIP() << error.what();
    }
    if (HasFatalFailure()) return;
    Trials trials(std::string("power cut under ") + GetParam().type);
    for (std::uint64_t number = 0; number < cut_count() && !trials.have_failed_enough(); ++number) {
        trial.cut(number, trials);
    }
    EXPECT_GE(trials.states(), cut_count());
}

INSTANTIATE_TEST_SUITE_P(Under, DevicePowerCut, testing::ValuesIn(kFileSystems),
                         [](const auto& each) { return std::string(each.param.type); });

} // namespace
} // namespace sluice::test
