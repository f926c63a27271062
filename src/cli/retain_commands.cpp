// retain add, list, run, drop: messages that go by themselves.
#include "base/try.hpp"
#include "cli/duration.hpp"
#include "cli/program.hpp"
#include "cli/progress.hpp"
#include "cli/selection.hpp"

namespace sluice::cli {
namespace {

struct RetainAdd {
    static CommandText text() {
        return {
            "add",
            "Add a rule by which messages go",
            "After an age, beyond a count, or beyond a size; in all, or in each group. Messages "
            "have no time but the one that they tell: --time says where it stands, as seconds "
            "or milliseconds since 1970, or as text like 2026-11-23T06:41:23Z. A message "
            "without one, or with one that lies ahead, stays. So does one under a legal hold. "
            "Without --time a count or a size goes by the order of the log. Nothing goes "
            "before the rule is applied: by retain run, or by an application that has the "
            "database open for a minute or more.",
            {"sluice retain add db drafts --where '/type=draft' --older-than 90d --time /time",
             "sluice retain add db short --per /author --keep-last 1000",
             "sluice retain add db quota --keep-bytes 500000000 --erase",
             "sluice retain add db typed --view by_type --keep-last 20 --json"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        app.add_option("NAME", rule.name, "What the rule is called")->required();
        app.add_option("--where", rule.where, "Only these, such as '/type=draft'")
            ->type_name("CONDITION")
            ->check(CLI::Validator(where_mistake, ""));
        app.add_option("--view", rule.view, "Only those with rows in this declared view")
            ->type_name("VIEW");
        auto* const age = app.add_option("--older-than", older_than, "Those that are so old");
        age->type_name("DURATION")->check(is_duration())->group(kLimit);
        auto* const count =
            app.add_option("--keep-last", keep_last, "All but so many, the newest of each group");
        count->type_name("N")->group(kLimit);
        auto* const size = app.add_option("--keep-bytes", keep_bytes,
                                          "All but the newest of each group, so large together");
        size->type_name("BYTES")->group(kLimit);
        app.add_option("--time", rule.time, "Where a message says how old it is")
            ->type_name("POINTER");
        app.add_option("--per", rule.per, "Where a message names its group")->type_name("POINTER");
        auto* const remove_flag = app.add_flag("--delete", remove, "Delete them, the default");
        app.add_flag("--erase", erase, "Erase them, with receipts")->excludes(remove_flag);
        app.callback([=] {
            if ((age->count() > 0) + (count->count() > 0) + (size->count() > 0) != 1) {
                throw CLI::ValidationError(
                    "give one limit: --older-than, --keep-last or --keep-bytes");
            }
        });
    }
    Result<void> run(Session& session) const {
        RetentionRule wanted = rule;
        if (!older_than.empty()) wanted.older_than = parse_duration(older_than);
        if (keep_last) wanted.keep_last = keep_last;
        if (keep_bytes) wanted.keep_bytes = keep_bytes;
        if (erase) wanted.action = RetentionRule::Action::erase;
        SLUICE_TRY_ASSIGN(const auto open, database.open(session));
        {
            ProgressLine progress;
            SLUICE_TRY(open->add_retention(wanted, progress.function()));
        }
        SLUICE_TRY_ASSIGN(const auto runs,
                          open->apply_retention({.rule = wanted.name, .dry_run = true}));
        const std::uint64_t due = runs.front().seqs.size();
        if (session.out.json) {
            session.out.line(JsonObject().add("rule", wanted.name).add("due", due));
        } else {
            session.out.line(printable(wanted.name) + ": " + messages_text(due) + " due now");
        }
        return {};
    }

    static constexpr const char* kLimit = "When (one of the three)";
    DatabaseArgument database;
    RetentionRule rule;
    std::string older_than;
    std::optional<std::uint64_t> keep_last, keep_bytes;
    bool remove = false; ///< Changes nothing.
    bool erase = false;
};

std::string limit_text(const RetentionRule& rule) {
    if (rule.older_than) return "older than " + duration_text(*rule.older_than);
    const std::string per = rule.per.empty() ? "" : " per " + printable(rule.per);
    if (rule.keep_last) return "beyond the last " + count_text(*rule.keep_last) + per;
    return "beyond the last " + size_text(rule.keep_bytes.value_or(0)) + per;
}

std::string about_text(const RetentionRule& rule) {
    std::string text = printable(rule.where);
    if (!rule.view.empty()) {
        text += (text.empty() ? "in view " : ", in view ") + printable(rule.view);
    }
    return text.empty() ? "all messages" : text;
}

struct RetainList {
    static CommandText text() {
        return {
            "list",
            "List the rules, and how many messages are due",
            "Those that are due and under a legal hold are counted apart. Where a transform is in "
            "use that this program does not have, nobody can tell what is due: '?'.",
            {"sluice retain list db", "sluice retain list db --json"}};
    }
    void describe(CLI::App& app) { database.describe(app); }
    Result<void> run(Session& session) const {
        SLUICE_TRY_ASSIGN(const auto open, database.open_to_read(session));
        using Align = Table::Align;
        Table table(session.out, {Align::left, Align::left, Align::left, Align::left, Align::right,
                                  Align::right});
        const std::vector<RetentionInfo> rules = open->retention();
        if (!session.out.json && !rules.empty()) {
            table.row({"RULE", "DOES", "WHEN", "ABOUT", "DUE", "HELD"});
        }
        std::string unknown; // Why.
        for (const RetentionInfo& each : rules) {
            const auto runs = open->apply_retention({.rule = each.rule.name, .dry_run = true});
            if (!runs && runs.error().code != Errc::invalid_argument) return runs.error();
            if (!runs) unknown = runs.error().context;
            if (session.out.json) {
                JsonObject line = to_json(each);
                if (runs) {
                    line.add("due", std::uint64_t{runs->front().seqs.size()});
                    line.add("held", runs->front().held);
                } else {
                    line.add("unknown", unknown);
                }
                session.out.line(line);
            } else {
                table.row({printable(each.rule.name), std::string(name_of(each.rule.action)),
                           limit_text(each.rule), about_text(each.rule),
                           runs ? count_text(runs->front().seqs.size()) : "?",
                           runs ? count_text(runs->front().held) : "?"});
            }
        }
        table.finish();
        if (!session.out.json && !unknown.empty()) {
            session.out.line("What is due is not known: " + unknown);
        }
        return {};
    }

    DatabaseArgument database;
};

struct RetainRun {
    static CommandText text() {
        return {
            "run",
            "Delete or erase what is due now",
            "All rules, or the one named; those that erase first. Each batch is all or nothing, "
            "and an interrupted run is gone on with by the next.",
            {"sluice retain run db", "sluice retain run db drafts --dry-run",
             "sluice retain run db --json"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        app.add_option("NAME", options.rule, "Only this rule");
        app.add_flag("--dry-run", options.dry_run,
                     "Change nothing; count the messages (--json lists them)");
    }
    Result<void> run(Session& session) const {
        SLUICE_TRY_ASSIGN(const auto open, database.open(session));
        Result<std::vector<RetentionRun>> runs = std::vector<RetentionRun>();
        {
            ProgressLine progress;
            runs = open->apply_retention(options, progress.function());
        }
        if (!runs) return runs.error();
        for (const RetentionRun& each : *runs) {
            if (session.out.json) {
                session.out.line(to_json(each).add_bool("dry_run", options.dry_run));
                continue;
            }
            const std::string does(name_of(each.action));
            std::string line = printable(each.rule) + ": " +
                               (options.dry_run ? "would " + does : does + 'd') + ' ' +
                               messages_text(each.seqs.size());
            if (each.held > 0) line += ", left " + count_text(each.held) + " held";
            session.out.line(line);
        }
        return {};
    }

    DatabaseArgument database;
    RetentionOptions options;
};

struct RetainDrop {
    static CommandText text() {
        return {"drop",
                "Let a rule go",
                "What it deleted or erased stays so.",
                {"sluice retain drop db drafts"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        app.add_option("NAME", name, "Which rule")->required();
    }
    Result<void> run(Session& session) const {
        SLUICE_TRY_ASSIGN(const auto open, database.open(session));
        SLUICE_TRY(open->drop_retention(name));
        session.show_dropped(name);
        return {};
    }

    DatabaseArgument database;
    std::string name;
};

} // namespace

void add_retain_commands(Program& program) {
    program.begin_group("Changing the past");
    CLI::App& retain = program.add_app(
        program.app(), {"retain",
                        "Rules by which messages go after an age or beyond a quota",
                        "Kept with the database, and applied by whoever has it open.",
                        {}});
    retain.require_subcommand(1);
    program.add<RetainAdd>(retain);
    program.add<RetainList>(retain);
    program.add<RetainRun>(retain);
    program.add<RetainDrop>(retain);
}

} // namespace sluice::cli
