#include "scuttlebutt/secret_file.hpp"

#include "base/json.hpp"
#include "base/try.hpp"

#include <sodium.h>

#include <sluice/scuttlebutt.hpp>

#include <algorithm>

namespace sluice::scuttlebutt {
namespace {

constexpr std::size_t kTextSizeBytesMax = 16 * 1024 * 1024;
constexpr std::size_t kGroupIdSizeBytesMax = 200;
constexpr std::string_view kSuffix = ".ed25519";

Error wrong(std::string_view what) {
    return {Errc::invalid_argument, "reading a secret: " + std::string(what)};
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n";
    const std::size_t begin = std::min(text.find_first_not_of(kSpace), text.size());
    text.remove_prefix(begin);
    return text.substr(0, text.find_last_not_of(kSpace) + 1);
}

/// The lines with something on them, without comments.
std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        line = trimmed(line.substr(0, line.find('#')));
        if (!line.empty()) lines.push_back(line);
    }
    return lines;
}

Result<std::string_view> string_member(const Value& json, std::string_view name) {
    const Value* const member = json.find(name);
    if (member == nullptr || !member->as_string())
        return wrong("it has no string \"" + std::string(name) + "\"");
    return *member->as_string();
}

/// `size` bytes before ".ed25519".
Result<SecretBytes> bytes_member(const Value& json, std::string_view name, std::size_t size) {
    SLUICE_TRY_ASSIGN(const std::string_view text, string_member(json, name));
    const std::string quoted = "\"" + std::string(name) + "\"";
    if (!text.ends_with(kSuffix)) return wrong(quoted + " does not end in .ed25519");
    auto bytes = secret_from_base64(text.substr(0, text.size() - kSuffix.size()));
    if (!bytes) return wrong(quoted + " is not base64");
    if (bytes->size() != size) {
        return wrong(quoted + " has " + std::to_string(bytes->size()) + " bytes, not " +
                     std::to_string(size));
    }
    return *std::move(bytes);
}

Result<KeyPair> pair_of(const Value& json) {
    if (json.type() != Value::Type::object) return wrong("it is no JSON object");
    if (const Value* const curve = json.find("curve");
        curve != nullptr && curve->as_string() != "ed25519") {
        return wrong("its curve is not ed25519");
    }
    SLUICE_TRY_ASSIGN(const SecretBytes secret, bytes_member(json, "private", sizeof(Bytes64)));
    SLUICE_TRY_ASSIGN(const SecretBytes public_key, bytes_member(json, "public", sizeof(Bytes32)));
    Secret32 seed;
    std::copy_n(secret.begin(), seed.size(), seed.begin());
    const KeyPair pair = key_pair_from_seed(seed);
    const auto same = [](const SecretBytes& bytes, const auto& key) {
        return std::equal(
            key.begin(), key.end(), bytes.begin(), bytes.end(),
            [](unsigned char a, char b) { return a == static_cast<unsigned char>(b); });
    };
    if (!same(secret, pair.secret_key)) return wrong("the two halves of \"private\" do not fit");
    if (!same(public_key, pair.public_key)) return wrong("\"public\" does not fit \"private\"");
    if (const Value* const id = json.find("id"); id != nullptr && id->as_string() != pair.id)
        return wrong("\"id\" does not fit \"private\"");
    return pair;
}

std::optional<SecretBytes> secret_from_hex(std::string_view text) {
    SecretBytes bytes(text.size() / 2, '\0');
    std::size_t size = 0;
    const char* end = nullptr;
    if (sodium_hex2bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(),
                       text.size(), nullptr, &size, &end) != 0 ||
        end != text.data() + text.size() || size != bytes.size()) {
        return std::nullopt;
    }
    return bytes;
}

Result<Secret32> group_key_bytes(std::string_view text) {
    const bool may_be_hex = text.size() == 2 * sizeof(Bytes32);
    const auto bytes = may_be_hex ? secret_from_hex(text) : secret_from_base64(text);
    if (!bytes) return wrong("the group's key is neither base64 nor hexadecimal");
    Secret32 key;
    if (bytes->size() != key.size()) {
        return wrong("the group's key has " + std::to_string(bytes->size()) + " bytes, not 32");
    }
    std::copy(bytes->begin(), bytes->end(), key.begin());
    return key;
}

} // namespace

Result<std::vector<KeyPair>> parse_secret_file(std::string_view text) {
    if (text.size() > kTextSizeBytesMax) return wrong("the file is over 16 MiB");
    const std::vector<std::string_view> lines = lines_of(text);
    if (lines.empty()) return wrong("there is none in the file");
    std::vector<KeyPair> pairs;
    JsonParser parser;

    SecretBytes whole;
    for (const std::string_view line : lines) {
        whole.insert(whole.end(), line.begin(), line.end());
        whole.push_back('\n');
    }
    if (const Value* const one = parser.parse(view_of(whole))) {
        SLUICE_TRY_ASSIGN(pairs.emplace_back(), pair_of(*one));
        return pairs;
    }
    for (const std::string_view line : lines) {
        const Value* const each = parser.parse(line);
        if (each == nullptr) return wrong("the file is neither one JSON object nor one a line");
        auto pair = pair_of(*each);
        if (!pair) {
            return Error{pair.error().code, pair.error().context + " (key " +
                                                std::to_string(pairs.size() + 1) + " of the file)"};
        }
        pairs.push_back(*std::move(pair));
    }
    return pairs;
}

Result<GroupKey> parse_group_key(std::string_view text) {
    if (text.size() > kTextSizeBytesMax) return wrong("the file is over 16 MiB");
    text = trimmed(text);
    GroupKey group;
    if (!text.starts_with('{')) {
        SLUICE_TRY_ASSIGN(group.key, group_key_bytes(text));
        return group;
    }
    JsonParser parser;
    const Value* const json = parser.parse(text);
    if (json == nullptr) return wrong("the group's key is not JSON, though it begins with {");
    SLUICE_TRY_ASSIGN(const std::string_view key,
                      string_member(*json, json->find("key") != nullptr ? "key" : "groupKey"));
    SLUICE_TRY_ASSIGN(group.key, group_key_bytes(key));
    for (const char* const name : {"groupId", "id"}) {
        if (!group.group.empty() || json->find(name) == nullptr) continue;
        SLUICE_TRY_ASSIGN(const std::string_view id, string_member(*json, name));
        if (id.size() > kGroupIdSizeBytesMax) return wrong("the group's id is over 200 bytes");
        group.group = id;
    }
    return group;
}

std::string secret_line(const KeyPair& pair) {
    const std::string curve = ".ed25519";
    return R"({"curve":"ed25519","public":")" + to_base64(pair.public_key) + curve +
           R"(","private":")" + to_base64(pair.secret_key) + curve + R"(","id":")" + pair.id +
           "\"}";
}

} // namespace sluice::scuttlebutt
