#include "scuttlebutt/keys.hpp"

#include <string>

#include <gtest/gtest.h>

namespace sluice::scuttlebutt {
namespace {

// RFC 8032, 7.1, test 1.
TEST(Keys, AreThoseOfRfc8032) {
    const Bytes32 seed{0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a,
                       0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32,
                       0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60};
    EXPECT_EQ(key_pair_from_seed(seed).id, "@11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=.ed25519");
}

TEST(Keys, AreReadBackFromTheirId) {
    const KeyPair pair = key_pair_from_seed({1});
    EXPECT_EQ(public_key_of_feed(pair.id), pair.public_key);
    const std::string key = pair.id.substr(1, 44);
    for (const std::string& id :
         {std::string(), std::string("@"), std::string("@.ed25519"), key + ".ed25519", "@" + key,
          "%" + key + ".ed25519", "@" + key + ".sha256", "@" + key + "!.ed25519",
          "@!" + key + ".ed25519", "@" + key.substr(0, 43) + ".ed25519", "@AAAA" + key + ".ed25519",
          "@" + key.substr(4) + ".ed25519"}) {
        EXPECT_EQ(public_key_of_feed(id), std::nullopt) << id;
    }
}

// RFC 4648, 10.
TEST(Base64, IsThatOfRfc4648) {
    const std::string text = "foobar";
    const char* const expected[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    for (std::size_t size = 0; size <= text.size(); ++size) {
        const std::string encoded =
            to_base64({reinterpret_cast<const unsigned char*>(text.data()), size});
        EXPECT_EQ(encoded, expected[size]);
        EXPECT_EQ(from_base64(encoded), text.substr(0, size));
    }
}

TEST(Base64, IsReadStrictly) {
    for (const char* const text : {"Z", "Zg", "Zg=", "Zh==", "Zm9v!", "Zm9v Zm9v", "Zm9v\n",
                                   "Zg==Zg==", "=", "Zm-_", "Zm9\x89", "Zm\xC3\xA9"}) {
        EXPECT_EQ(from_base64(text), std::nullopt) << text;
    }
}

} // namespace
} // namespace sluice::scuttlebutt
