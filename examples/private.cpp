// Opens the private messages of a database of Scuttlebutt messages with somebody's secret file, and
// closes them again: private DATABASE SECRET_FILE
#include <sluice/scuttlebutt.hpp>

#include <fstream>
#include <iostream>
#include <iterator>

using namespace sluice;

namespace {

void show(const Database& database, const char* when) {
    const Snapshot now = database.snapshot();
    ViewCursor messages = now.read("private").value();
    std::cout << when << ": " << messages.count_rest() << " private messages\n";
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    std::ifstream file(argv[2]);
    const std::string secret(std::istreambuf_iterator<char>(file), {});
    const auto keys = scuttlebutt::identity_facts(secret).value();

    Options options;
    options.transforms = scuttlebutt::transforms();
    options.keep_out = scuttlebutt::is_of_blocked_feed;
    auto db = Database::open(argv[1], options).value();
    db->use_transforms(options.transforms.names()).value();
    db->add_view("private", R"({"kind":"index","where":{"/meta/private":true},"key":["/key"]})")
        .value();

    show(*db, "before");
    db->put_facts(scuttlebutt::facts_of(keys)).value();
    show(*db, "with the keys");
    // erase_fact() would also destroy the keys themselves; the log keeps what is only dropped.
    for (const auto& key : keys) db->drop_fact(key.name).value();
    show(*db, "without them");
}
