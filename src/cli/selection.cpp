#include "cli/selection.hpp"

#include "base/try.hpp"
#include "cli/command.hpp"
#include "views/predicate.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>

namespace sluice::cli {
namespace {

constexpr const char* kGroup = "Which messages (one of the four)";

/// The seq at the beginning of `text`, which is taken off it.
std::optional<Seq> take_seq(std::string_view& text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || value == 0) return {};
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return Seq{value};
}

CLI::Validator is_seq_list() {
    return CLI::Validator(
        [](const std::string& text) {
            const auto ranges = parse_seq_ranges(text);
            return ranges ? std::string() : ranges.error().context;
        },
        "");
}

CLI::Validator is_condition() {
    return CLI::Validator([](const std::string& text) { return where_mistake(text); }, "");
}

} // namespace

Result<std::vector<SeqRange>> parse_seq_ranges(std::string_view text) {
    std::vector<SeqRange> ranges;
    while (true) {
        const auto first = take_seq(text);
        auto last = first;
        if (first && text.starts_with('-')) {
            text.remove_prefix(1);
            last = take_seq(text);
        }
        const bool ends = text.empty();
        if (!last || *last < *first || (!ends && text[0] != ',')) {
            return Error{Errc::invalid_argument, "seqs are written like 1,2,9-12"};
        }
        ranges.push_back({*first, *last});
        if (ends) return ranges;
        text.remove_prefix(1);
    }
}

std::string where_mistake(const std::string& condition) {
    const auto parsed = Predicate::parse(condition);
    if (parsed) return {};
    const std::string& what = parsed.error().context;
    constexpr std::string_view kColumn = "column ";
    const std::size_t found = what.find(kColumn);
    if (found == std::string::npos) return what;
    const auto column = std::strtoull(what.c_str() + found + kColumn.size(), nullptr, 10);
    if (column == 0 || condition.find('\n') != std::string::npos) return what;
    return what + "\n  " + condition + "\n  " + std::string(column - 1, ' ') + '^';
}

void Selection::describe(CLI::App& app) {
    auto* const seq = app.add_option("--seq", seqs_, "By their seqs, such as 1,2,9-12");
    seq->type_name("SEQS")->check(is_seq_list())->group(kGroup);
    auto* const key = app.add_option("--key", keys_, "By application key; may be repeated");
    key->type_name("KEY")->allow_extra_args(false)->group(kGroup);
    auto* const where =
        app.add_option("--where", where_, "By what they say, such as '/author=ann and /n>=3'");
    where->type_name("CONDITION")->check(is_condition())->group(kGroup);
    auto* const view = app.add_option("--view", view_, "Those with rows in this view,");
    view->type_name("VIEW")->group(kGroup);
    auto* const prefix =
        app.add_option("--prefix", prefix_, "under keys that begin with these elements");
    prefix->type_name("JSON")->check(is_view_key())->group(kGroup);
    view->needs(prefix);
    prefix->needs(view);

    app.callback([=] {
        const auto given =
            (seq->count() > 0) + (key->count() > 0) + (where->count() > 0) + (view->count() > 0);
        if (given != 1) {
            throw CLI::ValidationError(
                "say which messages, in one way: --seq, --key, --where, or --view with --prefix");
        }
    });
}

Result<Selector> Selection::selector(const Database& database) const {
    if (!keys_.empty()) return Selector(SelectKeys{keys_});
    if (!where_.empty()) return Selector(SelectWhere{where_});
    if (!view_.empty()) return Selector(SelectView{view_, view_key(prefix_)});

    SLUICE_TRY_ASSIGN(const std::vector<SeqRange> ranges, parse_seq_ranges(seqs_));
    const Seq last = database.last();
    std::vector<Seq> seqs;
    for (const SeqRange& range : ranges) {
        if (range.last > last) {
            return Error{Errc::not_found, "there is no entry " + std::to_string(range.last.value) +
                                              ": the last one is " + std::to_string(last.value)};
        }
        for (Seq seq = range.first; seq <= range.last; seq = seq.next()) seqs.push_back(seq);
    }
    std::sort(seqs.begin(), seqs.end());
    seqs.erase(std::unique(seqs.begin(), seqs.end()), seqs.end());
    return Selector(std::move(seqs));
}

} // namespace sluice::cli
