// Any bytes as a secret file, a group's key, or an id. What is understood is written as it was
// understood; ids that are taken are the ones that are written.
//
// Code: scuttlebutt/secret_file scuttlebutt/keys scuttlebutt/ids scuttlebutt/read_keys
#include "base/assert.hpp"
#include "scuttlebutt/envelope.hpp"
#include "scuttlebutt/ids.hpp"
#include "scuttlebutt/read_keys.hpp"
#include "scuttlebutt/secret_file.hpp"

#include <sluice/scuttlebutt.hpp>

#include <cstddef>
#include <cstdint>

using namespace sluice;
using namespace sluice::scuttlebutt;

namespace {

void ids(std::string_view text) {
    const auto blob = BlobId::parse(text);
    if (blob) SLUICE_ASSERT(blob->text() == text && is_blob_id(text));
    const auto feed = public_key_of_feed(text);
    if (feed) SLUICE_ASSERT("@" + to_base64(*feed) + ".ed25519" == text);
    if (feed) SLUICE_ASSERT(envelope_place(text, "").has_value());
    if (is_message_id(text)) SLUICE_ASSERT(text.size() == kHashIdSizeBytes && !is_blob_id(text));
    if (const auto bytes = from_base64(text)) {
        const std::span raw(reinterpret_cast<const unsigned char*>(bytes->data()), bytes->size());
        SLUICE_ASSERT(to_base64(raw) == text);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    ids(input);
    if (const auto pairs = parse_secret_file(input)) {
        SLUICE_ASSERT(!pairs->empty());
        for (const KeyPair& pair : *pairs) {
            const auto again = parse_secret_file(secret_line(pair)).value();
            SLUICE_ASSERT(again.size() == 1 && again[0].id == pair.id);
            SLUICE_ASSERT(again[0].secret_key == pair.secret_key);
        }
        SLUICE_ASSERT(identity_facts(input).value().size() == pairs->size());
    }
    if (const auto group = parse_group_key(input)) {
        const PreparedFact fact = group_fact(*group);
        ReadKey key;
        SLUICE_ASSERT(read_key(fact.value, key) && key.group == group->group);
        SLUICE_ASSERT(key.key == Secret32(group->key));
    }
    return 0;
}
