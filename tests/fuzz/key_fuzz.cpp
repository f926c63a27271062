// Any bytes: either no key, or a key that survives its encoding and its JSON. Two keys compare as
// their parts do, and a key's encoding begins with that of its prefixes.
//
// Code: base/key base/key_format base/number
#include "base/assert.hpp"

#include <sluice/key.hpp>

#include <cstddef>
#include <cstdint>

using sluice::Key;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);

    if (const auto key = Key::from_encoded(input)) {
        SLUICE_ASSERT(key->encoded() == input);
        // JSON has no infinities and no strings that are not UTF-8; what it has comes back.
        if (const auto back = Key::from_json(key->to_json())) {
            SLUICE_ASSERT(back->to_json() == key->to_json());
        }
    }

    if (const auto key = Key::from_json(input)) {
        SLUICE_ASSERT(Key::from_encoded(key->encoded()).value() == *key);
        SLUICE_ASSERT(Key::from_json(key->to_json()).value() == *key);
        Key longer = *key;
        longer.append("more");
        SLUICE_ASSERT(longer.encoded().starts_with(key->encoded()) && *key < longer);
        Key nested, after;
        nested.append_array(*key);
        after.append_array(longer);
        SLUICE_ASSERT(nested < after);
        SLUICE_ASSERT(Key::from_encoded(nested.encoded()).value() == nested);
    }
    return 0;
}
