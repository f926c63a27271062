// What all commands ask who change something.
#pragma once
#include "cli/progress.hpp"

#include <sluice/database.hpp>

#include <CLI/CLI.hpp>

#include <string>

namespace sluice::cli {

/// Why and by whom: kept in the log.
class Motive {
public:
    void describe(CLI::App& app) {
        app.add_option("--reason", reason_, "Why; kept for ever, so no personal data in it")
            ->type_name("TEXT");
        app.add_option("--actor", actor_, "By whom; kept for ever likewise")->type_name("NAME");
    }
    ChangeOptions options(ProgressLine& progress) const {
        return {.reason = reason_, .actor = actor_, .progress = progress.function()};
    }

private:
    std::string reason_, actor_;
};

} // namespace sluice::cli
