// Transform "scuttlebutt.blobs": messages that name blobs show what is known of them.
//
// A blob that is present is a fact: collection "scuttlebutt.blobs", key ["&...=.sha256"], value
// {"size","type"} and, of text, "text". A message that names blobs anywhere in its content has
// beside "value" a member "blobs" with one member for each, such as
// {"&...=.sha256":{"present":true,"size":3,"type":"text/plain","text":"..."}} or {"present":false}.
#pragma once
#include "scuttlebutt/prepared_fact.hpp"

#include <sluice/transform.hpp>

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::scuttlebutt {

inline constexpr std::string_view kBlobsCollection = "scuttlebutt.blobs";
/// How many blobs a message shows: the first that it names.
inline constexpr std::size_t kBlobsShownMax = 64;
/// How much of a text a fact keeps. A longer one is cut between characters, and has
/// "truncated":true.
inline constexpr std::size_t kBlobTextSizeBytesMax = 64 * 1024;

Transform blobs_transform();

/// That the blob `id` is present. `bytes` is all of it.
PreparedFact blob_fact(std::string_view id, std::string_view bytes);

/// "image/png" and the like by how the bytes begin; "text/plain" if all are UTF-8 without control
/// characters but white space; else "application/octet-stream".
std::string_view blob_type(std::string_view bytes);

/// The ids of the blobs that a message names, in the order in which it does: in any string of its
/// content, alone, with "?..." behind it, or within a text. Each once, the first `count_max`. Blobs
/// that no live message names are garbage.
std::vector<std::string>
blobs_named_by(const Message& message,
               std::size_t count_max = std::numeric_limits<std::size_t>::max());

} // namespace sluice::scuttlebutt
