// Edits: messages that give another message a newer content.
//
// An edit is a message whose content names another message in one of these ways, the first that is
// there:
//
//   "original", or else "updated", with "type":"edit" or "type":"update"  (mvd, ssb-edit)
//   "revisionRoot"                                   of any type          (ssb-revisions)
//   "replaces"                                       of any type          (Oasis)
//
// One that names itself is none. Who follows these names comes to the message that is no edit as
// far as is known: the edit's *root*. An edit of an edit is so an edit of the root. A chain of more
// than kEditChainMax edits, or one that runs into itself, leads nowhere.
//
//   "scuttlebutt.edit-links"  says of each edit which message it names
//   "scuttlebutt.edit-roots"  follows the names, and files each edit with its root
//   "scuttlebutt.edits"       shows the root with its newest edit
//
// Newest is, among the edits of one author, the one with the greatest "sequence"; then "timestamp",
// then id. Only edits by the root's author count. Where the fact ["anyone-may-edit"] of
// "scuttlebutt.settings" is there, everybody's do, and the greatest "timestamp" is newest; then
// author, "sequence", id. Timestamps are what authors claim: this is for circles who trust each
// other.
//
// What is shown is the root's content with the edit's members in place of its own. An edit of the
// first kind gives what has changed; one of the others gives the whole content, so that members
// which it does not have are gone. Those that say what and where a message is stay the root's in
// any case: type, original, updated, revisionRoot, revisionBranch, replaces, root, branch, fork,
// recps, tangles. "revisionBranch" is not looked at otherwise: where an author's revisions branch,
// the greatest "sequence" is newest, as of all edits. Beside "value" stands
// "edited":{"key","author","timestamp"} of the edit, and "private":true in it if the edit was
// boxed. The edit itself stays a message of its own.
//
// Without the edit the root reads as it was written. An edit whose chain has lost a link counts for
// where it ends.
#pragma once
#include <sluice/transform.hpp>

namespace sluice::scuttlebutt {

inline constexpr unsigned kEditChainMax = 32;
/// A longer content is no edit's.
inline constexpr std::size_t kEditContentSizeBytesMax = 256 * 1024;

Transform edit_links_transform();
Transform edit_roots_transform(const Source& edit_links);
Transform edits_transform(const Source& edit_roots);

} // namespace sluice::scuttlebutt
