// A directory of another process, with changes that only this one sees.
#pragma once
#include "io/file.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace sluice {

/// What is mapped of files of others, as long as it is. Threads: any.
class Pins {
public:
    void add(const Mapping& mapping);
    bool any() const;
    /// As Mapping::leave_file, of all. Errors: io.
    Result<void> leave_files();

private:
    struct Pin {
        std::weak_ptr<const void> alive;
        std::function<Result<void>()> leave_file;
    };
    mutable std::mutex mutex_;
    std::vector<Pin> pins_;
};

/// What is read comes from `below`; what is written, made, renamed or removed stays in memory and
/// is gone with the overlay and the files opened in it. A file that is changed is copied first.
///
/// What is mapped is pinned, and noted in `pins`, so that whoever owns `below` does not destroy it
/// meanwhile. A file that is being destroyed is not_found. Names that others give below meanwhile
/// are theirs: a new file here may have one of them. `below` must outlive the overlay. It has no
/// subdirectories and no locks. Threads: as Directory.
std::unique_ptr<Directory> overlay_in_memory(Directory& below, std::shared_ptr<Pins> pins);

} // namespace sluice
