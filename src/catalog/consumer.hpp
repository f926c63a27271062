// Where durable consumers of the change feed stand: a file for each.
#pragma once
#include "io/file.hpp"

#include <sluice/feed.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

struct Consumer {
    FeedPosition position;
    FeedFilter filter;
    friend bool operator==(const Consumer&, const Consumer&) = default;
};

/// Beside the log, because a consumer is no derived thing. A file of its own for each, so that its
/// process can write it while another one has the database. docs/format/consumer.md.
namespace consumers {

constexpr std::size_t kNameSizeMax = 64;

/// Letters, digits, '-' and '_'. Errors: invalid_argument.
Result<void> check_name(std::string_view name);
/// Whether a consumer has files of this name.
bool has_file_name(std::string_view file);

/// Sorted. Errors: io.
Result<std::vector<std::string>> list(Directory& directory);
/// Nothing: there is none. Errors: corrupt; unsupported_version; io.
Result<std::optional<Consumer>> load(Directory& directory, const std::string& name);
/// Durable when it returns; a crash leaves this one or the one before.
Result<void> save(Directory& directory, const std::string& name, const Consumer& consumer);
/// Errors: not_found.
Result<void> remove(Directory& directory, const std::string& name);
/// One process at a time is a consumer. Errors: busy, naming it.
Result<std::unique_ptr<FileLock>> lock(Directory& directory, const std::string& name);

std::string encode(const Consumer& consumer);
/// Errors: corrupt; unsupported_version. `where` begins what they say.
Result<Consumer> decode(std::string_view raw, const std::string& where);

} // namespace consumers
} // namespace sluice
