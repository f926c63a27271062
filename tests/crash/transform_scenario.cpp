#include "crash/transform_scenario.hpp"

#include "base/try.hpp"

namespace sluice::test {
namespace {

constexpr int kEdits = 12;
constexpr const char* kSaidOnce = R"({"kind":"index","key":["/text"],"where":"/text"})";
constexpr const char* kCount = R"({"kind":"aggregate","group":["/text"],"value":{"count":true}})";
/// What every sealed message says, and only rows do.
constexpr const char* kInside = "inside of";

std::string name_of_target(int i) {
    return "m" + std::to_string(i);
}
std::string text_of_edit(int i) {
    return kInside + (' ' + name_of_target(i)) + '.';
}
std::string reversed(const std::string& text) {
    return {text.rbegin(), text.rend()};
}

Transforms transforms(Runs& runs, std::uint32_t version) {
    Transforms all;
    all.add(counted(runs, "unseal", unseal, version));
    add_edits(all, runs);
    return all;
}

/// Of each message how many others say what it says.
Result<void> add_reader(Database& database) {
    SLUICE_TRY_ASSIGN(const Source said, database.rows_of("said"));
    CodeView view;
    view.app = "echo";
    view.reads = {said};
    view.map_reading = [said](Context& context, const Message& message, Emit& emit) {
        const Value* const text = message.json == nullptr ? nullptr : message.json->find("text");
        if (text == nullptr) return;
        const Key key(text->as_string().value_or(""));
        emit(Key(context.prefix(said, key).size(), context.has(said, Key("nothing"))));
    };
    return database.add_view("echoes", view);
}

std::string shown_by(const Database& database) {
    std::string shown;
    for (const ViewInfo& view : database.views()) {
        shown += view.name + ": " + DatabaseOnDisk::rows_in(database.snapshot(), view.name) + '\n';
    }
    for (const TransformInfo& each : database.transforms()) {
        shown += each.name + ' ' + std::to_string(each.version) + '\n';
    }
    for (const Fact& fact : database.facts()) shown += fact.name.key.to_json() + '\n';
    const Snapshot snapshot = database.snapshot();
    auto log = snapshot.log({});
    while (const auto record = log.next().value()) shown += record->body + '\n';
    return shown;
}

struct Opened {
    std::unique_ptr<Database> database;
    std::string shown;
    std::string wrong;
};

/// With all code, also that of the view that reads.
Opened open_whole(Directory& root, const Transforms& code) {
    Opened found;
    Options options = small_files();
    options.transforms = code;
    auto opened = Database::open(root, options);
    if (!opened) {
        found.wrong = "cannot be opened: " + opened.error().context;
        return found;
    }
    found.database = std::move(*opened);
    for (const ViewInfo& view : found.database->views()) {
        if (view.app.empty()) continue;
        const auto added = add_reader(*found.database);
        if (!added) found.wrong = "loading a view: " + added.error().context;
    }
    if (found.wrong.empty()) found.wrong = first_difference(*found.database);
    found.shown = shown_by(*found.database);
    return found;
}

/// Made before anything fails.
Options options_with(const Transforms& code) {
    Options options = small_files();
    options.transforms = code;
    return options;
}

} // namespace

TransformScenario::TransformScenario(std::unique_ptr<Directory> root)
    : root_(std::move(root)), code_(transforms(runs_, 1)) {
    Database::create(*root_).value();
    reopen(options_with(code_)).value();
}

Result<void> TransformScenario::reopen(const Options& options) {
    database.reset();
    SLUICE_TRY_ASSIGN(database, Database::open(*root_, options));
    return {};
}

template <typename Do>
Result<void> TransformScenario::perform(const std::string& name, Do act,
                                        const std::vector<std::string>& gone) {
    step = name;
    const auto done = [&] {
        const std::shared_ptr<void> held = meanwhile ? meanwhile() : nullptr;
        return act();
    }();
    if (!done) return done.error();
    ++steps_done_;
    gone_.insert(gone_.end(), gone.begin(), gone.end());
    if (behind_step_) behind_step_();
    return {};
}

Result<void> TransformScenario::append_sealed_edits() {
    std::vector<std::string> bodies, keys;
    for (int i = 0; i < kEdits; ++i) {
        bodies.push_back(says("an original"));
        keys.push_back(name_of_target(i));
        bodies.push_back(sealed(text_of_edit(i), name_of_target(i)));
        keys.emplace_back();
    }
    std::vector<NewMessage> batch;
    for (std::size_t i = 0; i < bodies.size(); ++i) batch.push_back({bodies[i], keys[i]});
    return perform("append", [&] { return database->append(batch); });
}

Result<void> TransformScenario::tell() {
    const std::vector<std::string> names = code_.names();
    const Options with_code = options_with(code_), without_code = options_with({});
    const auto original = [](int i) { return Seq{2 + 2 * static_cast<std::uint64_t>(i)}; };
    const auto edit = [&](int i) { return original(i).next(); };

    SLUICE_TRY(perform("use transforms", [&] { return database->use_transforms(names); }));
    SLUICE_TRY(append_sealed_edits());
    const std::vector<Database::NewView> views{{"said", kSaid}, {"n", kCount}};
    SLUICE_TRY(perform("add views", [&] { return database->add_views(views); }));
    SLUICE_TRY(perform("add a view that reads", [&] { return add_reader(*database); }));
    SLUICE_TRY(perform("put a secret", [&] {
        return database->put_fact({kKey1, "a secret key", /*is_secret=*/true});
    }));
    SLUICE_TRY(perform("delete edits", [&] {
        return database->delete_messages(Seqs{edit(0), edit(1), original(2)});
    }));
    SLUICE_TRY(perform("restore", [&] { return database->restore(Seqs{edit(1), original(2)}); }));
    SLUICE_TRY(perform("replace", [&] { return database->replace(original(3), says("another")); }));
    SLUICE_TRY(perform(
        "erase edits",
        [&] {
            return database->erase(Seqs{edit(0), edit(4), original(5)});
        },
        {text_of_edit(0), reversed(text_of_edit(0)), text_of_edit(4), reversed(text_of_edit(4))}));
    SLUICE_TRY(perform("redefine a view that is read",
                       [&] { return database->add_view("said", kSaidOnce); }));
    SLUICE_TRY(perform("merge", [&] { return database->merge_views(); }));
    SLUICE_TRY(perform("drop a transform", [&] { return database->drop_transform("edits"); }));
    SLUICE_TRY(perform("use it again", [&] { return database->use_transforms(names); }));
    SLUICE_TRY(perform("open without code", [&] { return reopen(without_code); }));
    const std::string body = sealed(text_of_edit(6), name_of_target(6));
    SLUICE_TRY(perform("append without code", [&] { return database->append({body, "late"}); }));
    SLUICE_TRY(perform("put a fact without code", [&] {
        return database->put_fact({kKey2, "v"});
    }));
    SLUICE_TRY(
        perform("delete without code", [&] { return database->delete_messages(Seqs{edit(7)}); }));
    SLUICE_TRY(perform("open with code", [&] { return reopen(with_code); }));
    SLUICE_TRY(perform("load a view that reads", [&] { return add_reader(*database); }));
    SLUICE_TRY(perform("erase a fact", [&] { return database->erase_fact(kKey2); }));
    code_ = transforms(runs_, 2);
    const Options with_other_code = options_with(code_);
    SLUICE_TRY(perform("open with another version", [&] { return reopen(with_other_code); }));
    SLUICE_TRY(perform("drop a secret", [&] { return database->drop_fact(kKey1); }, {kInside}));
    SLUICE_TRY(perform("drop a view that reads", [&] { return database->drop_view("echoes"); }));
    return perform("open again", [&] { return reopen(with_other_code); });
}

const std::vector<TransformScenario::State>& TransformScenario::expected() {
    static const std::vector<State> states = [] {
        std::vector<State> behind;
        SimulatedDisk disk;
        TransformScenario life(disk.root());
        life.behind_step_ = [&] {
            const auto copy = disk.copy_after_power_cut(Fate::kept);
            const auto root = copy->root();
            behind.push_back({open_whole(*root, life.code_).shown, life.gone_});
        };
        life.behind_step_();
        life.tell().value();
        return behind;
    }();
    return states;
}

Verdict TransformScenario::judge(const Place& place) const {
    const State& before = expected()[steps_done_];
    // Where all steps were done, the fault hit what can be done without.
    const State& after = expected()[std::min(steps_done_ + 1, expected().size() - 1)];
    const Opened found = open_whole(place.root, code_);
    if (!found.wrong.empty()) return {found.wrong};
    if (found.shown != before.shown && found.shown != after.shown) {
        return {"shows\n" + found.shown + "and not, not done,\n" + before.shown + "nor, done,\n" +
                after.shown};
    }
    Verdict verdict;
    for (const std::string& text : found.shown == before.shown ? before.gone : after.gone) {
        const std::string where = place.find(text);
        if (!where.empty()) verdict.leftover = "\"" + text + "\" is in " + where;
    }
    const auto appended = found.database->append(NewMessage{says("going on"), {}});
    if (!appended) return {"going on: " + appended.error().context};
    verdict.loss = first_difference(*found.database);
    return verdict;
}

} // namespace sluice::test
