// Transform "scuttlebutt.blobs": messages that name blobs show what is known of them.
//
// A blob that is present is a fact: collection "scuttlebutt.blobs", key ["&...=.sha256"], value
// {"size","type"} and, of text, "text". A message that names blobs anywhere in its content has
// beside "value" a member "blobs" with one member for each, such as
// {"&...=.sha256":{"present":true,"size":3,"type":"text/plain","text":"..."}} or {"present":false}.
#pragma once
#include <sluice/transform.hpp>

#include <cstddef>
#include <string_view>

namespace sluice::scuttlebutt {

/// How many blobs a message shows: the first that it names.
inline constexpr std::size_t kBlobsShownMax = 64;
/// How much of a text a fact keeps. A longer one is cut between characters, and has
/// "truncated":true.
inline constexpr std::size_t kBlobTextSizeBytesMax = 64 * 1024;

Transform blobs_transform();

/// "image/png" and the like by how the bytes begin; "text/plain" if all are UTF-8 without control
/// characters but white space; else "application/octet-stream".
std::string_view blob_type(std::string_view bytes);

} // namespace sluice::scuttlebutt
