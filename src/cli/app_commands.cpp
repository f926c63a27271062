// apps, app forget: which application has which views.
#include "base/try.hpp"
#include "cli/program.hpp"
#include "cli/view_text.hpp"

#include <unistd.h>

#include <iostream>

namespace sluice::cli {
namespace {

std::string listed(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + printable(name);
    return text.empty() ? "none" : text;
}

struct Apps {
    static CommandText text() {
        return {"apps",
                "List the applications and their views",
                "An application is here by the views that it registered, also while it is not "
                "running. What is deleted or erased leaves its views without it; messages that are "
                "new or other wait for its code, and are counted as pending.",
                {"sluice apps db", "sluice apps db --json", "sluice apps db --unused 30d"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        describe_unused(app, unused, "Only apps that did not come for so long, such as 30d");
    }
    Result<void> run(Session& session) const {
        SLUICE_TRY_ASSIGN(const auto open, database.open_to_read(session));
        using Align = Table::Align;
        Table table(session.out, {Align::left, Align::left, Align::right, Align::left, Align::right,
                                  Align::right, Align::left});
        bool has_title = session.out.json;
        for (const AppInfo& app : open->apps()) {
            if (!is_unused(app.opened_ms, unused)) continue;
            if (session.out.json) {
                session.out.line(to_json(app));
                continue;
            }
            if (!std::exchange(has_title, true)) {
                table.row({"APP", "VIEW", "VERSION", "STATE", "PENDING", "SIZE", "LAST OPENED"});
            }
            for (const ViewInfo& view : app.views) {
                table.row({printable(app.name), printable(view.name), version_text(view),
                           std::string(name_of(view.state)), count_text(view.pending),
                           size_text(view.bytes), opened_text(opened_by(view, app.name))});
            }
        }
        table.finish();
        return {};
    }
    static std::uint64_t opened_by(const ViewInfo& view, const std::string& app) {
        for (const ViewInfo::Use& use : view.uses) {
            if (use.app == app) return use.opened_ms;
        }
        return 0;
    }

    DatabaseArgument database;
    std::string unused;
};

struct AppForget {
    static CommandText text() {
        return {"forget",
                "Drop the views of an application that will not come back",
                "All views that only this application uses go in one moment; those that others use "
                "stay, and are no longer this one's. The messages stay as they are. It is refused "
                "while a view of another application reads one that would go.",
                {"sluice app forget db mail --dry-run", "sluice app forget db mail --yes"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        app.add_option("APP", name, "Which application")->required();
        app.add_flag("--dry-run", dry_run, "Change nothing; say what would be done");
        app.add_flag("--yes", yes, "Do not ask; needed when there is no terminal to ask at");
    }
    Result<void> run(Session& session) const {
        const bool can_ask = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
        SLUICE_TRY_ASSIGN(const auto open, database.open(session));
        SLUICE_TRY_ASSIGN(const Forgotten plan, open->forget_app(name, {.dry_run = true}));
        if (dry_run) return show(session.out, plan, "would drop", "would keep for others");
        if (!yes) {
            session.note("would drop: " + listed(plan.dropped));
            session.note("would keep for others: " + listed(plan.kept));
            if (!can_ask) throw UsageError{"say --yes to do it"};
            std::cerr << "Forget " << printable(name) << "? Type yes: " << std::flush;
            std::string answer;
            std::getline(std::cin, answer);
            if (answer != "yes") throw UsageError{"nothing was dropped"};
        }
        SLUICE_TRY_ASSIGN(const Forgotten done, open->forget_app(name));
        return show(session.out, done, "dropped", "kept for others");
    }
    Result<void> show(Output& out, const Forgotten& forgotten, const std::string& dropped,
                      const std::string& kept) const {
        if (out.json) {
            out.line(JsonObject()
                         .add_bool("dry_run", dry_run)
                         .add_json("dropped", to_json(std::span(forgotten.dropped)))
                         .add_json("kept", to_json(std::span(forgotten.kept))));
            return {};
        }
        out.line(dropped + ": " + listed(forgotten.dropped));
        out.line(kept + ": " + listed(forgotten.kept));
        return {};
    }

    DatabaseArgument database;
    std::string name;
    bool dry_run = false, yes = false;
};

} // namespace

void add_app_commands(Program& program) {
    program.begin_group("Views");
    program.add<Apps>(program.app());
    CLI::App& app = program.add_app(
        program.app(),
        {"app", "Forget an application", "Applications are listed by: sluice apps DB", {}});
    app.require_subcommand(1);
    program.add<AppForget>(app);
}

} // namespace sluice::cli
