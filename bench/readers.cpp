// Reader processes: what they cost the writer, and how soon they show what it appends. Part of
// bench/run; prints one JSON line for each figure.
#include "bench/fresh.hpp"

#include <cstring>
#include <functional>
#include <string>

#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

namespace sluice::bench {
namespace {

constexpr std::size_t kReaders = 8;
constexpr int kRounds = 5;
constexpr const char* kSaid = R"({"kind":"index","key":["/author","/n"]})";
constexpr const char* kCounts =
    R"({"kind":"aggregate","group":["/author"],"value":{"count":true}})";

std::int64_t now_ns() {
    timespec now{}; // The same clock for all processes.
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

std::string message(std::int64_t n) {
    return R"({"author":"author )" + std::to_string(n % 100) + R"(","n":)" + std::to_string(n) +
           R"(,"text":"as long as what people say to each other in a forum, or nearly so"})";
}

/// What the processes have in common.
struct Shared {
    std::atomic<int> ready;
    std::atomic<bool> done;
    std::atomic<std::uint64_t> measured;
    double latency_ms[4096];
};

Shared& shared() {
    static Shared* const memory = [] {
        void* const at = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        check(at != MAP_FAILED, "processes can share memory");
        return new (at) Shared{};
    }();
    return *memory;
}

/// Processes that read until the writer is done. Made before the writer opens the database: a
/// process with threads is not to be copied.
class ReaderProcesses {
public:
    ReaderProcesses(const std::string& path, std::size_t count,
                    const std::function<void(Database&)>& read) {
        shared().ready = 0;
        shared().done = false;
        for (std::size_t i = 0; i < count; ++i) {
            const pid_t pid = ::fork();
            check(pid >= 0, "a process can be made");
            if (pid == 0) {
                Options options;
                options.read_only = true;
                const auto database = Database::open(path, options).value();
                ++shared().ready;
                read(*database);
                ::_exit(0);
            }
            pids_.push_back(pid);
        }
        while (shared().ready < static_cast<int>(count)) ::usleep(1000);
    }
    ~ReaderProcesses() {
        shared().done = true;
        for (const pid_t pid : pids_) {
            int status = 0;
            ::waitpid(pid, &status, 0);
            check(status == 0, "a reader ends well");
        }
    }
    ReaderProcesses(const ReaderProcesses&) = delete;
    ReaderProcesses& operator=(const ReaderProcesses&) = delete;

private:
    std::vector<pid_t> pids_;
};

std::string new_database() {
    Fresh fresh("readers");
    fresh->add_view("said", kSaid).value();
    fresh->add_view("counts", kCounts).value();
    const std::string kept = scratch() + "readers-kept";
    fresh.close();
    std::filesystem::remove_all(kept);
    std::filesystem::rename(fresh.path(), kept);
    return kept;
}

void read_on(Database& database) {
    Seq seen = database.last();
    while (!shared().done) {
        seen = database.wait_for_entry(seen, std::chrono::milliseconds(50));
        auto newest = database.snapshot().read("said", {.reverse = true, .limit = 1}).value();
        newest.next();
    }
}

double appends_per_second(std::size_t readers, Durability durability, int messages) {
    const std::string path = new_database();
    const ReaderProcesses reading(path, readers, read_on);
    Options options;
    options.durability = durability;
    const auto database = Database::open(path, options).value();
    const double s = seconds([&] {
        for (int i = 0; i < messages; ++i) database->append(NewMessage{message(i)}).value();
    });
    return messages / s;
}

void cost_of_readers(const std::string& name, Durability durability, int messages) {
    std::vector<double> alone, followed, ratios;
    for (int round = 0; round < kRounds; ++round) {
        alone.push_back(appends_per_second(0, durability, messages));
        followed.push_back(appends_per_second(kReaders, durability, messages));
        ratios.push_back(100 * followed.back() / alone.back());
    }
    report("appends alone, " + name, median(alone), "messages/s");
    report("appends beside 8 readers, " + name, median(followed), "messages/s");
    report("of its speed beside 8 readers, " + name, median(ratios), "%");
}

/// The message says when it was appended.
void latency(const std::string& name, Durability durability) {
    constexpr std::uint64_t kSamples = 1000;
    const std::string path = new_database();
    shared().measured = 0;
    {
        const ReaderProcesses reading(path, 1, [](Database& database) {
            Seq seen = database.last();
            while (!shared().done) {
                const Seq now = database.wait_for_entry(seen, std::chrono::milliseconds(50));
                if (now == seen) continue;
                seen = now;
                const Snapshot snapshot = database.snapshot();
                auto newest = snapshot.read("said", {.prefix = Key("author 1")}).value();
                check(newest.next(), "the row is there");
                const std::string body = snapshot.get(seen).value().body;
                const std::int64_t then = std::atoll(body.c_str() + body.find(R"("n":)") + 4);
                const std::uint64_t at = shared().measured++;
                shared().latency_ms[at % 4096] = 1e-6 * static_cast<double>(now_ns() - then);
            }
        });
        Options options;
        options.durability = durability;
        const auto database = Database::open(path, options).value();
        for (std::uint64_t i = 0; i < kSamples; ++i) {
            const std::string body =
                R"({"author":"author 1","n":)" + std::to_string(now_ns()) + '}';
            database->append(NewMessage{body}).value();
            ::usleep(2000);
        }
        for (int i = 0; i < 1000 && shared().measured < kSamples; ++i) ::usleep(1000);
    }
    check(shared().measured >= kSamples / 2, "the reader saw them");
    std::vector<double> ms(shared().latency_ms, shared().latency_ms + shared().measured);
    std::sort(ms.begin(), ms.end());
    report("until a reader shows a row, " + name + ", median", median(ms), "ms");
    report("until a reader shows a row, " + name + ", p99", ms[ms.size() * 99 / 100], "ms");
}

} // namespace
} // namespace sluice::bench

int main(int argc, char** argv) {
    using namespace sluice;
    using namespace sluice::bench;
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s SCRATCH_DIRECTORY\n", argv[0]);
        return 2;
    }
    set_scratch(argv[1]);
    latency("durability off", Durability::none);
    latency("every commit durable", Durability::every_commit);
    RawSync raw(scratch() + "raw");
    std::vector<double> sync_ms;
    for (int i = 0; i < 500; ++i) sync_ms.push_back(1e3 * raw.write_and_sync_seconds(200));
    report("one fdatasync beside the readers", median(sync_ms), "ms");
    cost_of_readers("durability off", Durability::none, 100'000);
    cost_of_readers("every commit durable", Durability::every_commit, 5'000);
    std::filesystem::remove_all(scratch() + "readers-kept");
    return 0;
}
