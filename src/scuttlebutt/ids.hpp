// What Scuttlebutt names things by: "%...=.sha256" a message, "&...=.sha256" a blob.
#pragma once
#include <string_view>

namespace sluice::scuttlebutt {

/// Of both: the sigil, 32 bytes in base64, the suffix.
constexpr std::size_t kHashIdSizeBytes = 52;

bool is_message_id(std::string_view text);
bool is_blob_id(std::string_view text);

} // namespace sluice::scuttlebutt
