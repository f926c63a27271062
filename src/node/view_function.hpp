// Views written in JavaScript.
#pragma once
#include "node/addon.hpp"

#include <sluice/view.hpp>

namespace sluice::node {

/// Gives `view` a function that asks the one that lib/native.js knows by `number`: for many
/// messages at a time, on the thread of JavaScript, while the thread that derives waits.
void set_function(CodeView& view, Addon& addon, double number);

} // namespace sluice::node
