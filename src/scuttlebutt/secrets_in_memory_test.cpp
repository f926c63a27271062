// That keys do not stay in memory: a database reads a key, opens a message with it, drops it, and
// then every page that the process may write is searched.
#include "base/secret.hpp"
#include "scuttlebutt/private_box.hpp"
#include "scuttlebutt/read_keys.hpp"
#include "scuttlebutt/secret_file.hpp"

#include <sluice/database.hpp>
#include <sluice/scuttlebutt.hpp>

#include <gtest/gtest.h>

#include <sodium.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include <stdlib.h>

namespace sluice::scuttlebutt {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
constexpr bool kSanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool kSanitized = false;
#endif

/// What is looked for, in a form that is not found itself.
class Needle {
public:
    explicit Needle(std::string_view bytes) : masked_(bytes) {
        for (char& byte : masked_) byte = static_cast<char>(byte ^ kMask);
    }
    std::size_t count_in(std::string_view hay) const {
        std::size_t count = 0;
        const char first = static_cast<char>(masked_[0] ^ kMask);
        for (std::size_t at = hay.find(first); at != hay.npos; at = hay.find(first, at + 1)) {
            if (hay.size() - at >= masked_.size() && is_at(hay.data() + at)) ++count;
        }
        return count;
    }

private:
    bool is_at(const char* bytes) const {
        for (std::size_t i = 0; i < masked_.size(); ++i) {
            if (static_cast<char>(bytes[i] ^ kMask) != masked_[i]) return false;
        }
        return true;
    }
    static constexpr char kMask = 0x5A;
    std::string masked_;
};

struct Range {
    std::uintptr_t begin = 0, end = 0;
    std::string name;
};

/// The process's writable pages, but for this thread's stack: what a function has returned from
/// stays there until the next one is called.
std::vector<Range> writable_ranges() {
    std::vector<Range> ranges;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        std::istringstream words(line);
        Range range;
        std::string permissions, offset, device, inode;
        char dash = 0;
        words >> std::hex >> range.begin >> dash >> range.end >> permissions >> offset >> device >>
            inode >> range.name;
        if (permissions.starts_with("rw") && range.name != "[stack]") ranges.push_back(range);
    }
    return ranges;
}

std::size_t count_in_memory(const Needle& needle) {
    std::size_t count = 0;
    for (const Range& range : writable_ranges()) {
        count += needle.count_in({reinterpret_cast<const char*>(range.begin), // NOLINT
                                  range.end - range.begin});
    }
    return count;
}

/// The flags of the pages at `address`, as /proc/self/smaps shows them.
std::string page_flags(const void* address) {
    const auto wanted = reinterpret_cast<std::uintptr_t>(address);
    std::ifstream maps("/proc/self/smaps");
    bool inside = false;
    for (std::string line; std::getline(maps, line);) {
        std::uintptr_t begin = 0, end = 0;
        char dash = 0;
        std::istringstream words(line);
        if (words >> std::hex >> begin >> dash >> end && dash == '-') {
            inside = begin <= wanted && wanted < end;
        } else if (inside && line.starts_with("VmFlags:")) {
            return line + ' ';
        }
    }
    return {};
}

TEST(Secrets, LieInPagesThatAreNotDumped) {
    const SecretBytes secret(5000, 'x');
    for (const std::size_t at : {std::size_t{0}, secret.size() - 1}) {
        const std::string flags = page_flags(secret.data() + at);
        EXPECT_NE(flags.find(" dd "), std::string::npos) << flags;
        if (kSanitized) continue; // They lock nothing.
        EXPECT_NE(flags.find(" lo "), std::string::npos) << flags;
    }
}

TEST(Secrets, AreOverwrittenWhereTheyWere) {
    alignas(Secret32) unsigned char place[sizeof(Secret32)];
    Bytes32 key;
    key.fill(7);
    auto* const secret = new (place) Secret32(key);
    EXPECT_EQ(*secret, key);
    secret->~Secret32();
    EXPECT_EQ(std::count(std::begin(place), std::end(place), 0), std::ssize(place));

    std::string text = "a longer text";
    text.reserve(100);
    const char* const bytes = text.data();
    text.resize(3);
    wipe(text);
    EXPECT_TRUE(text.empty());
    EXPECT_EQ(std::string_view(bytes, 13), std::string_view("\0\0\0\0\0\0\0\0\0\0\0\0\0", 13));
}

class Folder {
public:
    Folder() {
        char pattern[] = "/tmp/sluice_secrets_test.XXXXXX";
        path_ = ::mkdtemp(pattern);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path_); }
    std::string database() const { return path_ + "/db"; }

private:
    std::string path_;
};

Secret32 seed_of_test() {
    Secret32 seed;
    for (std::size_t i = 0; i < seed.size(); ++i) seed[i] = static_cast<unsigned char>(i * 37 + 11);
    return seed;
}

std::string_view chars_of(const auto& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

struct Needles {
    Needle seed, seed_text, box_key;
};

Needles needles_of_test() {
    const KeyPair pair = key_pair_from_seed(seed_of_test());
    const BoxKeys twin = box_keys_of(pair);
    std::string line = secret_line(pair);
    const std::size_t private_at = line.find("\"private\":\"") + 11;
    Needles needles{Needle(chars_of(seed_of_test())), Needle(line.substr(private_at, 40)),
                    Needle(chars_of(twin.secret_key))};
    wipe(line);
    return needles;
}

/// As `sluice key add` reads it.
PreparedFact fact_of_test() {
    const KeyPair pair = key_pair_from_seed(seed_of_test());
    std::string line = secret_line(pair);
    const SecretBytes file(line.begin(), line.end());
    wipe(line);
    const auto pairs = parse_secret_file(view_of(file)).value();
    return identity_fact(pairs.at(0));
}

std::string private_message() {
    const KeyPair pair = key_pair_from_seed(seed_of_test());
    PrivateBoxEntropy entropy{};
    entropy.ephemeral_secret_key.fill(9);
    const Bytes32 recipient = box_keys_of(pair).public_key;
    const std::string box =
        private_box(R"({"type":"post"})", std::span(&recipient, 1), entropy).value();
    return R"({"key":"%m","value":{"previous":null,"author":")" + pair.id +
           R"(","sequence":1,"timestamp":1,"hash":"sha256","content":")" + box + R"("}})";
}

/// Opens a message with the key, and drops the key.
void live_with_a_key(const std::string& path, const Needles& needles) {
    const auto database = Database::open(path, {.transforms = transforms()}).value();
    const std::string message = private_message();
    database->append({.body = message}).value();
    database->use_transforms(std::vector<std::string>{"scuttlebutt.unbox"}).value();
    const FactName name = [&] {
        const PreparedFact fact = fact_of_test();
        EXPECT_EQ(database->put_fact(fact.fact()).value().seqs.size(), 1U);
        return fact.name;
    }();
    EXPECT_EQ(database->facts(kKeysCollection).size(), 1U);
    // The one copy that the next message is opened with.
    EXPECT_EQ(count_in_memory(needles.box_key), 1U);
    EXPECT_EQ(database->drop_fact(name).value().seqs.size(), 1U);
    EXPECT_EQ(count_in_memory(needles.box_key), 0U);
}

TEST(Secrets, AreNowhereInMemoryOnceTheyAreDropped) {
    if (kSanitized) GTEST_SKIP() << "the sanitizers' own memory is too large to search";
    const Folder folder;
    Database::create(folder.database()).value();
    const Needles needles = needles_of_test();
    EXPECT_EQ(count_in_memory(needles.box_key), 0U);
    {
        const PreparedFact fact = fact_of_test();
        EXPECT_EQ(count_in_memory(needles.box_key), 1U) << "the search does not find what is there";
    }
    live_with_a_key(folder.database(), needles);
    EXPECT_EQ(count_in_memory(needles.seed), 0U);
    EXPECT_EQ(count_in_memory(needles.seed_text), 0U);
}

// So long that nothing which comes later overwrites all of it by chance.
TEST(Secrets, AreNowhereElseInMemoryWhileTheyAreKept) {
    if (kSanitized) GTEST_SKIP() << "the sanitizers' own memory is too large to search";
    constexpr std::size_t kTimes = 2000;
    const Folder folder;
    Database::create(folder.database()).value();
    const Needles needles = needles_of_test();
    const auto database = Database::open(folder.database()).value();
    {
        SecretBytes value;
        const Secret32 seed = seed_of_test();
        for (std::size_t i = 0; i < kTimes; ++i)
            value.insert(value.end(), seed.begin(), seed.end());
        database->put_fact({{"keys", Key("long")}, view_of(value), true}).value();
    }
    EXPECT_EQ(count_in_memory(needles.seed), kTimes);
    static_cast<void>(database->facts());
    EXPECT_EQ(count_in_memory(needles.seed), kTimes);
    database->drop_fact({"keys", Key("long")}).value();
    EXPECT_EQ(count_in_memory(needles.seed), 0U);
}

// A key that was erased is looked for by verify(), and is in no memory afterwards.
TEST(Secrets, AreNowhereInMemoryOnceTheyAreErasedAndTheDatabaseIsClosed) {
    if (kSanitized) GTEST_SKIP() << "the sanitizers' own memory is too large to search";
    const Folder folder;
    Database::create(folder.database()).value();
    const Needles needles = needles_of_test();
    {
        const auto database = Database::open(folder.database()).value();
        const FactName name = [&] {
            const PreparedFact fact = fact_of_test();
            database->put_fact(fact.fact()).value();
            return fact.name;
        }();
        database->erase_fact(name).value();
        EXPECT_TRUE(database->verify().value().equal());
    }
    EXPECT_EQ(count_in_memory(needles.box_key), 0U);
}

} // namespace
} // namespace sluice::scuttlebutt
