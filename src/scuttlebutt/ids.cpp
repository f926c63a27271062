#include "scuttlebutt/ids.hpp"

#include "scuttlebutt/keys.hpp"

namespace sluice::scuttlebutt {
namespace {

bool is_hash_id(std::string_view text, char sigil) {
    constexpr std::string_view kSuffix = ".sha256";
    if (text.size() != kHashIdSizeBytes || text[0] != sigil || !text.ends_with(kSuffix))
        return false;
    const auto bytes = from_base64(text.substr(1, text.size() - 1 - kSuffix.size()));
    return bytes && bytes->size() == Bytes32{}.size();
}

} // namespace

bool is_message_id(std::string_view text) {
    return is_hash_id(text, '%');
}
bool is_blob_id(std::string_view text) {
    return is_hash_id(text, '&');
}

} // namespace sluice::scuttlebutt
