#include <sluice/scuttlebutt.hpp>

#include "scuttlebutt/blobs.hpp"
#include "scuttlebutt/edits.hpp"
#include "scuttlebutt/unbox.hpp"

namespace sluice::scuttlebutt {

Transforms transforms() {
    Transforms all;
    all.add(unbox_transform());
    const Source edit_links = all.add(edit_links_transform());
    const Source edit_roots = all.add(edit_roots_transform(edit_links));
    all.add(edits_transform(edit_roots));
    all.add(blobs_transform());
    return all;
}

} // namespace sluice::scuttlebutt
