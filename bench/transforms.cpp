// Measures what transforms cost for bench/run: facts that change what messages say, keys that open
// them, edits. One JSON object a line on standard output.
#include "bench/fresh.hpp"
#include "bench/measure.hpp"
#include "import/record_writer.hpp"
#include "scuttlebutt/edits.hpp"
#include "scuttlebutt/envelope.hpp"
#include "scuttlebutt/generator.hpp"
#include "scuttlebutt/message.hpp"
#include "scuttlebutt/read_keys.hpp"
#include <sluice/import.hpp>

#include <sluice/scuttlebutt.hpp>

#include <algorithm>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

using namespace sluice;
using namespace sluice::bench;
namespace ssb = sluice::scuttlebutt;

namespace {

ReadOptions below(const Key& prefix) {
    ReadOptions options;
    options.prefix = prefix;
    return options;
}

// Part 1: a fact of which many messages make something.

constexpr std::string_view kAsks = R"({"asks":")";

/// Puts an answer into messages that begin with a question. The letter says by which call.
void answer(Context& context, const Incoming& incoming, Transformed& out) {
    const std::string_view body = incoming.body();
    if (!body.starts_with(kAsks)) return;
    static const Source kAnswers = Source::facts("answers");
    const Key question{body.substr(kAsks.size(), 1)};
    std::string said;
    switch (body[kAsks.size()]) {
    case 'h': said = context.has(kAnswers, question) ? "there" : ""; break;
    case 'f':
        if (context.find_any(kAnswers, question, [](const Cell&) { return true; })) said = "fits";
        break;
    default:
        if (const auto found = context.get(kAnswers, question)) said = found->value;
    }
    if (!said.empty()) {
        out.set_body(R"({"answer":")" + said + R"(",)" + std::string(body.substr(1)));
    }
}

/// Every how many messages one asks, with which letter, first at `at`.
struct Question {
    char letter;
    std::uint64_t every;
    std::uint64_t at;
};

std::string body_of(std::uint64_t i, std::span<const Question> questions) {
    std::string body = "{";
    for (const auto& [letter, every, at] : questions) {
        if (i % every == at) body = std::string(kAsks) + letter + "\",";
    }
    return body + R"("author":"@feed)" + std::to_string(i % 997) + R"(","type":")" +
           (i % 3 == 0 ? "post" : "vote") + R"(","timestamp":)" +
           std::to_string(1500000000000 + i) + R"(,"text":")" + std::string(400, 'x') + "\"}";
}

void fill(Database& database, std::uint64_t messages, std::span<const Question> questions) {
    std::vector<std::string> bodies(1000);
    for (std::uint64_t i = 0; i < messages; i += bodies.size()) {
        std::vector<NewMessage> batch;
        for (std::size_t k = 0; k < bodies.size(); ++k) {
            bodies[k] = body_of(i + k, questions);
            batch.push_back({bodies[k]});
        }
        database.append(batch).value();
    }
    const std::vector<Database::NewView> views = {
        {"by_author", R"({"kind":"index","key":["/author"]})"},
        {"by_type", R"({"kind":"index","key":["/type","/timestamp"]})"},
        {"by_answer", R"({"kind":"index","key":["/answer"]})"},
    };
    database.add_views(views).value();
    database.use_transforms(std::vector<std::string>{"answer"}).value();
}

void put_answer(Database& database, char letter, std::string_view value) {
    database.put_fact({{"answers", Key{std::string_view(&letter, 1)}}, value}).value();
}

/// Messages re-derived a second when the fact gets another value.
double new_value_s(Database& database, char letter, std::uint64_t asked) {
    put_answer(database, letter, "the first");
    std::vector<double> all;
    for (int i = 0; i < 5; ++i) {
        const std::string value = letter + std::to_string(i);
        all.push_back(seconds([&] { put_answer(database, letter, value); }));
        check(count(database, "by_answer", below(Key{value})) == asked, "everybody got the answer");
    }
    return median(all);
}

/// ... and when it comes, which is dropped again each time.
double coming_s(Database& database, char letter, std::uint64_t asked, std::string_view said) {
    std::vector<double> all;
    for (int i = 0; i < 5; ++i) {
        all.push_back(seconds([&] { put_answer(database, letter, "any"); }));
        check(count(database, "by_answer", below(Key{said})) == asked, "everybody got the answer");
        database.drop_fact({"answers", Key{std::string_view(&letter, 1)}}).value();
        check(count(database, "by_answer", below(Key{said})) == 0, "and nobody has it any more");
    }
    return median(all);
}

void facts() {
    constexpr std::uint64_t kFew = 10'000;
    constexpr std::uint64_t kMany = 100'000;
    Options options;
    options.transforms.add({"answer", 1, answer});
    const auto rate = [](std::uint64_t messages, double s) {
        return static_cast<double>(messages) / s;
    };
    double small_log_s = 0;
    {
        Fresh database("facts", options);
        fill(*database, kMany, std::vector<Question>{{'g', 10, 0}});
        small_log_s = new_value_s(*database, 'g', kFew);
    }
    Fresh database("facts", options);
    fill(*database, 1'000'000,
         std::vector<Question>{
             {'g', 100, 0}, {'m', 10, 1}, {'f', 100, 2}, {'h', 100, 3}, {'o', 1'000'000, 4}});
    const double large_log_s = new_value_s(*database, 'g', kFew);
    report("fact of 10,000 messages, in a log of 100,000", small_log_s * 1e3, "ms");
    report("fact of 10,000 messages, in a log of 1,000,000", large_log_s * 1e3, "ms");
    report("fact of 10,000 messages", rate(kFew, large_log_s), "messages/s");
    report("fact of 100,000 messages", rate(kMany, new_value_s(*database, 'm', kMany)),
           "messages/s");
    report("fact of one message of 1,000,000", new_value_s(*database, 'o', 1) * 1e3, "ms");
    report("fact that 10,000 messages missed, find any",
           rate(kFew, coming_s(*database, 'f', kFew, "fits")), "messages/s");
    report("fact that 10,000 messages missed, has",
           rate(kFew, coming_s(*database, 'h', kFew, "there")), "messages/s");
}

// Part 2: a log with messages to a group, as the peers get it too.

constexpr std::uint64_t kLogMessages = 100'000;
constexpr std::uint64_t kGroupMessages = 1'000;
constexpr std::uint64_t kMembers = 10;

const std::vector<Database::NewView> kViews = {
    {"by_author", R"({"kind":"index","key":["/value/author"]})"},
    {"by_type", R"({"kind":"index","key":["/value/content/type","/timestamp"]})"},
    {"by_root", R"({"kind":"index","key":["/value/content/root"]})"},
    {"count_by_type", R"({"kind":"aggregate","group":["/value/content/type"],)"
                      R"("value":{"count":true}})"},
};

ssb::Bytes32 secret_bytes(std::uint64_t number) {
    std::mt19937_64 random(number);
    ssb::Bytes32 bytes;
    for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(random());
    return bytes;
}

const ssb::Bytes32 kGroupKey = secret_bytes(1);

std::string as_text(std::string_view json_without_quotes) {
    return '"' + std::string(json_without_quotes) + '"';
}

/// The messages of a few people to their group: really boxed, signed and chained.
class Group {
public:
    Group() {
        for (std::uint64_t i = 0; i < kMembers; ++i) {
            members_.push_back({ssb::key_pair_from_seed(secret_bytes(100 + i)), {}, 0});
        }
    }
    std::string next() {
        Member& member = members_[said_ % kMembers];
        const std::string content =
            R"({"type":"post","text":"Said to the group for the )" + std::to_string(said_) +
            R"(th time, and neither long nor short for a message of this kind.","root":)" +
            (root_.empty() ? "null" : as_text(root_)) + "}";
        const auto place = ssb::envelope_place(member.keys.id, member.previous).value();
        const ssb::EnvelopeKey key{kGroupKey, ssb::kGroupScheme};
        const std::string boxed = as_text(
            ssb::envelope_box(content, place, secret_bytes(10'000 + said_), {&key, 1}).value());
        ++member.sequence;
        const std::uint64_t now = 1'600'000'000'000 + said_ * 1000;
        const auto message =
            ssb::sign_message(member.keys, {member.previous, member.sequence, now, boxed, now + 1})
                .value();
        member.previous = message.id;
        if (root_.empty()) root_ = message.id;
        ++said_;
        return message.json;
    }
    const std::string& root() const { return root_; }

private:
    struct Member {
        ssb::KeyPair keys;
        std::string previous;
        std::uint64_t sequence;
    };
    std::vector<Member> members_;
    std::string root_;
    std::uint64_t said_ = 0;
};

ssb::Generator the_others() {
    return ssb::Generator::create({.messages = kLogMessages - kGroupMessages, .seed = 7}).value();
}

/// Writes the log, and beside it the key for the peers. Returns what the group's thread begins
/// with.
std::string write_log(const std::string& path) {
    const auto writer = create_record_writer(path, {.replace = true}).value();
    ssb::Generator others = the_others();
    Group group;
    for (std::uint64_t i = 0; i < kLogMessages; ++i) {
        if (i % (kLogMessages / kGroupMessages) == 50) {
            writer->append(group.next()).value();
        } else {
            writer->append(others.next()->json).value();
        }
    }
    writer->finish().value();
    std::ofstream(path + ".key") << ssb::to_base64(kGroupKey);
    return group.root();
}

Options with_scuttlebutt() {
    Options options;
    options.transforms = ssb::transforms();
    return options;
}

void use_scuttlebutt(Database& database) {
    database.use_transforms(ssb::transforms().names()).value();
}

void importing(const std::string& log) {
    std::vector<double> plain_s, transformed_s;
    const auto import_s = [&](bool in_use) {
        Fresh database("importing", with_scuttlebutt());
        if (in_use) use_scuttlebutt(*database);
        database->add_views(kViews).value();
        return seconds([&] {
            check(import_file(*database, log).value().appended == kLogMessages, "all are imported");
            database.close();
        });
    };
    for (int i = 0; i < 3; ++i) {
        plain_s.push_back(import_s(/*in_use=*/false));
        transformed_s.push_back(import_s(/*in_use=*/true));
    }
    report("import and four views, no transforms", kLogMessages / median(plain_s), "messages/s");
    report("import and four views, transforms of Scuttlebutt", kLogMessages / median(transformed_s),
           "messages/s");
}

struct Answers {
    std::uint64_t posts, in_thread, by_member;
    std::string counts;
};

Answers ask(Database& database, const std::string& root) {
    const Snapshot snapshot = database.snapshot();
    ReadOptions posts;
    posts.exact = Key{"post"};
    ViewCursor counts = snapshot.read("count_by_type", posts).value();
    const std::string member = ssb::key_pair_from_seed(secret_bytes(100)).id;
    return {count(database, "by_type", below(Key{"post"})),
            count(database, "by_root", below(Key{root})),
            count(database, "by_author", below(Key{member})), counts.next() ? counts.value() : ""};
}

void keys(Database& database, const std::string& root) {
    const ssb::PreparedFact key = ssb::group_fact({kGroupKey, {}});
    const Answers before = ask(database, root);
    check(before.in_thread == 0, "nobody sees what is boxed");
    std::vector<double> put_s, drop_s;
    for (int i = 0; i < 5; ++i) {
        Answers after{};
        put_s.push_back(seconds([&] {
            database.put_fact(key.fact()).value();
            after = ask(database, root);
        }));
        check(after.posts == before.posts + kGroupMessages, "all posts are there");
        check(after.in_thread == kGroupMessages - 1, "the thread is there");
        check(after.by_member == before.by_member, "who wrote them was known before");
        drop_s.push_back(seconds([&] {
            database.drop_fact(key.name).value();
            after = ask(database, root);
        }));
        check(after.posts == before.posts && after.counts == before.counts, "nothing is left");
    }
    report("key that opens 1,000 messages, until all views are right", median(put_s) * 1e3, "ms");
    report("dropping it, until no file has what it opened", median(drop_s) * 1e3, "ms");
    database.put_fact(key.fact()).value();
}

struct Edit {
    std::string root;
    std::string json;
};

/// One edit each of so many posts, by their authors.
std::vector<Edit> edits_of(Database& database, std::size_t wanted) {
    const ssb::Generator others = the_others();
    std::vector<Edit> edits;
    const Snapshot snapshot = database.snapshot();
    ViewCursor posts = snapshot.read("by_type", below(Key{"post"})).value();
    while (posts.next() && edits.size() < wanted) {
        const Record record = posts.message().value();
        const auto author =
            std::find_if(others.feeds().begin(), others.feeds().end(), [&](const ssb::Feed& feed) {
                return record.body.find(R"("author":)" + as_text(feed.keys.id)) !=
                       std::string::npos;
            });
        if (author == others.feeds().end()) continue;
        const std::uint64_t number = edits.size();
        const std::string content = R"({"type":"edit","original":)" + as_text(record.key) +
                                    R"(,"text":"Written better, )" + std::to_string(number) + "\"}";
        edits.push_back(
            {record.key, ssb::sign_message(author->keys, {record.key, 1'000'000 + number,
                                                          1'700'000'000'000 + number, content,
                                                          1'700'000'000'001 + number})
                             .value()
                             .json});
    }
    check(edits.size() == wanted, "there are posts enough");
    return edits;
}

std::string id_in(const std::string& json) {
    constexpr std::string_view kBefore = R"({"key":")";
    return json.substr(kBefore.size(), json.find('"', kBefore.size()) - kBefore.size());
}

bool is_edited(Database& database, const std::string& root) {
    const Snapshot snapshot = database.snapshot();
    const Seq seq = snapshot.get(root).value().seq;
    return snapshot.seen(seq).value().body.find("Written better") != std::string::npos;
}

void edits(Fresh& database) {
    constexpr std::size_t kEdits = 500;
    const std::vector<Edit> all = edits_of(*database, 2 * kEdits);
    const auto append_ms = [&](const Edit& edit) {
        const std::string key = id_in(edit.json);
        const double ms = 1e3 * seconds([&] { database->append({edit.json, key}).value(); });
        check(is_edited(*database, edit.root), "the edit is shown");
        return ms;
    };
    std::vector<double> durable_ms, sync_ms;
    {
        RawSync raw(scratch() + "raw");
        for (std::size_t i = 0; i < kEdits; ++i) {
            durable_ms.push_back(append_ms(all[i]));
            sync_ms.push_back(1e3 * raw.write_and_sync_seconds(all[i].json.size()));
        }
    }
    Options options = with_scuttlebutt();
    options.durability = Durability::none;
    database.close();
    database.open(options);
    std::vector<double> ms;
    for (std::size_t i = kEdits; i < 2 * kEdits; ++i) ms.push_back(append_ms(all[i]));
    report("one edit, not waiting for the disk", median(ms), "ms");
    report("one edit, durable", median(durable_ms), "ms");
    report("one fdatasync beside it", median(sync_ms), "ms");

    std::vector<double> erase_ms;
    for (std::size_t i = 0; i < 15; ++i) {
        const SelectKeys edit{{id_in(all[i * 30].json)}};
        erase_ms.push_back(1e3 * seconds([&] { database->erase(edit).value(); }));
        check(!is_edited(*database, all[i * 30].root), "the original is shown");
    }
    report("erasing one edit", median(erase_ms), "ms");
}

void group(const std::string& log) {
    const std::string root = write_log(log);
    Fresh database("group", with_scuttlebutt());
    use_scuttlebutt(*database);
    database->add_views(kViews).value();
    import_file(*database, log).value();
    keys(*database, root);
    edits(database);
    const VerifyReport verified = database->verify().value();
    check(verified.equal(), "every view equals its recomputation");
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3 && argc != 4) {
        std::fprintf(stderr, "usage: %s GROUP.offset SCRATCH_DIRECTORY [facts|importing|group]\n",
                     argv[0]);
        return 2;
    }
    set_scratch(argv[2]);
    const std::string only = argc == 4 ? argv[3] : "";
    if (only.empty() || only == "facts") facts();
    if (only.empty() || only == "group") group(argv[1]);
    if (only.empty() || only == "importing") importing(argv[1]); // What group() has written.
    return 0;
}
