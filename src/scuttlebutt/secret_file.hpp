// Secrets as Scuttlebutt programs keep them in files.
#pragma once
#include "scuttlebutt/keys.hpp"

#include <sluice/result.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace sluice::scuttlebutt {

/// The key pairs of a secret file: one JSON object {"curve","public","private","id"}, on several
/// lines as ssb-keys writes it, or one a line. From a `#` to the end of its line is comment. Each
/// pair is checked: the public half and the id must be those that the secret makes.
/// Errors: invalid_argument, which says what is wrong, of which key, and never what a key is.
Result<std::vector<KeyPair>> parse_secret_file(std::string_view text);

/// One line, as parse_secret_file() reads it: {"curve","public","private","id"}.
std::string secret_line(const KeyPair& pair);

struct GroupKey {
    Secret32 key;
    std::string group; ///< The group's id, for people; empty when the text has none.
};
/// The key of a group: 32 bytes in base64 or hexadecimal, or JSON with that in "key" or "groupKey",
/// and maybe the group's id in "groupId" or "id". Errors: as above.
Result<GroupKey> parse_group_key(std::string_view text);

} // namespace sluice::scuttlebutt
