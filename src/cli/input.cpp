#include "cli/input.hpp"

#include "base/try.hpp"
#include "import/json_lines.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <type_traits>

namespace sluice::cli {
namespace {

constexpr std::size_t kReadSizeBytes = 1 << 20;
constexpr std::size_t kSecretReadSizeBytes = 16 << 10; // Few keys; little memory may be locked.

/// Appends to `text`; 0 at the end.
template <typename Text> Result<std::size_t> read_some(int descriptor, Text& text) {
    constexpr bool kIsSecret = std::is_same_v<Text, SecretBytes>;
    constexpr std::size_t kSize = kIsSecret ? kSecretReadSizeBytes : kReadSizeBytes;
    const std::size_t before = text.size();
    text.resize(before + kSize);
    ssize_t got = -1;
    do got = ::read(descriptor, text.data() + before, kSize);
    while (got < 0 && errno == EINTR);
    const int number = errno;
    text.resize(before + static_cast<std::size_t>(got < 0 ? 0 : got));
    if (got < 0) return Error{Errc::io, "reading", number};
    return static_cast<std::size_t>(got);
}

Error too_long(const std::string& what) {
    return {Errc::invalid_argument, what + " is over 16 MiB"};
}

template <typename Text> Result<Text> read_whole(const std::string& path) {
    const bool standard_input = path == "-";
    const int descriptor =
        standard_input ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return Error{errno == ENOENT ? Errc::not_found : Errc::io, "opening " + path, errno};
    }
    Text text;
    Result<std::size_t> got = std::size_t{1};
    while (got && *got > 0 && text.size() <= kForeignRecordSizeBytesMax) {
        got = read_some(descriptor, text);
    }
    if (!standard_input) ::close(descriptor);
    const std::string name = standard_input ? "standard input" : path;
    if (!got) return Error{got.error().code, "reading " + name, got.error().os_errno};
    if (text.size() > kForeignRecordSizeBytesMax) return too_long(name);
    return text;
}

} // namespace

Result<std::string> read_file(const std::string& path) {
    return read_whole<std::string>(path);
}

Result<SecretBytes> read_secret_file(const std::string& path) {
    return read_whole<SecretBytes>(path);
}

Result<std::vector<std::string>> LineReader::next_lines() {
    std::vector<std::string> lines;
    while (lines.empty() && !at_end_) {
        SLUICE_TRY_ASSIGN(const std::size_t got, read_some(descriptor_, partial_));
        at_end_ = got == 0;
        if (at_end_ && !partial_.empty()) partial_ += '\n';
        std::size_t begin = 0;
        for (std::size_t end = 0; (end = partial_.find('\n', begin)) != std::string::npos;) {
            std::string_view line = std::string_view(partial_).substr(begin, end - begin);
            if (line.ends_with('\r')) line.remove_suffix(1);
            if (!is_blank_line(line)) lines.emplace_back(line);
            begin = end + 1;
        }
        partial_.erase(0, begin);
        if (partial_.size() > kForeignRecordSizeBytesMax)
            return too_long("a line of standard input");
    }
    return lines;
}

} // namespace sluice::cli
