// Measures what it costs an application to have been away, and what rules of retention cost, for
// bench/run. One JSON object a line on standard output.
#include "bench/fresh.hpp"
#include "bench/measure.hpp"

#include <string>
#include <vector>

using namespace sluice;
using namespace sluice::bench;

namespace {

Options quick() {
    Options options;
    options.durability = Durability::none;
    return options;
}

void fill(Database& database, std::uint64_t messages) {
    std::vector<std::string> bodies(1000);
    for (std::uint64_t i = 0; i < messages; i += bodies.size()) {
        std::vector<NewMessage> batch;
        for (std::size_t k = 0; k < bodies.size(); ++k) {
            bodies[k] = R"({"author":"@feed)" + std::to_string((i + k) % 997) +
                        R"(","timestamp":)" + std::to_string(1500000000000 + i + k) +
                        R"(,"text":")" + std::string(150, 'x') + "\"}";
            batch.push_back({bodies[k]});
        }
        database.append(batch).value();
    }
}

CodeView by_author(std::uint32_t version) {
    CodeView view;
    view.app = "bench";
    view.version = version;
    view.map = [](const Message& message, Emit& emit) {
        const Value* const author = message.json->at("/author");
        emit(Key(author->as_string().value_or(""), message.seq.value));
    };
    return view;
}

struct Away {
    double opening_s, catching_up_s, rebuilding_s;
};

/// Every second message is deleted while the application is away, each by a change of its own.
Away away() {
    constexpr std::uint64_t kMessages = 2'000'000;
    constexpr std::uint64_t kDeleted = 1'000'000;
    Fresh database("away", quick());
    fill(*database, kMessages);
    database->add_view("by_author", by_author(1)).value();
    database.close();
    database.open(quick());
    for (std::uint64_t i = 1; i <= kDeleted; ++i) {
        database->delete_messages(std::vector<Seq>{Seq{2 * i}}).value();
    }
    database.close();
    Away times{};
    times.opening_s = seconds([&] { database.open(quick()); });
    check(count(*database, "by_author") == kMessages - kDeleted, "the rows are gone already");
    times.catching_up_s = seconds([&] { database->add_view("by_author", by_author(1)).value(); });
    check(database->views()[0].since == database->last(), "the view has caught up");
    times.rebuilding_s = seconds([&] { database->add_view("by_author", by_author(2)).value(); });
    check(count(*database, "by_author") == kMessages - kDeleted, "a rebuild says the same");
    return times;
}

/// Ms for a run that finds 1,000 messages due among those that there are.
double retention_ms(std::uint64_t messages) {
    constexpr std::uint64_t kDue = 1000;
    Options options = quick();
    std::uint64_t now = 1500000000000 + 1000; // Nothing is an hour old yet.
    options.clock = [&now] { return now; };
    options.background = false;
    Fresh database("retention", options);
    fill(*database, messages);
    RetentionRule rule;
    rule.name = "old";
    rule.time = "/timestamp";
    rule.older_than = std::chrono::hours(1);
    database->add_retention(rule).value();
    std::vector<double> all;
    for (std::uint64_t i = 1; i <= 5; ++i) {
        now = 1500000000000 + 3600000 + i * kDue - 1;
        all.push_back(seconds([&] {
            check(database->apply_retention()->front().seqs.size() == kDue, "1,000 were due");
        }));
    }
    return median(all) * 1e3;
}

} // namespace

int main(int argc, char** argv) {
    check(argc == 2, "usage: away_bench SCRATCH");
    set_scratch(argv[1]);
    const double small = retention_ms(100'000), large = retention_ms(1'000'000);
    report("retention of 1,000 messages, in a log of 100,000", small, "ms");
    report("retention of 1,000 messages, in a log of 1,000,000", large, "ms");
    for (int i = 0; i < 3; ++i) {
        const Away times = away();
        report("opening with 1,000,000 deletes in the log", times.opening_s * 1e3, "ms");
        report("app away during 1,000,000 deletes, right again", times.catching_up_s * 1e3, "ms");
        report("app away during 1,000,000 deletes, rebuilding", times.rebuilding_s * 1e3, "ms");
    }
    return 0;
}
