// The options that say which messages a change concerns.
#pragma once
#include <sluice/database.hpp>

#include <CLI/CLI.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace sluice::cli {

/// --seq, --key, --where, or --view with --prefix: one of the four.
class Selection {
public:
    void describe(CLI::App& app);
    /// Errors: not_found (a seq behind the end of the log).
    Result<Selector> selector(const Database& database) const;

private:
    std::string seqs_;
    std::vector<std::string> keys_;
    std::string where_;
    std::string view_;
    std::string prefix_;
};

/// Inclusive.
struct SeqRange {
    Seq first;
    Seq last;
};
/// Reads "1,2,9-12". Errors: invalid_argument.
Result<std::vector<SeqRange>> parse_seq_ranges(std::string_view text);

/// What is wrong with a condition, with a caret under the place; empty if nothing is.
std::string where_mistake(const std::string& condition);

} // namespace sluice::cli
