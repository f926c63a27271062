// Any bytes as a Scuttlebutt message. JSON printed as JavaScript prints it stays as it is when it
// is printed again, and without one of its members it is that object without it; verifying and
// unboxing end.
//
// Code: scuttlebutt/message scuttlebutt/js_json
#include "base/assert.hpp"
#include "scuttlebutt/envelope.hpp"
#include "scuttlebutt/js_json.hpp"
#include "scuttlebutt/message.hpp"
#include "scuttlebutt/private_box.hpp"

#include <sluice/scuttlebutt.hpp>

#include <cstddef>
#include <cstdint>

using namespace sluice::scuttlebutt;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    static_cast<void>(verify_message(input));
    static_cast<void>(private_unbox(input, Bytes32{1}));
    static_cast<void>(private_unbox(to_base64({data, size}) + ".box", Bytes32{1}));
    const EnvelopePlace place{std::string(34, '\0'), std::string(34, '\0')};
    const EnvelopeKey key{Bytes32{1}, kGroupScheme};
    static_cast<void>(envelope_unbox(input, place, {&key, 1}));
    static_cast<void>(envelope_unbox(to_base64({data, size}) + ".box2", place, {&key, 1}));

    const auto pretty = to_pretty_json(input);
    if (!pretty) return 0;
    const auto again = to_pretty_json(pretty->text);
    SLUICE_ASSERT(again && again->text == pretty->text);
    static_cast<void>(to_binary_encoding(pretty->text));
    const auto less = to_pretty_json(pretty->without("content"));
    SLUICE_ASSERT(less && !less->find("content"));
    SLUICE_ASSERT(less->members.size() + (pretty->find("content") ? 1 : 0) ==
                  pretty->members.size());
    return 0;
}
