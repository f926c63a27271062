// What the program prints: for people by default, or one JSON object on each line.
#pragma once
#include "inspect/json.hpp"

#include <sluice/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::cli {

/// Thrown when standard output takes no more. Caught by Program::run(), so that the database is
/// closed properly on the way.
struct OutputClosed {
    int os_errno; ///< EPIPE: its reader has gone, which is no reason to complain.
};

/// Standard output, in pieces of 64 KiB.
class Output {
public:
    explicit Output(int descriptor) : descriptor_(descriptor) {}

    /// Set before a command runs.
    bool json = false;

    void write(std::string_view text);
    void line(std::string_view text);
    void line(const JsonObject& object) { line(object.text()); }
    void flush();

private:
    int descriptor_;
    std::string pending_;
};

/// Rows in columns as wide as they need. The first rows decide, so that the output can begin.
class Table {
public:
    enum class Align : std::uint8_t { left, right };
    Table(Output& output, std::vector<Align> columns)
        : output_(output), columns_(std::move(columns)) {}
    ~Table() = default;
    Table(const Table&) = delete;
    Table& operator=(const Table&) = delete;

    void row(std::vector<std::string> cells);
    /// Prints what is still held back. To be called at the end.
    void finish();

private:
    void print(const std::vector<std::string>& cells);

    static constexpr std::size_t kRowsHeldBackMax = 200;
    Output& output_;
    std::vector<Align> columns_;
    std::vector<std::size_t> widths_;
    std::vector<std::vector<std::string>> held_back_;
    bool started_ = false;
};

/// 1,234,567
std::string count_text(std::uint64_t count);
/// "1 message", "2,000 messages"
std::string count_text(std::uint64_t count, std::string_view one, std::string_view many);
std::string messages_text(std::uint64_t count);
/// "1 message looks different now".
std::string look_different_text(std::uint64_t count);
/// 17.6 MB
std::string size_text(std::uint64_t size_bytes);
/// 1,3-5,9
std::string seqs_text(const std::vector<Seq>& seqs, std::size_t parts_max);
/// What a terminal shows as it is: control characters become '?'.
std::string printable(std::string_view text);
/// How many columns a terminal needs for UTF-8 text, nearly.
std::size_t column_count(std::string_view text);

} // namespace sluice::cli
