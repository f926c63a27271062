// check and repair: the files of a database that nobody has open.
#include "base/try.hpp"
#include "cli/exit_status.hpp"
#include "cli/program.hpp"
#include "cli/progress.hpp"
#include "inspect/json.hpp"

#include <sluice/check.hpp>

namespace sluice::cli {
namespace {

/// A database that is not opened by the command itself.
void describe_path(CLI::App& app, std::string& path) {
    app.add_option("DB", path, "The directory of the database")->required()->type_name("");
}

Result<std::vector<Finding>> check_with_progress(const std::string& path) {
    ProgressLine progress;
    return check(path, progress.function());
}

std::string place_of(const Finding& finding) {
    if (finding.end == 0) return finding.file;
    return finding.file + ", bytes " + std::to_string(finding.begin) + " to " +
           std::to_string(finding.end - 1);
}

void show(Output& out, std::span<const Finding> findings) {
    for (const Finding& finding : findings) {
        out.line(place_of(finding) + ": " + finding.what);
        out.line("    " + describe(finding.remedy));
    }
}

/// `conclusion`: the last line, if there is anything.
void answer(Output& out, std::span<const Finding> findings, const std::string& conclusion) {
    if (out.json) {
        JsonObject object;
        object.add_json("findings", to_json(findings));
        return out.line(object);
    }
    show(out, findings);
    out.line(findings.empty() ? "nothing is damaged" : conclusion);
}

struct Check {
    static CommandText text() {
        return {"check",
                "Read every file and say what is damaged",
                "Changes nothing, and works where the database does not open. The exit status is 1 "
                "when anything is found. What opening or `sluice repair` would do about it stands "
                "below each line. Whether the views are what the log says is for `sluice verify`.",
                {"sluice check db", "sluice check db --json"}};
    }
    void describe(CLI::App& app) { describe_path(app, path); }
    Result<void> run(Session& session) const {
        SLUICE_TRY_ASSIGN(const auto found, check_with_progress(path));
        if (!found.empty()) session.exit_status = kExitDifferences;
        answer(session.out, found, count_text(found.size(), "finding", "findings"));
        return {};
    }

    std::string path;
};

struct Repair {
    static CommandText text() {
        return {
            "repair",
            "Put right what check finds, and keep what is taken out",
            "Without --keep it says what it would do, and does nothing. What it takes out, "
            "files and bytes of damaged entries, goes to the directory that --keep names: look "
            "there for what can be saved, and throw it away, for no erasure reaches it. Damaged "
            "entries count as erased from then on.",
            {"sluice repair db", "sluice repair db --keep taken-out"}};
    }
    void describe(CLI::App& app) {
        describe_path(app, path);
        app.add_option("--keep", keep, "A new directory, for what is taken out")->type_name("DIR");
    }
    Result<void> run(Session& session) const {
        if (keep.empty()) return say_what(session);
        Result<Repaired> repaired = Repaired();
        {
            ProgressLine progress;
            repaired = repair(path, keep, own_options(), progress.function());
        }
        if (!repaired) return repaired.error();
        if (!repaired->left.empty()) session.exit_status = kExitDifferences;
        if (session.out.json) {
            JsonObject object;
            object.add_json("findings", to_json(repaired->found));
            object.add_json("left", to_json(repaired->left));
            session.out.line(object);
            return {};
        }
        if (repaired->found.empty()) {
            session.out.line("nothing is damaged");
            return {};
        }
        session.out.line(count_text(repaired->found.size(), "finding", "findings") + ", " +
                         count_text(repaired->left.size()) + " left");
        show(session.out, repaired->left);
        return {};
    }
    Result<void> say_what(Session& session) const {
        SLUICE_TRY_ASSIGN(const auto found, check_with_progress(path));
        answer(session.out, found,
               "Nothing was changed. To do it: sluice repair " + path + " --keep DIR");
        return {};
    }

    std::string path;
    std::string keep;
};

} // namespace

void add_repair_commands(Program& program) {
    program.begin_group("Looking after it");
    program.add<Check>(program.app());
    program.add<Repair>(program.app());
}

} // namespace sluice::cli
