// Secrets as Scuttlebutt programs keep them in files.
#pragma once
#include "scuttlebutt/keys.hpp"

#include <sluice/result.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace sluice::scuttlebutt {

/// The key pairs of a secret file, which identity_facts() has in words. Errors: as it.
Result<std::vector<KeyPair>> parse_secret_file(std::string_view text);

/// One line, as parse_secret_file() reads it: {"curve","public","private","id"}.
std::string secret_line(const KeyPair& pair);

} // namespace sluice::scuttlebutt
