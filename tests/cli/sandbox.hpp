// A directory of its own in which a test runs the program.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::test {

struct Ran {
    int status = 0; ///< As a shell says it: 128 and the signal for a process that was killed.
    std::string out;
    std::string err;
};

class Sandbox {
public:
    Sandbox();
    ~Sandbox();
    Sandbox(const Sandbox&) = delete;
    Sandbox& operator=(const Sandbox&) = delete;

    std::string path(const std::string& name) const { return (folder_ / name).string(); }
    void write(const std::string& name, std::string_view content) const;
    std::string read(const std::string& name) const;

    /// Runs a line of shell in the sandbox, where `sluice` is the program.
    Ran run(const std::string& line) const;
    /// The same, and expects success.
    std::string ok(const std::string& line) const;
    /// Starts `sluice ARGUMENTS`, signals it once the folder `name` holds `bytes`, and waits for
    /// its end. Bytes rather than a time: a quick machine is signalled at the same places as a slow
    /// one.
    Ran run_and_signal(const std::string& arguments, int signal, const std::string& name,
                       std::uint64_t bytes) const;

    /// The sizes of the files below the folder `name`, added up.
    std::uint64_t size_of(const std::string& name) const;
    /// Of every file below the folder `name`.
    std::string all_bytes(const std::string& name) const;
    /// Whether any file below the folder `name` holds `needle`.
    bool holds(const std::string& name, std::string_view needle) const;

private:
    std::filesystem::path folder_;
};

std::vector<std::string> lines_of(const std::string& text);

} // namespace sluice::test
