// Transform "scuttlebutt.unbox": private messages as whoever has the keys reads them.
//
// A message whose content is a private-box ("....box") or an envelope ("....box2") is opened with
// any key of the facts "scuttlebutt.keys" that fits, and then reads as if it had been sent open:
// "content" is what was in the box. As in ssb-db2, what it was stands beside "value" in
// "meta":{"private":true,"originalContent":"....box","encryptionFormat":"box" or "box2"}.
//
// Which key opened it does not show. A message that no key opens stays as it is, and is tried again
// with new keys only. So does one in whose box is no JSON: it is nothing that a view could read.
#pragma once
#include <sluice/transform.hpp>

namespace sluice::scuttlebutt {

Transform unbox_transform();

} // namespace sluice::scuttlebutt
