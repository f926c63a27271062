// A log on a simulated disk, and the few sentences that its tests are made of.
#pragma once
#include "log/log.hpp"
#include "support/simulated_disk.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice::test {

inline constexpr std::uint64_t kSmallSegment = 1024;

struct LogOnDisk {
    explicit LogOnDisk(SimulatedDisk& disk, std::uint64_t segment_size_bytes = kSmallSegment)
        : directory(disk.root()) {
        if (auto created = Log::create(*directory); !created) {
            EXPECT_EQ(created.error().code, Errc::exists) << created.error().context;
        }
        log = Log::open(*directory, {segment_size_bytes}).value();
    }

    Seq append(std::string_view body, std::string_view key = {}) {
        const Log::Draft draft{Log::Kind::message, key, body};
        return log->append(std::span(&draft, 1)).value();
    }
    Seq append_batch(const std::vector<std::string>& bodies) {
        std::vector<Log::Draft> drafts;
        for (const std::string& body : bodies) drafts.push_back({Log::Kind::message, {}, body});
        return log->append(drafts).value();
    }
    std::string body(Seq seq) const {
        const auto entry = log->read(seq);
        if (!entry) return "error: " + std::string(name_of(entry.error().code));
        return entry->erased ? "erased" : std::string(entry->body);
    }

    std::unique_ptr<Directory> directory;
    std::unique_ptr<Log> log;
};

} // namespace sluice::test
