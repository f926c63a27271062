// Any bytes as messages through the transforms of Scuttlebutt. The input is some messages, one a
// line. Unless two have one id, their order must not matter: each reads the same whichever came
// first. What was JSON stays JSON. Boxes are made of what follows a line's `!` (for a feed) or `#`
// (for a group), so that the fuzzer reaches what only who can box could write.
//
// Code: scuttlebutt/(unbox|edits|blobs|transforms|object_text|message_parts|contacts)
#include "base/assert.hpp"
#include "base/json.hpp"
#include "scuttlebutt/blobs.hpp"
#include "scuttlebutt/context_test_support.hpp"
#include "scuttlebutt/envelope.hpp"
#include "scuttlebutt/message_parts.hpp"
#include "scuttlebutt/object_text.hpp"
#include "scuttlebutt/private_box.hpp"
#include "scuttlebutt/read_keys.hpp"

#include <sluice/scuttlebutt.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

using namespace sluice;
using namespace sluice::scuttlebutt;

namespace {

const KeyPair& reader() {
    static const KeyPair pair = key_pair_from_seed(Bytes32{1});
    return pair;
}

std::string message_with(const std::string& content) {
    return R"({"key":"%AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=.sha256","value":{"previous":null,)"
           R"("author":")" +
           reader().id + R"(","sequence":1,"content":")" + content + R"("},"timestamp":1})";
}

std::string message_of(std::string_view line) {
    if (line.size() > 1 && line[0] == '!') {
        const Bytes32 recipient = box_keys_of(reader()).public_key;
        return message_with(private_box(line.substr(1), {&recipient, 1}, {}).value());
    }
    if (line.size() > 1 && line[0] == '#') {
        const EnvelopeKey group{Bytes32{2}, kGroupScheme};
        const auto place = envelope_place(reader().id, "");
        return message_with(envelope_box(line.substr(1), *place, Bytes32{3}, {&group, 1}).value());
    }
    return std::string(line);
}

std::vector<std::optional<std::string>> derived(const std::vector<std::string>& messages,
                                                const std::vector<PreparedFact>& facts) {
    scuttlebutt::test::World world;
    for (const PreparedFact& fact : facts) world.put(fact.fact());
    for (const std::string& message : messages) world.append(message);
    return world.derive(transforms());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input(reinterpret_cast<const char*>(data), size);
    std::vector<std::string> messages;
    while (!input.empty() && messages.size() < 8) {
        const std::size_t end = std::min(input.find('\n'), input.size());
        messages.push_back(message_of(input.substr(0, end)));
        input.remove_prefix(std::min(end + 1, input.size()));
    }
    static const std::vector<PreparedFact> facts = {
        identity_fact(reader()), group_fact({Bytes32{2}, ""}), blob_fact(BlobId{}, "text")};

    JsonParser parser;
    std::vector<std::string> ids;
    const auto bodies = derived(messages, facts);
    for (std::size_t i = 0; i < messages.size(); ++i) {
        const Value* const before = parser.parse(messages[i]);
        static_cast<void>(author_of(messages[i]));
        static_cast<void>(member_text(messages[i], "value"));
        const Message message{Seq{1}, {}, messages[i], before};
        static_cast<void>(contact_of(message));
        if (const auto parts = parts_of(message)) ids.emplace_back(parts->id);
        SLUICE_ASSERT(bodies[i]);
        if (before == nullptr) {
            SLUICE_ASSERT(*bodies[i] == messages[i]);
        } else {
            SLUICE_ASSERT(parser.parse(*bodies[i]) != nullptr);
        }
    }
    std::sort(ids.begin(), ids.end());
    if (std::adjacent_find(ids.begin(), ids.end()) != ids.end()) return 0;
    std::vector<std::string> reversed(messages.rbegin(), messages.rend());
    auto again = derived(reversed, facts);
    std::reverse(again.begin(), again.end());
    SLUICE_ASSERT(again == bodies);
    return 0;
}
