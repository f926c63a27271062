// What the log says where it does not say it all, or what nobody should have written: promises P6
// and P7 of the database behind damage that checksums do not show.
#include "catalog/catalog.hpp"
#include "database/transform_test_support.hpp"
#include "log/change.hpp"
#include "log/log.hpp"

#include <sluice/retention.hpp>

namespace sluice::test {
namespace {

void throw_views_away(const DatabaseOnDisk& on) {
    const auto views = on.root->subdirectory("views", Create::if_missing).value();
    for (const std::string& name : views->list().value()) views->remove(name).value();
}

/// Writes entries that the database would not, while it is closed.
void append_to_log(const DatabaseOnDisk& on, Log::Kind kind, const std::string& body) {
    const auto directory = on.root->subdirectory("log", Create::if_missing).value();
    const auto log = Log::open(*directory, {on.options.log_segment_size_bytes}).value();
    const Log::Draft draft{kind, {}, body};
    log->append(std::span(&draft, 1)).value();
    log->sync().value();
}

CodeView numbers() {
    CodeView view;
    view.app = "reader";
    view.map = [](const Message& message, Emit& emit) {
        emit(Key(message.json->find("n")->as_int64().value()));
    };
    return view;
}

TEST(DamagedMessage, IsNamedAlsoWhenItIsDeletedAndIsNotEverDue) {
    DatabaseOnDisk on;
    on.append_some(3);
    on.database->delete_messages(Seqs{{2}}).value();
    RetentionRule rule{.name = "old", .time = "/n", .older_than = std::chrono::hours(24)};
    rule.action = RetentionRule::Action::erase;
    on.database->add_retention(rule).value();
    on.close();
    damage(on, "said in 2!");
    on.open();
    EXPECT_EQ(on.database->verify().value().problems.size(), 1u);
    EXPECT_EQ(on.database->apply_retention({}).value().at(0).seqs, (Seqs{{1}, {3}}));
}

// P6: the bytes are gone, whatever became of the entry that said so.
TEST(DamagedEraseEntry, LeavesWhatItErasedErased) {
    for (const bool are_views_there : {true, false}) {
        DatabaseOnDisk on;
        on.database->add_view("authors", kByAuthor).value();
        on.database->add_view("numbers", numbers()).value();
        on.append_some(3);
        on.append(body_of("ada", 4), "<key>");
        on.database->replace({4}, body_of("ada", 40)).value();
        on.reopen(); // Without the code of "numbers".
        on.append(body_of("ada", 6));
        on.database->replace({6}, body_of("ada", 60)).value();
        on.database->erase(Seqs{{2}, {4}, {6}}, {.reason = "a reason to erase"}).value();
        on.append(body_of("ada", 8));
        on.close();
        damage(on, "a reason to erase");
        if (!are_views_there) throw_views_away(on);
        on.open();
        EXPECT_FALSE(on.database->recovery_notes().empty());
        for (const std::uint64_t seq : {2u, 4u, 6u}) EXPECT_EQ(on.body({seq}), "erased") << seq;
        const Seq last = on.database->last();
        EXPECT_EQ(on.rows("authors"),
                  R"(["ada",1]=1 ["ada",3]=3 ["ada",8]=)" + std::to_string(last.value));
        on.database->add_view("numbers", numbers()).value();
        EXPECT_EQ(on.rows("numbers"), "[1]=1 [3]=3 [8]=" + std::to_string(last.value));
        EXPECT_EQ(on.database->select(SelectWhere{"/author"}).value(), (Seqs{{1}, {3}, last}));
        for (const auto& view : on.database->verify().value().views) {
            EXPECT_EQ(view.difference_count, 0u) << view.name;
        }
    }
}

TEST(DamagedEraseEntry, LeavesNothingToTransform) {
    Transforming on;
    const Seq box = on.append(boxed("k1", says("inside")));
    on.append(boxed("k1", says("another inside")));
    on.database->erase(Seqs{box}, {.reason = "a reason to erase"}).value();
    on.close();
    damage(on, "a reason to erase");
    throw_views_away(on);
    on.open();
    on.put(kKey1);
    EXPECT_EQ(on.said(), R"(["another inside"]=3)");
    for (const auto& view : on.database->verify().value().views) {
        EXPECT_EQ(view.difference_count, 0u) << view.name;
    }
}

// A log that somebody else wrote is no reason to show what is no message.
TEST(StrangeLog, WhoseChangesNameChangesIsReadWithoutThem) {
    for (const bool are_views_there : {true, false}) {
        DatabaseOnDisk on;
        on.database->add_view("authors", kByAuthor).value();
        on.append_some(2);
        on.database->hold(Seqs{{1}}).value();
        on.close();
        for (const ChangeKind kind :
             {ChangeKind::remove, ChangeKind::restore, ChangeKind::replace}) {
            Change change;
            change.kind = kind;
            change.seqs = {{3}};
            const std::string body = body_of("mallory", 9);
            change.body = body;
            append_to_log(on, Log::Kind::change, encode(change));
        }
        if (!are_views_there) throw_views_away(on);
        on.open();
        EXPECT_EQ(on.rows("authors"), R"(["ada",1]=1 ["bo",2]=2)");
        EXPECT_EQ(on.append(body_of("cy", 7)), Seq{7});
        on.expect_verified();
    }
}

TEST(StrangeLog, OfANewerVersionIsNotOpened) {
    DatabaseOnDisk on;
    on.append_some(2);
    on.close();
    append_to_log(on, Log::Kind::change, "\x7F");
    EXPECT_EQ(code_of(Database::open(*on.root, on.options)), Errc::unsupported_version);
}

TEST(Catalog, ThatIsDamagedOrOfADefinitionThatDoesNotCompileIsNotOpened) {
    DatabaseOnDisk on;
    on.database->add_view("authors", kByAuthor).value();
    on.close();
    {
        const auto directory = on.root->subdirectory("log", Create::if_missing).value();
        Catalog catalog = Catalog::open(*directory).value();
        catalog.put({{99}, "from the future", {}, 0, R"({"kind":"unheard of"})"}).value();
    }
    EXPECT_FALSE(Database::open(*on.root, on.options));
    damage(on, "unheard of");
    EXPECT_EQ(code_of(Database::open(*on.root, on.options)), Errc::corrupt);
}

} // namespace
} // namespace sluice::test
