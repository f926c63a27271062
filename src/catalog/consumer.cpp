#include "catalog/consumer.hpp"

#include "base/bytes.hpp"
#include "base/checksum.hpp"
#include "base/try.hpp"

#include <algorithm>

namespace sluice::consumers {
namespace {

constexpr std::string_view kMagic = "SluiceF1";
constexpr std::size_t kCheckPosition = 8;
constexpr std::size_t kVersionPosition = 12;
constexpr std::size_t kTextsPosition = 64;
constexpr std::uint32_t kVersion = 1;
static_assert(kMagic.size() == kCheckPosition);
static_assert(kCheckPosition + sizeof(std::uint32_t) == kVersionPosition);
static_assert(kVersionPosition + 3 * sizeof(std::uint32_t) + 5 * sizeof(std::uint64_t) ==
              kTextsPosition);

constexpr std::string_view kPrefix = "consumer-";
constexpr std::string_view kLockSuffix = ".lock";

std::string file_of(std::string_view name) {
    return std::string(kPrefix).append(name);
}

bool is_name(std::string_view name) {
    const auto is_allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_';
    };
    return !name.empty() && name.size() <= kNameSizeMax &&
           std::all_of(name.begin(), name.end(), is_allowed);
}

void append_place(std::string& to, const FeedPosition::Place& place) {
    append_le(to, place.entry.value);
    append_le(to, place.within.value);
}

FeedPosition::Place take_place(ByteReader& from) {
    const Seq entry{from.le<std::uint64_t>()};
    return {entry, Seq{from.le<std::uint64_t>()}};
}

} // namespace

Result<void> check_name(std::string_view name) {
    if (is_name(name)) return {};
    return Error{Errc::invalid_argument,
                 "a consumer's name is 1 to 64 letters, digits, '-' and '_'"};
}

bool has_file_name(std::string_view file) {
    if (!file.starts_with(kPrefix)) return false;
    file.remove_prefix(kPrefix.size());
    for (const std::string_view suffix : {kReplacementSuffix, kLockSuffix}) {
        if (file.ends_with(suffix)) return is_name(file.substr(0, file.size() - suffix.size()));
    }
    return is_name(file);
}

std::string encode(const Consumer& consumer) {
    std::string raw(kMagic);
    append_le<std::uint32_t>(raw, 0);
    append_le(raw, kVersion);
    append_le(raw, consumer.position.derivation);
    append_le(raw, consumer.position.view);
    append_place(raw, consumer.position.told);
    append_place(raw, consumer.position.gone);
    append_le(raw, consumer.position.doubt.value);
    append_sized(raw, consumer.filter.view);
    append_sized(raw, consumer.filter.prefix.encoded());
    append_sized(raw, consumer.filter.where);
    put_le(raw.data() + kCheckPosition, checksum32(std::string_view(raw).substr(kVersionPosition)));
    return raw;
}

Result<Consumer> decode(std::string_view raw, const std::string& where) {
    if (raw.size() < kTextsPosition || raw.substr(0, kMagic.size()) != kMagic) {
        return Error{Errc::corrupt, where + " is not a consumer"};
    }
    if (get_le<std::uint32_t>(raw.data() + kCheckPosition) !=
        checksum32(raw.substr(kVersionPosition))) {
        return Error{Errc::corrupt, where + ": the checksum is wrong"};
    }
    ByteReader from(raw.substr(kVersionPosition));
    if (from.le<std::uint32_t>() > kVersion) {
        return Error{Errc::unsupported_version,
                     where + " was written by a newer version of sluice"};
    }
    Consumer consumer;
    consumer.position.derivation = from.le<std::uint32_t>();
    consumer.position.view = from.le<std::uint32_t>();
    consumer.position.told = take_place(from);
    consumer.position.gone = take_place(from);
    consumer.position.doubt = {from.le<std::uint64_t>()};
    consumer.filter.view = from.sized();
    auto prefix = Key::from_encoded(from.sized());
    consumer.filter.where = from.sized();
    if (!from.done() || !prefix) return Error{Errc::corrupt, where + " is not well-formed"};
    consumer.filter.prefix = *std::move(prefix);
    return consumer;
}

Result<std::vector<std::string>> list(Directory& directory) {
    SLUICE_TRY_ASSIGN(const auto files, directory.list());
    std::vector<std::string> names;
    for (const std::string& file : files) {
        if (!file.starts_with(kPrefix)) continue;
        std::string name = file.substr(kPrefix.size());
        if (is_name(name)) names.push_back(std::move(name));
    }
    return names;
}

Result<std::optional<Consumer>> load(Directory& directory, const std::string& name) {
    const auto file = directory.open(file_of(name), Create::never);
    if (!file && file.error().code == Errc::not_found) return std::optional<Consumer>();
    if (!file) return file.error();
    SLUICE_TRY_ASSIGN(const std::string raw, read_whole(**file));
    SLUICE_TRY_ASSIGN(Consumer consumer, decode(raw, directory.path() + "/" + file_of(name)));
    return std::optional(std::move(consumer));
}

Result<void> save(Directory& directory, const std::string& name, const Consumer& consumer) {
    return replace_file(directory, file_of(name), encode(consumer));
}

Result<void> remove(Directory& directory, const std::string& name) {
    SLUICE_TRY_ASSIGN(const auto files, directory.list());
    const auto is_there = [&](const std::string& file) {
        return std::find(files.begin(), files.end(), file) != files.end();
    };
    if (!is_there(file_of(name))) return Error{Errc::not_found, "there is no consumer " + name};
    for (const std::string_view suffix : {kReplacementSuffix, std::string_view(), kLockSuffix}) {
        const std::string file = file_of(name).append(suffix);
        if (is_there(file)) SLUICE_TRY(directory.remove(file));
    }
    return directory.sync();
}

Result<std::unique_ptr<FileLock>> lock(Directory& directory, const std::string& name) {
    auto lock = directory.lock(file_of(name).append(kLockSuffix));
    if (lock || lock.error().code != Errc::busy) return lock;
    const std::string& what = lock.error().context;
    const std::size_t process = std::min(what.rfind(" in process "), what.size());
    return Error{Errc::busy, "consumer " + name + " is followed" + what.substr(process)};
}

} // namespace sluice::consumers
