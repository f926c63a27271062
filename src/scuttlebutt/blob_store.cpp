// How a file comes: its bytes are written to `incoming` in the folder where it will stay, synced,
// and renamed. How it goes: it is renamed to `outgoing`, which is made durable, then overwritten
// and removed. So a file whose name is a hash is whole at any moment, and whatever has one of the
// two other names is nothing that anybody was told of: open() destroys it.
#include <sluice/blob_store.hpp>

#include "base/try.hpp"
#include "io/file.hpp"
#include "scuttlebutt/keys.hpp"

#include <sodium.h>

#include <algorithm>
#include <utility>

namespace sluice::scuttlebutt {
namespace {

constexpr std::size_t kPieceSizeBytes = 64 * 1024;
constexpr unsigned kShardCount = 256;
const std::string kIncoming = "incoming";
const std::string kOutgoing = "outgoing";

std::string hex_of(const unsigned char* bytes, std::size_t size) {
    std::string hex(2 * size + 1, '\0');
    sodium_bin2hex(hex.data(), hex.size(), bytes, size);
    hex.pop_back(); // The terminating NUL.
    return hex;
}

std::string shard_name(unsigned char first) {
    return hex_of(&first, 1);
}
/// Of a blob's file in its shard.
std::string file_name(const BlobId& id) {
    return hex_of(id.hash.data() + 1, id.hash.size() - 1);
}

class Hash {
public:
    Hash() { crypto_hash_sha256_init(&state_); }
    void add(std::string_view bytes) {
        crypto_hash_sha256_update(&state_, reinterpret_cast<const unsigned char*>(bytes.data()),
                                  bytes.size());
    }
    Bytes32 digest() {
        Bytes32 digest;
        crypto_hash_sha256_final(&state_, digest.data());
        return digest;
    }

private:
    crypto_hash_sha256_state state_{};
};

/// The file, or nothing when there is none of that name.
Result<std::unique_ptr<File>> open_if_there(Directory& directory, const std::string& name) {
    auto file = directory.open(name, Create::never);
    if (!file && file.error().code == Errc::not_found) return std::unique_ptr<File>();
    return file;
}

Result<void> destroy_if_there(Directory& directory, const std::string& name) {
    SLUICE_TRY_ASSIGN(const auto file, open_if_there(directory, name));
    if (!file) return {};
    SLUICE_TRY(destroy_file(directory, name));
    return directory.sync();
}

Result<void> for_each_piece(const File& file,
                            const std::function<Result<void>(std::string_view)>& take) {
    std::string piece;
    for (std::uint64_t at = 0; at < file.size_bytes(); at += piece.size()) {
        piece.resize(std::min<std::uint64_t>(kPieceSizeBytes, file.size_bytes() - at));
        SLUICE_TRY(file.read_at(at, piece.data(), piece.size()));
        SLUICE_TRY(take(piece));
    }
    return {};
}

Error too_large(std::uint64_t size_bytes_max) {
    return {Errc::invalid_argument,
            "keeping a blob: it is over " + std::to_string(size_bytes_max) + " bytes"};
}

/// Writes all pieces to a new file; the hash of them.
Result<Bytes32> write_pieces(Directory& directory, const std::string& name,
                             const BlobStore::Pieces& next, std::uint64_t size_bytes_max) {
    SLUICE_TRY_ASSIGN(const auto file, directory.open(name, Create::must));
    Hash hash;
    std::uint64_t size = 0;
    while (true) {
        SLUICE_TRY_ASSIGN(const std::string_view piece, next());
        if (piece.empty()) break;
        if (piece.size() > size_bytes_max - size) return too_large(size_bytes_max);
        SLUICE_TRY(file->write_at(size, piece));
        hash.add(piece);
        size += piece.size();
    }
    SLUICE_TRY(file->sync());
    return hash.digest();
}

} // namespace

/// The folder of one blob's file.
class BlobStore::Shard {
public:
    Shard(std::unique_ptr<Directory> directory, std::string name)
        : directory_(std::move(directory)), name_(std::move(name)) {}

    Directory& directory() { return *directory_; }
    Result<std::unique_ptr<File>> open() { return open_if_there(*directory_, name_); }

    Result<void> accept_incoming() {
        SLUICE_TRY(directory_->rename(kIncoming, name_));
        return directory_->sync();
    }
    Result<void> remove() {
        // Renaming over one from before would give its blocks back as they are.
        SLUICE_TRY(destroy_if_there(*directory_, kOutgoing));
        SLUICE_TRY(directory_->rename(name_, kOutgoing));
        SLUICE_TRY(directory_->sync());
        return destroy_if_there(*directory_, kOutgoing);
    }

private:
    std::unique_ptr<Directory> directory_;
    std::string name_;
};

std::optional<BlobId> BlobId::parse(std::string_view text) {
    constexpr std::string_view kSuffix = ".sha256";
    if (!text.starts_with('&') || !text.ends_with(kSuffix)) return std::nullopt;
    const auto bytes = from_base64(text.substr(1, text.size() - 1 - kSuffix.size()));
    BlobId id;
    if (!bytes || bytes->size() != id.hash.size()) return std::nullopt;
    std::copy(bytes->begin(), bytes->end(), id.hash.begin());
    return id;
}

BlobId BlobId::of(std::string_view bytes) {
    Hash hash;
    hash.add(bytes);
    return {hash.digest()};
}

std::string BlobId::text() const {
    return "&" + to_base64(hash) + ".sha256";
}

BlobStore::BlobStore(std::unique_ptr<Directory> folder, BlobStoreOptions options)
    : folder_(std::move(folder)), options_(options) {}
BlobStore::~BlobStore() = default;

Result<std::unique_ptr<BlobStore>> BlobStore::open(const std::string& path,
                                                   BlobStoreOptions options) {
    SLUICE_TRY_ASSIGN(auto folder, open_directory(path, Create::if_missing));
    return open(std::move(folder), options);
}

Result<std::unique_ptr<BlobStore>> BlobStore::open(std::unique_ptr<Directory> folder,
                                                   BlobStoreOptions options) {
    std::unique_ptr<BlobStore> store(new BlobStore(std::move(folder), options));
    SLUICE_TRY(store->prepare());
    return store;
}

Result<void> BlobStore::prepare() {
    SLUICE_TRY_ASSIGN(lock_, folder_->lock("lock"));
    SLUICE_TRY_ASSIGN(hashes_, folder_->subdirectory("sha256", Create::if_missing));
    SLUICE_TRY_ASSIGN(incoming_, folder_->subdirectory("tmp", Create::if_missing));
    SLUICE_TRY(folder_->sync());
    SLUICE_TRY(destroy_if_there(*incoming_, kIncoming));
    for (unsigned first = 0; first < kShardCount; ++first) {
        SLUICE_TRY_ASSIGN(const auto shard,
                          hashes_->subdirectory(shard_name(static_cast<unsigned char>(first)),
                                                Create::if_missing));
        SLUICE_TRY(destroy_if_there(*shard, kIncoming));
        SLUICE_TRY(destroy_if_there(*shard, kOutgoing));
    }
    return hashes_->sync();
}

Result<BlobStore::Shard> BlobStore::shard_of(const BlobId& id) {
    SLUICE_TRY_ASSIGN(auto directory,
                      hashes_->subdirectory(shard_name(id.hash[0]), Create::if_missing));
    return Shard(std::move(directory), file_name(id));
}

Result<BlobId> BlobStore::put(std::string_view bytes) {
    if (bytes.size() > options_.blob_size_bytes_max) return too_large(options_.blob_size_bytes_max);
    const BlobId id = BlobId::of(bytes);
    SLUICE_TRY(
        keep(id, [&bytes]() -> Result<std::string_view> { return std::exchange(bytes, {}); }));
    return id;
}

Result<BlobId> BlobStore::put(const Pieces& next) {
    SLUICE_TRY(destroy_if_there(*incoming_, kIncoming));
    const auto hash = write_pieces(*incoming_, kIncoming, next, options_.blob_size_bytes_max);
    auto kept = [&]() -> Result<BlobId> {
        if (!hash) return hash.error();
        const BlobId id{*hash};
        SLUICE_TRY_ASSIGN(const auto file, incoming_->open(kIncoming, Create::never));
        std::uint64_t at = 0;
        std::string piece;
        const Pieces again = [&]() -> Result<std::string_view> {
            piece.resize(std::min<std::uint64_t>(kPieceSizeBytes, file->size_bytes() - at));
            SLUICE_TRY(file->read_at(at, piece.data(), piece.size()));
            at += piece.size();
            return std::string_view(piece);
        };
        SLUICE_TRY(keep(id, again));
        return id;
    }();
    const auto destroyed = destroy_if_there(*incoming_, kIncoming);
    if (kept && !destroyed) return destroyed.error();
    return kept;
}

Result<void> BlobStore::put(const BlobId& id, const Pieces& next) {
    return keep(id, next);
}

Result<void> BlobStore::keep(const BlobId& id, const Pieces& next) {
    const auto there = has(id);
    if (!there) return there.error();
    if (*there) {
        const auto intact = read(id, [](std::string_view) { return Result<void>(); });
        if (intact) return {};
        if (intact.error().code != Errc::corrupt) return intact.error();
        SLUICE_TRY(remove(id));
    }
    SLUICE_TRY_ASSIGN(Shard shard, shard_of(id));
    SLUICE_TRY(destroy_if_there(shard.directory(), kIncoming));
    auto accepted = [&]() -> Result<void> {
        SLUICE_TRY_ASSIGN(const Bytes32 hash, write_pieces(shard.directory(), kIncoming, next,
                                                           options_.blob_size_bytes_max));
        if (hash != id.hash)
            return Error{Errc::corrupt, "keeping a blob: its bytes are not those of its id"};
        return shard.accept_incoming();
    }();
    // The first error is the one to tell; what cannot be destroyed now, the next put or open()
    // does.
    if (!accepted) static_cast<void>(destroy_if_there(shard.directory(), kIncoming));
    return accepted;
}

Result<bool> BlobStore::has(const BlobId& id) {
    SLUICE_TRY_ASSIGN(const auto size, size_bytes(id));
    return size.has_value();
}

Result<std::optional<std::uint64_t>> BlobStore::size_bytes(const BlobId& id) {
    SLUICE_TRY_ASSIGN(Shard shard, shard_of(id));
    SLUICE_TRY_ASSIGN(const auto file, shard.open());
    return file ? std::optional(file->size_bytes()) : std::nullopt;
}

Result<std::optional<std::string>> BlobStore::get(const BlobId& id) {
    std::string bytes;
    SLUICE_TRY_ASSIGN(const bool there, read(id, [&bytes](std::string_view piece) {
                          bytes += piece;
                          return Result<void>();
                      }));
    return there ? std::optional(std::move(bytes)) : std::nullopt;
}

Result<bool> BlobStore::read(const BlobId& id,
                             const std::function<Result<void>(std::string_view)>& take) {
    SLUICE_TRY_ASSIGN(Shard shard, shard_of(id));
    SLUICE_TRY_ASSIGN(const auto file, shard.open());
    if (!file) return false;
    if (file->size_bytes() > options_.blob_size_bytes_max)
        return too_large(options_.blob_size_bytes_max);
    Hash hash;
    SLUICE_TRY(for_each_piece(*file, [&](std::string_view piece) {
        hash.add(piece);
        return take(piece);
    }));
    if (hash.digest() != id.hash)
        return Error{Errc::corrupt, "reading blob " + id.text() + ": its file is damaged"};
    return true;
}

Result<bool> BlobStore::remove(const BlobId& id) {
    SLUICE_TRY_ASSIGN(Shard shard, shard_of(id));
    SLUICE_TRY_ASSIGN(const auto file, shard.open());
    if (!file) return false;
    SLUICE_TRY(shard.remove());
    return true;
}

Result<std::vector<BlobId>> BlobStore::list() {
    std::vector<BlobId> ids;
    for (unsigned first = 0; first < kShardCount; ++first) {
        BlobId id;
        id.hash[0] = static_cast<unsigned char>(first);
        SLUICE_TRY_ASSIGN(const auto shard,
                          hashes_->subdirectory(shard_name(id.hash[0]), Create::if_missing));
        SLUICE_TRY_ASSIGN(const auto names, shard->list());
        for (const std::string& name : names) {
            std::size_t size = 0;
            const bool is_hex = sodium_hex2bin(id.hash.data() + 1, id.hash.size() - 1, name.data(),
                                               name.size(), nullptr, &size, nullptr) == 0;
            if (is_hex && size == id.hash.size() - 1 && file_name(id) == name) ids.push_back(id);
        }
    }
    return ids;
}

} // namespace sluice::scuttlebutt
