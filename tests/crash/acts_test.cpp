// P7 for each call by itself, on one database that has some of everything: its system calls fail,
// one after the other, or a file of views is damaged before it. It does what it should or names an
// error; and when the machine is well again, opening shows what the log says.
#include "base/try.hpp"
#include "crash/system_calls.hpp"
#include "crash/trials.hpp"
#include "database/retention_test_support.hpp"
#include "database/transform_test_support.hpp"
#include "support/file_bytes.hpp"
#include "support/temporary_directory.hpp"

#include <sluice/feed.hpp>
#include <sluice/retention.hpp>
#include <sluice/subscription.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace sluice::test {
namespace {

namespace fs = std::filesystem;

constexpr int kMessages = 60;
constexpr const char* kLikes = R"({"kind":"index","key":["/likes"]})";

Options options_of(const Transforms& transforms) {
    Options options = small_files();
    options.log_segment_size_bytes = 2048;
    options.clock = [] { return kToday; };
    options.transforms = transforms;
    return options;
}

std::string name_of_author(int i) {
    return "author" + std::to_string(i % 5);
}

/// Whom an author likes is `likes`; every seventh message is sealed, and the sixth of it edits.
std::string message_number(int i) {
    if (i % 7 == 6) return sealed("sealed " + std::to_string(i), "m" + std::to_string(i - 1));
    return R"({"author":")" + name_of_author(i) + R"(","n":)" + std::to_string(i) + R"(,"time":)" +
           std::to_string(kToday - static_cast<std::uint64_t>(i % 9) * kDayMs) + R"(,"likes":")" +
           name_of_author(i * 3 + 1) + R"(","text":"said in )" + std::to_string(i) + "\"}";
}

Result<void> add_lengths(Database& database) {
    CodeView view;
    view.app = "lengths";
    view.map = [](const Message& message, Emit& emit) { emit(Key(message.body.size())); };
    return database.add_view("lengths", view);
}

Result<void> add_texts(Database& database) {
    CodeView view;
    view.app = "texts";
    view.map = [](const Message& message, Emit& emit) { emit(Key(member(message, "text"))); };
    return database.add_view("all texts", view);
}

std::uint64_t number_of(const Message& message) {
    const Value* const value = message.json == nullptr ? nullptr : message.json->find("n");
    return value == nullptr ? 0 : static_cast<std::uint64_t>(value->as_int64().value_or(0));
}

/// Of each message how often its author is liked.
Result<void> add_ranks(Database& database) {
    SLUICE_TRY_ASSIGN(const Source liked, database.rows_of("liked"));
    CodeView view;
    view.app = "ranks";
    view.reads = {liked};
    view.map_reading = [liked](Context& context, const Message& message, Emit& emit) {
        const Key author(member(message, "author"));
        emit(Key(number_of(message), context.prefix(liked, author).size()));
    };
    return database.add_view("ranked", view);
}

/// Of each message whether the one before it is there.
Result<void> add_pairs(Database& database) {
    SLUICE_TRY_ASSIGN(const Source ranked, database.rows_of("ranked"));
    SLUICE_TRY_ASSIGN(const Source texts, database.rows_of("all texts"));
    CodeView view;
    view.app = "pairs";
    view.reads = {ranked, texts};
    view.map_reading = [ranked, texts](Context& context, const Message& message, Emit& emit) {
        const std::uint64_t before = number_of(message) - 1;
        emit(Key(context.prefix(ranked, Key(before)).size(),
                 context.has(texts, Key("said in " + std::to_string(before)))));
    };
    return database.add_view("pairs", view);
}

/// All code comes that there is.
Result<void> add_code(Database& database) {
    using Add = Result<void> (*)(Database&);
    const std::pair<std::string, Add> all[] = {{"lengths", add_lengths},
                                               {"all texts", add_texts},
                                               {"ranked", add_ranks},
                                               {"pairs", add_pairs}};
    const std::vector<ViewInfo> views = database.views();
    for (const auto& each : all) {
        const bool is_there = std::any_of(views.begin(), views.end(), [&](const ViewInfo& view) {
            return view.name == each.first;
        });
        if (is_there) SLUICE_TRY(each.second(database));
    }
    return {};
}

Result<std::unique_ptr<Database>> open_whole(const fs::path& path, const Options& options) {
    SLUICE_TRY_ASSIGN(auto database, Database::open(path, options));
    SLUICE_TRY(add_code(*database));
    return database;
}

RetentionRule rule(const std::string& name, RetentionRule::Action action) {
    RetentionRule made;
    made.name = name;
    made.action = action;
    return made;
}

/// Some of everything.
void fill(Database& database, Runs& runs) {
    for (int i = 0; i < kMessages / 2; ++i) {
        database.append(NewMessage{message_number(i), "m" + std::to_string(i)}).value();
    }
    const std::vector<Database::NewView> views = {
        {"said", kSaid},
        {"authors", kByAuthor, "forum"},
        {"counts", kCounts},
        {"liked", kLikes},
        {"likes", R"({"kind":"links","source":"/author","target":"/likes"})"},
        {"texts", R"({"kind":"search","text":["/text"]})"}};
    database.add_views(views).value();
    for (const auto& add : {add_lengths, add_texts, add_ranks, add_pairs}) add(database).value();
    database.use_transforms(sealed_transforms(runs).names()).value();
    database.put_fact({kKey1, "a key", /*is_secret=*/true}).value();
    RetentionRule of_group = rule("few of each", RetentionRule::Action::remove);
    of_group.per = "/author";
    of_group.keep_last = 3;
    database.add_retention(of_group).value();
    RetentionRule of_size = rule("little of each", RetentionRule::Action::remove);
    of_size.per = "/author";
    of_size.view = "authors";
    of_size.keep_bytes = 500;
    database.add_retention(of_size).value();
    RetentionRule of_age = rule("nothing old", RetentionRule::Action::erase);
    of_age.time = "/time";
    of_age.older_than = std::chrono::milliseconds(5 * kDayMs);
    database.add_retention(of_age).value();
    Feed feed = database.consumer("mirror", FeedFilter{.view = "authors"}).value();
    feed.next().value();
    feed.acknowledge().value();
    database.merge_views().value();
    for (int i = kMessages / 2; i < kMessages; ++i) {
        database.append(NewMessage{message_number(i), "m" + std::to_string(i)}).value();
    }
    database.replace({4}, message_number(200)).value();
    database.delete_messages(Seqs{{9}, {40}}).value();
    database.hold(Seqs{{11}}).value();
}

struct Act {
    std::string name;
    std::function<Result<void>(Database&)> run;
    std::string gone = {}; ///< What no file has afterwards, if it is done.
};

/// Everything that is shown, by everyone who can be asked.
Result<void> read_all(Database& database) {
    const Snapshot snapshot = database.snapshot();
    for (const ViewInfo& view : database.views()) {
        if (!view.loaded) continue;
        SLUICE_TRY_ASSIGN(ViewCursor rows, snapshot.read(view.name));
        while (rows.next()) static_cast<void>(rows.value());
        SLUICE_TRY(rows.status());
    }
    WalkQuery from;
    from.start = Key("author1");
    from.depth_max = 3;
    SLUICE_TRY_ASSIGN(const Walk walk, snapshot.walk("likes", from));
    for (Seq seq{1}; seq <= snapshot.position(); seq = seq.next()) {
        SLUICE_TRY_ASSIGN(const Explanation why, database.why(seq));
        SLUICE_TRY_ASSIGN(const Record record, snapshot.seen(seq));
    }
    return {};
}

Result<void> follow(Database& database) {
    SLUICE_TRY_ASSIGN(Feed feed, database.consumer("mirror"));
    FeedLimits few;
    few.changes_max = 7;
    for (;;) {
        SLUICE_TRY_ASSIGN(const FeedBatch batch, feed.next({}, few));
        if (batch.changes.empty()) break;
        SLUICE_TRY(feed.acknowledge());
    }
    return {};
}

Result<void> subscribe(Database& database) {
    SLUICE_TRY_ASSIGN(Subscription rows, database.subscribe("authors"));
    SLUICE_TRY_ASSIGN(Subscription groups, database.subscribe("counts"));
    SLUICE_TRY(rows.next());
    SLUICE_TRY(groups.next());
    SLUICE_TRY(database.append(NewMessage{message_number(70), "m70"}));
    SLUICE_TRY(database.delete_messages(Seqs{{2}, {20}}));
    SLUICE_TRY(rows.next());
    SLUICE_TRY(groups.next());
    return {};
}

/// With no answer but whether it could.
template <typename Call> std::function<Result<void>(Database&)> only(const Call& call) {
    return [call](Database& database) -> Result<void> {
        SLUICE_TRY(call(database));
        return {};
    };
}

const std::vector<Act>& acts() {
    static const std::vector<Act> all = {
        {"append", only([](Database& on) { return on.append(NewMessage{message_number(71)}); })},
        {"erase", only([](Database& on) {
             return on.erase(Seqs{{3}, {62}});
         }),
         "said in 59"},
        {"erase an edit", only([](Database& on) { return on.erase(Seqs{{7}}); }), "sealed 6"},
        {"delete what others found", only([](Database& on) {
             return on.delete_messages(Seqs{{1}, {7}});
         })},
        {"restore", only([](Database& on) { return on.restore(Seqs{{9}}); })},
        {"replace", only([](Database& on) { return on.replace({8}, message_number(300)); })},
        {"scrub", only([](Database& on) { return on.scrub(); })},
        {"drop a secret", only([](Database& on) { return on.drop_fact(kKey1); }), "sealed "},
        {"put a secret", only([](Database& on) {
             return on.put_fact({kKey2, "another key", /*is_secret=*/true});
         })},
        {"apply rules", only([](Database& on) { return on.apply_retention(); })},
        {"try rules", only([](Database& on) { return on.apply_retention({.dry_run = true}); })},
        {"drop a rule", [](Database& on) { return on.drop_retention("few of each"); }},
        {"drop a transform", [](Database& on) { return on.drop_transform("edits"); }},
        {"redefine what is read",
         [](Database& on) {
             return on.add_view("liked", R"({"kind":"index","key":["/author"]})");
         }},
        {"drop a view", [](Database& on) { return on.drop_view("texts"); }},
        {"forget an app", only([](Database& on) { return on.forget_app("pairs"); })},
        {"follow", follow},
        {"drop a consumer", [](Database& on) { return on.drop_consumer("mirror"); }},
        {"subscribe", subscribe},
        {"read", read_all},
        {"merge", [](Database& on) { return on.merge_views(); }},
        {"verify", only([](Database& on) { return on.verify(); })},
    };
    return all;
}

/// One database, and as many copies of its directory as there are trials.
class Copies {
public:
    Copies() {
        const fs::path path = closed();
        Database::create(path).value();
        const auto database = Database::open(path, options()).value();
        fill(*database, runs_);
        // While it is open: the rows of the last messages are in no file yet.
        fs::copy(path, killed(), fs::copy_options::recursive);
    }
    fs::path closed() const { return fs::path(directory_.path()) / "closed"; }
    fs::path killed() const { return fs::path(directory_.path()) / "killed"; }
    fs::path copy_of(const fs::path& original) const {
        const fs::path path = fs::path(directory_.path()) / "copy";
        fs::remove_all(path);
        fs::copy(original, path, fs::copy_options::recursive);
        return path;
    }
    Options options() const { return options_of(transforms_); }
    Result<std::unique_ptr<Database>> open(const fs::path& path) const {
        return open_whole(path, options());
    }
    /// Opened again, perhaps once more where damage is found only then, it is what the log says.
    Verdict judge(const fs::path& path, std::string leftover) const {
        Verdict verdict{.leftover = std::move(leftover)};
        for (int left = 3; left > 0; --left) {
            const auto database = open(path);
            if (!database) {
                verdict.loss = "cannot be opened: " + database.error().context;
                continue;
            }
            verdict.loss = first_difference(**database);
            if ((*database)->verify().value().problems.empty()) break;
        }
        return verdict;
    }

private:
    TemporaryDirectory directory_{in_memory_if_possible()};
    Runs runs_;
    Transforms transforms_ = sealed_transforms(runs_);
};

std::string left_behind(const Act& act, const Result<void>& done, const fs::path& path) {
    if (!done || act.gone.empty()) return {};
    const std::string where = FileBytes(path).find(act.gone);
    return where.empty() ? where : act.gone + " is in " + where;
}

TEST(Acts, WhoseSystemCallsFailAreAnsweredAndHealedByOpeningAgain) {
    Trials trials("every system call of each act fails");
    const Copies copies;
    const std::uint64_t every = 16 * stride();
    for (const Act& act : acts()) {
        for (std::uint64_t i = round_number() % every;; i += every) {
            const fs::path path =
                copies.copy_of(i / every % 2 == 0 ? copies.closed() : copies.killed());
            auto database = copies.open(path).value();
            CallPlan plan;
            plan.fault = i / every % 2 == 0 ? CallPlan::Fault::io : CallPlan::Fault::no_space;
            plan.succeed = i;
            plan.is_once = i / every % 4 < 2;
            const auto done = [&] {
                const FaultyCalls faults(plan);
                const auto answer = act.run(*database);
                database.reset();
                return answer;
            }();
            if (plan.failed == 0 || trials.have_failed_enough()) break;
            trials.count_fault();
            const std::string when = act.name + ", behind " + std::to_string(i) + " calls";
            if (!done) {
                EXPECT_TRUE(is_failure_of_machine(done.error().code))
                    << when << ": " << done.error().context;
            }
            trials.count_state(copies.judge(path, left_behind(act, done, path)), when);
        }
    }
    EXPECT_GT(trials.faults(), 400 / stride());
}

/// Each file of the views of each original.
std::vector<fs::path> files_of_views(const Copies& copies) {
    std::vector<fs::path> files;
    for (const fs::path& original : {copies.closed(), copies.killed()}) {
        for (const auto& each : fs::directory_iterator(original / "views")) {
            files.push_back(each.path());
        }
    }
    std::sort(files.begin(), files.end());
    return files;
}

/// A copy in which a few bytes of this file are others, somewhere.
fs::path damaged_copy(const Copies& copies, const fs::path& name, std::uint64_t number) {
    fs::path path = copies.copy_of(name.parent_path().parent_path());
    const fs::path file_name = path / "views" / name.filename();
    const std::uint64_t size = fs::file_size(file_name);
    const std::uint64_t at = number * 977 % size;
    std::fstream file(file_name, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(at));
    file.write("damaged!", static_cast<std::streamsize>(std::min<std::uint64_t>(8, size - at)));
    return path;
}

TEST(Acts, OnDamagedFilesOfViewsAreDoneOrRefusedAndHealedByOpeningAgain) {
    Trials trials("each act on damaged files of views");
    const Copies copies;
    const std::vector<fs::path> files = files_of_views(copies);
    std::uint64_t number = round_number();
    for (const Act& act : acts()) {
        for (const fs::path& name : files) {
            if (++number % (7 * stride()) != 0) continue;
            const fs::path path = damaged_copy(copies, name, number);
            const std::string when =
                act.name + ", damage " + std::to_string(number) + " in " + name.string();
            trials.count_fault();
            Result<void> done;
            const bool has_code = number / (7 * stride()) % 2 == 0;
            auto database =
                has_code ? copies.open(path) : Database::open(path.string(), copies.options());
            if (!database) {
                done = database.error();
            } else {
                done = act.run(**database);
                if (done) {
                    EXPECT_EQ(wrong_view(**database), "") << when;
                }
            }
            if (database) database->reset();
            if (!done) {
                EXPECT_EQ(done.error().code, Errc::corrupt) << when << ": " << done.error().context;
            }
            trials.count_state(copies.judge(path, left_behind(act, done, path)), when);
            if (trials.have_failed_enough()) return;
        }
    }
    EXPECT_GT(trials.faults(), 700 / stride());
}

/// The same to somebody who only reads, with all code there is.
std::string wrong_to_reader(const fs::path& path, Options options) {
    options.read_only = true;
    const auto reader = open_whole(path, options);
    return reader ? wrong_view(**reader) : reader.error().context;
}

TEST(Acts, OfReadersOnDamagedFilesOfViewsShowWhatTheLogSaysOrNameTheFile) {
    Trials trials("readers of damaged files of views");
    const Copies copies;
    std::uint64_t number = round_number();
    for (const fs::path& name : files_of_views(copies)) {
        if (++number % (2 * stride()) != 0) continue;
        trials.count_fault();
        const fs::path path = damaged_copy(copies, name, number);
        trials.count_state({.loss = wrong_to_reader(path, copies.options())},
                           "damage " + std::to_string(number) + " in " + name.string());
        if (trials.have_failed_enough()) return;
    }
    EXPECT_GT(trials.faults(), 60 / stride());
}

} // namespace
} // namespace sluice::test
