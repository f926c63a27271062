// Any bytes are refused as a key, or are the one encoding of one; and so is any JSON.
#include "base/assert.hpp"

#include <sluice/key.hpp>

#include <cstddef>
#include <cstdint>

using namespace sluice;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    if (const auto key = Key::from_encoded(bytes)) {
        SLUICE_ASSERT(key->encoded() == bytes);
        const std::string json = key->to_json();
        const bool is_utf8 = json.find("\xEF\xBF\xBD") == json.npos;
        const auto again = Key::from_json(json);
        // JSON is read to a certain depth only, and cannot hold what is not UTF-8.
        if (again && is_utf8) SLUICE_ASSERT(*again == *key);
    }
    if (const auto key = Key::from_json(bytes)) {
        SLUICE_ASSERT(Key::from_encoded(key->encoded()).value() == *key);
        SLUICE_ASSERT(Key::from_json(key->to_json()).value() == *key);
    }

    // The order of two keys is that of what is behind their common first element.
    const std::size_t middle = size / 2;
    const auto a = Key::from_encoded(bytes.substr(0, middle));
    const auto b = Key::from_encoded(bytes.substr(middle));
    if (a && b) {
        Key in_a("x"), in_b("x");
        in_a.append_array(*a);
        in_b.append_array(*b);
        SLUICE_ASSERT((in_a <=> in_b) == (*a <=> *b));
    }
    return 0;
}
