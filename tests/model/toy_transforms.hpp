// Transforms that do what real ones do, on messages that a test can write in a line: boxes that
// keys open, blocks, edits that may come first, blobs. Together they ask everything that can be
// asked.
#pragma once
#include <sluice/transform.hpp>

namespace sluice::test {

// Facts: keys [name]; blocks [author]; blobs [name] with a text, or "bad" to throw.
//
//   {"box":"k1","inner":{...}}                    is what is inside once there is the key k1
//   {"author":"ada",...}                          is hidden while ada is blocked
//   {"author":"ada","edit":"m7","n":2,"text":...} gives m7 its text, if ada wrote it; greatest n
//   wins
//   {"blob":"b1",...}                             shows the blob's text
//   {"rank":true,"author":...}                    shows how many edits there are, and the first's n
Transforms toy_transforms();
/// The cells of toy.edit-links: [target, author, n] -> text.
Source toy_edit_links();

/// Their names, in order.
std::vector<std::string> toy_transform_names();

} // namespace sluice::test
