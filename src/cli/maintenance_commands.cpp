// verify, stats, completion, man: looking after a database, and the program about itself.
#include "base/try.hpp"
#include "cli/description.hpp"
#include "cli/exit_status.hpp"
#include "cli/program.hpp"
#include "cli/progress.hpp"

namespace sluice::cli {
namespace {

struct Verify {
    static CommandText text() {
        return {"verify",
                "Prove that every view is what the log says",
                "Recomputes every view from the log with plain code and compares it with what is "
                "stored; checks log, segments and manifest. The exit status is 0 when all is equal "
                "and 1 when anything differs.",
                {"sluice verify db", "sluice verify db --json"}};
    }
    void describe(CLI::App& app) { database.describe(app); }
    Result<void> run(Session& session) const {
        SLUICE_TRY_ASSIGN(const auto open, database.open(session));
        Result<VerifyReport> report = VerifyReport();
        {
            ProgressLine progress;
            report = open->verify(progress.function());
        }
        if (!report) return report.error();
        session.out.json ? session.out.line(to_json(*report)) : show(session.out, *report);
        if (!report->equal()) session.exit_status = kExitDifferences;
        return {};
    }
    static void show(Output& out, const VerifyReport& report) {
        Table table(out, {Table::Align::left, Table::Align::left, Table::Align::right});
        for (const VerifyReport::View& view : report.views) {
            const std::string verdict =
                !view.checked ? "not checked: its code is not here"
                : view.difference_count == 0
                    ? "equal"
                    : count_text(view.difference_count, "difference", "differences");
            table.row({view.name, verdict, count_text(view.rows, "row", "rows")});
        }
        table.finish();
        for (const VerifyReport::View& view : report.views) {
            for (const std::string& each : view.differences) out.line(view.name + ": " + each);
        }
        for (const std::string& each : report.problems) out.line("problem: " + each);
        for (const std::string& each : report.needles_found) {
            out.line("erased bytes are still in " + each);
        }
        out.line((report.equal() ? "equal" : "NOT equal") + std::string(" at entry ") +
                 count_text(report.position.value));
    }

    DatabaseArgument database;
};

struct ShowStats {
    static CommandText text() {
        return {"stats",
                "Say how many entries there are and what they take",
                "",
                {"sluice stats db", "sluice stats db --json"}};
    }
    void describe(CLI::App& app) { database.describe(app); }
    Result<void> run(Session& session) const {
        SLUICE_TRY_ASSIGN(const auto open, database.open_to_read(session));
        const Stats stats = open->stats();
        if (session.out.json) {
            session.out.line(to_json(stats).add("views", std::uint64_t{open->views().size()}));
            return {};
        }
        Table table(session.out, {Table::Align::left, Table::Align::right});
        table.row({"live messages", count_text(stats.live)});
        table.row({"deleted", count_text(stats.deleted)});
        table.row({"erased", count_text(stats.erased)});
        table.row({"held", count_text(stats.held)});
        table.row({"changes", count_text(stats.changes)});
        table.row({"last seq", count_text(stats.last.value)});
        table.row({"log segments", count_text(stats.log_segments)});
        table.row({"log size", size_text(stats.log_bytes)});
        table.row({"views", count_text(open->views().size())});
        table.row({"size of views", size_text(stats.view_bytes)});
        table.row({"an erasure reaches", stats.assurance});
        table.finish();
        return {};
    }

    DatabaseArgument database;
};

const CLI::App& root_of(const CLI::App& app) {
    return app.get_parent() == nullptr ? app : root_of(*app.get_parent());
}

struct Completion {
    static CommandText text() {
        return {"completion",
                "Print what makes a shell complete sluice's command lines",
                "",
                {"sluice completion bash >sluice.bash", "sluice completion zsh >_sluice",
                 "sluice completion fish >sluice.fish"}};
    }
    void describe(CLI::App& app) {
        self = &app;
        app.add_option("SHELL", shell, "Which shell")
            ->required()
            ->type_name("")
            ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    }
    Result<void> run(Session& session) const {
        const CLI::App& root = root_of(*self);
        session.out.write(shell == "bash"  ? bash_completion(root)
                          : shell == "zsh" ? zsh_completion(root)
                                           : fish_completion(root));
        return {};
    }

    const CLI::App* self = nullptr;
    std::string shell;
};

struct Man {
    static CommandText text() {
        return {"man", "Print the man page", "", {"sluice man >sluice.1"}};
    }
    void describe(CLI::App& app) { self = &app; }
    Result<void> run(Session& session) const {
        session.out.write(man_page(root_of(*self), SLUICE_VERSION));
        return {};
    }

    const CLI::App* self = nullptr;
};

} // namespace

void add_maintenance_commands(Program& program) {
    program.begin_group("Looking after it");
    program.add<Verify>(program.app());
    program.add<ShowStats>(program.app());
    program.add<Completion>(program.app());
    program.add<Man>(program.app());
}

} // namespace sluice::cli
