// What the program reads besides its command line.
#pragma once
#include "base/secret.hpp"

#include <sluice/result.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace sluice::cli {

/// A whole file; "-" is standard input, and a pipe is read to its end. Errors: not_found; io (also
/// a directory); invalid_argument (over 16 MiB).
Result<std::string> read_file(const std::string& path);

/// The same of what nobody is to find in memory later.
Result<SecretBytes> read_secret_file(const std::string& path);

/// Lines as they come, so that each can be acknowledged before the next one is written.
class LineReader {
public:
    explicit LineReader(int descriptor) : descriptor_(descriptor) {}

    /// All complete lines that are there, without those that are blank; waits for the first.
    /// Nothing at the end. Errors: io; invalid_argument (a line over 16 MiB).
    Result<std::vector<std::string>> next_lines();

private:
    int descriptor_;
    std::string partial_;
    bool at_end_ = false;
};

} // namespace sluice::cli
