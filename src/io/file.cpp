#include "io/file.hpp"

#include "base/try.hpp"

#include <algorithm>

namespace sluice {

Result<void> overwrite_with_zeros(File& file, std::uint64_t position, std::uint64_t size_bytes) {
    static const std::string kZeros(256 * 1024, '\0');
    while (size_bytes > 0) {
        const std::uint64_t step = std::min<std::uint64_t>(size_bytes, kZeros.size());
        SLUICE_TRY(file.write_at(position, std::string_view(kZeros).substr(0, step)));
        position += step;
        size_bytes -= step;
    }
    return {};
}

Result<std::string> read_whole(const File& file) {
    std::string bytes(file.size_bytes(), '\0');
    SLUICE_TRY(file.read_at(0, bytes.data(), bytes.size()));
    return bytes;
}

Result<void> replace_file(Directory& directory, const std::string& name, std::string_view bytes) {
    {
        SLUICE_TRY_ASSIGN(const auto file,
                          directory.open(replacement_name(name), Create::if_missing));
        SLUICE_TRY(file->truncate(0));
        SLUICE_TRY(file->write_at(0, bytes));
        SLUICE_TRY(file->sync());
    }
    SLUICE_TRY(directory.rename(replacement_name(name), name));
    return directory.sync();
}

Result<void> destroy_file(Directory& directory, const std::string& name) {
    SLUICE_TRY_ASSIGN(const std::unique_ptr<File> file, directory.open(name, Create::never));
    SLUICE_TRY_ASSIGN(const Claim claim, file->claim());
    if (!claim.is_granted) {
        return Error{Errc::busy, "process " + claim.holders + " reads " + directory.path() + "/" +
                                     name + ", which is to be destroyed"};
    }
    SLUICE_TRY(overwrite_with_zeros(*file, 0, file->size_bytes()));
    SLUICE_TRY(file->sync());
    return directory.remove(name); // Before it is closed: nobody is to pin zeros.
}

} // namespace sluice
