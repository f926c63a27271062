// A store of blobs, each under the hash of its bytes, in the layout of multiblob: the blob of hash
// abcdef... is the file sha256/ab/cdef... .
#pragma once
#include <sluice/result.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

class Directory; // Where a test puts a simulated disk.
class FileLock;

namespace scuttlebutt {

/// "&" base64(sha256 of the blob) ".sha256"
struct BlobId {
    std::array<unsigned char, 32> hash{};
    /// Nothing when `text` is no such id.
    static std::optional<BlobId> parse(std::string_view text);
    static BlobId of(std::string_view bytes);
    std::string text() const;
    friend auto operator<=>(const BlobId&, const BlobId&) = default;
};

struct BlobStoreOptions {
    /// Larger blobs are neither put nor given.
    std::uint64_t blob_size_bytes_max = 64 * 1024 * 1024;
};

/// Promises, also after a crash at any moment and the next open():
///   S1  A blob that put() acknowledged is there, whole, until remove().
///   S2  What get() and read() give has the hash of the id, or they answer corrupt.
///   S3  After remove() no file holds bytes of the blob, and the blocks it had were overwritten
///       before they were given back. So are those of a put() that failed.
///   S4  Nothing outside the folder is read or written: ids are hashes, not paths, and symbolic
///       links are refused.
///
/// The store knows nothing of a database: that messages show a blob is a fact (blob_fact()).
/// One at a time may have a store open, and call it. Files are 0600, folders 0700.
class BlobStore {
public:
    /// Makes what is missing in `path`, and removes what a crash left half done. The folder that
    /// `path` is in must be there. Errors: busy; io; refused (a folder that is a symbolic link).
    static Result<std::unique_ptr<BlobStore>> open(const std::string& path,
                                                   BlobStoreOptions options = {});
    // The same in any Directory.
    static Result<std::unique_ptr<BlobStore>> open(std::unique_ptr<Directory> folder,
                                                   BlobStoreOptions options = {});
    ~BlobStore();

    /// The next bytes of a blob; empty at its end. They are borrowed until the next call.
    using Pieces = std::function<Result<std::string_view>()>;

    /// Durable when it returns. A blob that is there already is not written again; a damaged one is
    /// replaced. Errors: invalid_argument (too large); io; no_space; whatever `next` answers.
    Result<BlobId> put(std::string_view bytes);
    /// As it comes, in bounded memory. Of unknown hash, it is written twice: the folder of its
    /// file is known at the end only.
    Result<BlobId> put(const Pieces& next);
    /// As it comes, and written once. Errors also: corrupt (the bytes have another hash).
    Result<void> put(const BlobId& id, const Pieces& next);

    Result<bool> has(const BlobId& id);
    /// Nothing when the blob is not there.
    Result<std::optional<std::uint64_t>> size_bytes(const BlobId& id);
    /// Nothing when it is not there. Errors: corrupt; invalid_argument (too large); io.
    Result<std::optional<std::string>> get(const BlobId& id);
    /// Calls `take` for each piece; false when the blob is not there. After corrupt, what was taken
    /// was not the blob.
    Result<bool> read(const BlobId& id, const std::function<Result<void>(std::string_view)>& take);

    /// False when it was not there.
    Result<bool> remove(const BlobId& id);
    /// All that are there, in the order of their hashes.
    Result<std::vector<BlobId>> list();

private:
    class Shard;
    BlobStore(std::unique_ptr<Directory> folder, BlobStoreOptions options);
    Result<Shard> shard_of(const BlobId& id);
    Result<void> prepare();
    Result<void> keep(const BlobId& id, const Pieces& next);

    std::unique_ptr<Directory> folder_;
    BlobStoreOptions options_;
    std::unique_ptr<FileLock> lock_;
    std::unique_ptr<Directory> hashes_;   // sha256/
    std::unique_ptr<Directory> incoming_; // tmp/
};

} // namespace scuttlebutt
} // namespace sluice
