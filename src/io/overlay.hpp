// A directory of another process, with changes that only this one sees.
#pragma once
#include "io/file.hpp"

namespace sluice {

/// What is read comes from `below`; what is written, made, renamed or removed stays in memory and
/// is gone with the overlay and the files opened in it. A file that is changed is copied first.
///
/// What is mapped is pinned, so that whoever owns `below` does not destroy it meanwhile. A file
/// that is being destroyed is not_found. `below` must outlive the overlay. It has no subdirectories
/// and no locks. Threads: as Directory.
std::unique_ptr<Directory> overlay_in_memory(Directory& below);

} // namespace sluice
