// Boxes whose maker knows the keys and lies where nothing but the box itself could say so: how many
// recipients a private-box has, where the body of an envelope begins. A box opens to what was boxed
// or not at all; for whom it was not made, at another place, or with a bit flipped in what
// everybody's key covers, not at all. The input is how many recipients, two bytes for the lie, two
// for the bit, then what is boxed.
//
// Code: scuttlebutt/private_box scuttlebutt/envelope
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "scuttlebutt/envelope.hpp"
#include "scuttlebutt/private_box.hpp"

#include <sodium.h>

#include <cstddef>
#include <cstdint>

using namespace sluice;
using namespace sluice::scuttlebutt;

namespace {

unsigned char* bytes_of(std::string& text) {
    return reinterpret_cast<unsigned char*>(text.data());
}

void flip(std::string& bytes, std::size_t bit) {
    char& byte = bytes[bit / 8 % bytes.size()];
    byte = static_cast<char>(byte ^ (1 << bit % 8));
}

struct Lie {
    std::uint16_t number;
    std::uint16_t bit;
};

void try_private_box(std::string_view plaintext, std::size_t count, const Lie& lie) {
    std::vector<BoxKeys> readers;
    std::vector<Bytes32> recipients;
    for (unsigned char i = 0; i < count; ++i) {
        readers.push_back(box_keys_of(key_pair_from_seed(Bytes32{i})));
        recipients.push_back(readers.back().public_key);
    }
    const BoxKeys stranger = box_keys_of(key_pair_from_seed(Bytes32{0xFF}));
    PrivateBoxEntropy entropy;
    entropy.nonce.fill(1);
    entropy.ephemeral_secret_key.fill(2);
    entropy.body_key.fill(3);
    std::string box = *private_box_bytes(private_box(plaintext, recipients, entropy).value());
    for (const BoxKeys& reader : readers) {
        SLUICE_ASSERT(private_unbox_bytes(box, reader.secret_key) == plaintext);
    }
    SLUICE_ASSERT(!private_unbox_bytes(box, stranger.secret_key));

    constexpr std::size_t kSlotsAt = 56, kSlotSize = 49;
    std::string flipped = box.substr(kSlotsAt + count * kSlotSize); // The body.
    flip(flipped, lie.bit);
    flipped.insert(0, box, 0, kSlotsAt + count * kSlotSize);
    for (const BoxKeys& reader : readers) {
        SLUICE_ASSERT(!private_unbox_bytes(flipped, reader.secret_key));
    }

    // The first slot says another count.
    std::array<unsigned char, 33> slot{};
    slot[0] = static_cast<unsigned char>(lie.number);
    std::copy(entropy.body_key.begin(), entropy.body_key.end(), slot.begin() + 1);
    Bytes32 shared;
    SLUICE_ASSERT(crypto_scalarmult(shared.data(), entropy.ephemeral_secret_key.data(),
                                    recipients[0].data()) == 0);
    crypto_secretbox_easy(bytes_of(box) + kSlotsAt, slot.data(), slot.size(), bytes_of(box),
                          shared.data());
    const auto opened = private_unbox_bytes(box, readers[0].secret_key);
    SLUICE_ASSERT(opened.has_value() == (slot[0] == count));
    // It may as well be cut.
    box.resize(lie.bit % (box.size() + 1));
    static_cast<void>(private_unbox_bytes(box, readers[0].secret_key));
}

/// derive() of envelope.hpp.
Bytes32 header_key_of(const Bytes32& read_key, const EnvelopePlace& place) {
    std::string info;
    for (const std::string& part :
         {std::string("envelope"), place.feed, place.previous, std::string("header_key")}) {
        append_le(info, static_cast<std::uint16_t>(part.size()));
        info += part;
    }
    info += '\1';
    Bytes32 key;
    crypto_auth_hmacsha256(key.data(), bytes_of(info), info.size(), read_key.data());
    return key;
}

void try_envelope(std::string_view plaintext, std::size_t count, const Lie& lie) {
    const EnvelopePlace place{std::string(34, '\1'), std::string(34, '\2')};
    const EnvelopePlace other{std::string(34, '\1'), std::string(34, '\3')};
    std::vector<EnvelopeKey> keys;
    for (unsigned char i = 0; i < count; ++i) keys.push_back({Bytes32{i}, kGroupScheme});
    const EnvelopeKey stranger{Bytes32{0xFF}, kGroupScheme};
    const EnvelopeKey other_scheme{Bytes32{0}, kSelfScheme};
    std::string box = *envelope_bytes(envelope_box(plaintext, place, Bytes32{9}, keys).value());
    std::optional<OpenedEnvelope> opened;
    for (const EnvelopeKey& key : keys) {
        opened = envelope_unbox_bytes(box, place, {&key, 1});
        SLUICE_ASSERT(opened && opened->plaintext == plaintext);
    }
    for (const EnvelopeKey& key : {stranger, other_scheme}) {
        SLUICE_ASSERT(!envelope_unbox_bytes(box, place, {&key, 1}));
    }
    SLUICE_ASSERT(!envelope_unbox_bytes(box, other, keys));

    constexpr std::size_t kHeaderSize = 32, kSlotSize = 32;
    const std::size_t body_at = kHeaderSize + kSlotSize * count;
    std::string flipped = box.substr(0, kHeaderSize) + box.substr(body_at);
    flip(flipped, lie.bit);
    flipped.insert(kHeaderSize, box, kHeaderSize, kSlotSize * count);
    SLUICE_ASSERT(!envelope_unbox_bytes(flipped, place, keys));

    // The header says another place.
    std::string header(16, '\0');
    put_le(header.data(), lie.number);
    const std::array<unsigned char, crypto_secretbox_NONCEBYTES> nonce{};
    crypto_secretbox_easy(bytes_of(box), bytes_of(header), header.size(), nonce.data(),
                          header_key_of(opened->read_key, place).data());
    const auto misled = envelope_unbox_bytes(box, place, keys);
    SLUICE_ASSERT(misled.has_value() == (lie.number == body_at));
    box.resize(lie.bit % (box.size() + 1));
    static_cast<void>(envelope_unbox_bytes(box, place, keys));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const bool ready = sodium_init() >= 0;
    SLUICE_ASSERT(ready);
    ByteReader input({reinterpret_cast<const char*>(data), size});
    const auto count = input.le<std::uint8_t>();
    const auto number = input.le<std::uint16_t>();
    const Lie lie{number, input.le<std::uint16_t>()};
    if (!input.ok() || input.rest().empty()) return 0;
    try_private_box(input.rest(), 1 + count % kPrivateBoxRecipientsMax, lie);
    try_envelope(input.rest(), 1 + count % kEnvelopeSlotsMax, lie);
    return 0;
}
