#include "cli/output.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

namespace sluice::cli {
namespace {

constexpr std::size_t kPieceSizeBytes = 64 * 1024;

} // namespace

void Output::write(std::string_view text) {
    pending_ += text;
    if (pending_.size() >= kPieceSizeBytes) flush();
}

void Output::line(std::string_view text) {
    pending_ += text;
    write("\n");
}

void Output::flush() {
    std::string_view left = pending_;
    while (!left.empty()) {
        const ssize_t written = ::write(descriptor_, left.data(), left.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) {
            pending_.clear();
            throw OutputClosed{errno};
        }
        left.remove_prefix(static_cast<std::size_t>(written));
    }
    pending_.clear();
}

void Table::row(std::vector<std::string> cells) {
    if (started_) {
        print(cells);
        return;
    }
    held_back_.push_back(std::move(cells));
    if (held_back_.size() >= kRowsHeldBackMax) finish();
}

void Table::finish() {
    started_ = true;
    widths_.assign(columns_.size(), 0);
    for (const auto& cells : held_back_) {
        for (std::size_t column = 0; column < cells.size(); ++column) {
            widths_[column] = std::max(widths_[column], column_count(cells[column]));
        }
    }
    for (const auto& cells : held_back_) print(cells);
    held_back_.clear();
}

void Table::print(const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t column = 0; column < cells.size(); ++column) {
        const std::string& cell = cells[column];
        const std::size_t width = column_count(cell);
        const std::string space(widths_[column] > width ? widths_[column] - width : 0, ' ');
        if (column > 0) line += "  ";
        line += columns_[column] == Align::right ? space + cell : cell + space;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    output_.line(line);
}

std::string count_text(std::uint64_t count) {
    std::string text = std::to_string(count);
    for (std::size_t at = text.size(); at > 3;) {
        at -= 3;
        text.insert(at, 1, ',');
    }
    return text;
}

std::string count_text(std::uint64_t count, std::string_view one, std::string_view many) {
    return count_text(count) + ' ' + std::string(count == 1 ? one : many);
}

std::string messages_text(std::uint64_t count) {
    return count_text(count, "message", "messages");
}

std::string look_different_text(std::uint64_t count) {
    return messages_text(count) + (count == 1 ? " looks" : " look") + " different now";
}

std::string size_text(std::uint64_t size_bytes) {
    static constexpr std::array kUnits = {"kB", "MB", "GB", "TB", "PB", "EB"};
    if (size_bytes < 1000) return std::to_string(size_bytes) + " B";
    auto size = static_cast<double>(size_bytes) / 1000;
    std::size_t unit = 0;
    while (size >= 999.95 && unit + 1 < kUnits.size()) {
        size /= 1000;
        ++unit;
    }
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f %s", size, kUnits[unit]);
    return text.data();
}

std::string seqs_text(const std::vector<Seq>& seqs, std::size_t parts_max) {
    std::string text;
    std::size_t parts = 0;
    for (std::size_t first = 0; first < seqs.size(); ++parts) {
        std::size_t last = first;
        while (last + 1 < seqs.size() && seqs[last + 1] == seqs[last].next()) ++last;
        if (!text.empty()) text += ',';
        if (parts == parts_max) return text + "...";
        text += std::to_string(seqs[first].value);
        if (last > first) text += '-' + std::to_string(seqs[last].value);
        first = last + 1;
    }
    return text;
}

std::string printable(std::string_view text) {
    std::string safe(text);
    const auto is_control = [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7F;
    };
    std::replace_if(safe.begin(), safe.end(), is_control, '?');
    return safe;
}

std::size_t column_count(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    }));
}

} // namespace sluice::cli
