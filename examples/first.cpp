#include <sluice/database.hpp>

#include <iostream>

using namespace sluice;

int main() {
    Database::create("forum").value(); // value() throws; every Result can be asked instead.
    auto db = Database::open("forum").value();

    db->add_view("posts", R"({"kind":"aggregate","group":["/author"],"value":{"count":true}})")
        .value();
    db->append({R"({"author":"@ada","text":"hello"})"}).value();
    const Seq second = db->append({R"({"author":"@ada","text":"my address is ..."})"}).value();

    db->erase(std::vector{second}, {.reason = "asked to"}).value();

    // Every view is right when erase() returns.
    const Snapshot now = db->snapshot();
    ViewCursor posts = now.read("posts").value();
    while (posts.next()) std::cout << posts.key().to_json() << " " << posts.value() << "\n";
}
