// The least program that uses the installed library. Exit code 0 when it works.
#include <sluice/key.hpp>
#include <sluice/scuttlebutt.hpp>

#include <cstdio>
#include <string>

namespace ssb = sluice::scuttlebutt;

namespace {

constexpr const char* kFeed = "@hrBm6Db4hKljELXlI4l4WmnPqm9hCqJzAGP41AnU9nQ=.ed25519";

bool keys_go_there_and_back() {
    const sluice::Key key{"@alice", 42};
    const sluice::Key back = sluice::Key::from_encoded(key.encoded()).value();
    std::printf("%s\n", back.to_json().c_str());
    return back == key && back.to_json() == R"(["@alice",42])";
}

std::string message_with(const std::string& content) {
    return R"({"key":"%AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=.sha256","value":{"author":")" +
           std::string(kFeed) + R"(","content":)" + content + "}}";
}

/// A blob, a key and a block arrive and go again.
bool facts_come_and_go(const std::string& path) {
    sluice::Database::create(path).value();
    sluice::Options options;
    options.transforms = ssb::transforms();
    options.keep_out = ssb::is_of_blocked_feed;
    const auto db = sluice::Database::open(path, options).value();
    db->use_transforms(options.transforms.names()).value();

    const auto blobs = ssb::BlobStore::open(path + "/blobs").value();
    const ssb::BlobId id = blobs->put("ahoj").value();
    const std::string message = message_with(R"({"type":"post","text":")" + id.text() + "\"}");
    const sluice::Seq seq = db->append({message, "m"}).value();
    const auto shows = [&](const char* text) {
        return db->snapshot().seen(seq).value().body.find(text) != std::string::npos;
    };
    bool good = shows(R"("present":false)");
    db->put_fact(ssb::blob_fact(id, blobs->get(id).value().value()).fact()).value();
    good = good && shows("ahoj");
    db->drop_fact(ssb::blob_name(id)).value();
    good = good && blobs->remove(id).value() && !shows("ahoj");

    const auto group = ssb::parse_group_key(std::string(64, 'a')).value();
    const auto key = ssb::group_fact(group);
    db->put_fact(key.fact()).value();
    good = good && db->facts(ssb::kKeysCollection).size() == 1;
    db->erase_fact(key.name).value();
    good = good && db->facts(ssb::kKeysCollection).empty();

    ssb::block(*db, kFeed, ssb::BlockedMessages::delete_them).value();
    good = good && !db->append({message, "n"}).has_value();
    good = good && ssb::unblock(*db, kFeed).value().seqs.size() == 1;
    return good && ssb::verify_message(message) == ssb::Verdict::malformed;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2; // The folder for a new database.
    return keys_go_there_and_back() && facts_come_and_go(argv[1]) ? 0 : 1;
}
