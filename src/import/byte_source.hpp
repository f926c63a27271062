// The bytes of a foreign file, read in large pieces.
//
// Not mapped into memory: its owner may truncate the file while we read, and touching a mapped page
// that is gone kills the process, while a read that comes back short is an error like any other.
#pragma once
#include <sluice/result.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace sluice {

/// Moves, does not copy. Threads: one at a time.
class ByteSource {
public:
    /// Opens a regular file for reading only; follows links. What is appended to it later is not
    /// seen. Errors: not_found; invalid_argument (a directory, pipe or device); io.
    static Result<ByteSource> open(const std::string& path);

    /// Reads `bytes`, which must outlive the source. `name` stands for a path in errors.
    explicit ByteSource(std::string_view bytes, std::string name = "memory");

    ByteSource(ByteSource&&) noexcept;
    ByteSource& operator=(ByteSource&&) noexcept;
    ~ByteSource();

    std::uint64_t size_bytes() const { return size_bytes_; }
    const std::string& name() const { return name_; }

    /// Bytes [from, from + size), fewer only at the end of the file; valid until the next call.
    /// Memory: the largest `size` asked for, 1 MiB at least. Errors: io; corrupt (the file shrank).
    Result<std::string_view> read(std::uint64_t from, std::uint64_t size) {
        const std::uint64_t skip = from - window_at_; // Huge when `from` lies before the window.
        if (skip <= window_.size() && size <= window_.size() - skip) {
            return window_.substr(static_cast<std::size_t>(skip), static_cast<std::size_t>(size));
        }
        return refill(from, size);
    }

private:
    class Descriptor;

    ByteSource(std::unique_ptr<Descriptor> file, std::string path, std::uint64_t size_bytes);
    Result<std::string_view> refill(std::uint64_t from, std::uint64_t size);

    std::unique_ptr<Descriptor> file_; // Null when all bytes are in the window.
    std::string name_;
    std::uint64_t size_bytes_;
    std::unique_ptr<char[]> buffer_;
    std::uint64_t buffer_size_bytes_ = 0;
    std::string_view window_;     // What of the file is in memory,
    std::uint64_t window_at_ = 0; // and where it begins.
};

} // namespace sluice
