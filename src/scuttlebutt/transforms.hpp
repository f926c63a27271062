// All transforms of Scuttlebutt messages, in the order in which a message passes them.
#pragma once
#include <sluice/transform.hpp>

namespace sluice::scuttlebutt {

/// Unboxed first, so that boxed edits are edits; then edited, and the blobs of what is shown.
/// docs/design/scuttlebutt.md says what each does.
Transforms transforms();

} // namespace sluice::scuttlebutt
