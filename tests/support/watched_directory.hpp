// A directory that tells what is about to be done to it, so that a test can stop a thread there.
#pragma once
#include "io/file.hpp"

#include <functional>
#include <memory>
#include <string>

namespace sluice::test {

/// Called in front of each call that changes something, on the thread that makes it, with no lock
/// of the directory's held. It may wait for other threads, which call in on their part.
using Watcher = std::function<void()>;

/// `directory` and all that is opened in it, watched. `watcher` is called from several threads.
std::unique_ptr<Directory> watched(std::unique_ptr<Directory> directory, Watcher watcher);

} // namespace sluice::test
