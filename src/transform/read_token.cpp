#include "transform/read_token.hpp"

#include "base/bytes.hpp"
#include "base/key_format.hpp"

namespace sluice {
namespace {

// token   = source | kind (1 byte) | payload
// source  = view id (u32, big-endian), and for facts, whose id is 0: a length byte and the
// collection payload = the key or prefix as encoded, but for
//   first, last: prefix length (varint) | prefix | what the bound has behind it, or kBeyond for
//   none seen:        owner (u64, big-endian) | key
// Big-endian, so that what belongs together sorts together.
constexpr std::size_t kViewSizeBytes = 4;
constexpr std::size_t kSeqSizeBytes = 8;
constexpr char kBeyond = '\xFF'; // Above every tag of an element.
static_assert(static_cast<unsigned char>(key_format::kArray) < static_cast<unsigned char>(kBeyond));

std::string bounded(std::string_view prefix, std::string_view rest) {
    std::string payload;
    append_sized(payload, prefix);
    payload += rest;
    return payload;
}

} // namespace

ReadTokens::ReadTokens(const SourceId& source) {
    append_be(source_, source.view.value, kViewSizeBytes);
    if (source.view != ViewId{}) return;
    source_.push_back(static_cast<char>(source.collection.size()));
    source_ += source.collection;
}

std::string ReadTokens::token(Read kind, std::string_view payload) const {
    std::string term = source_;
    term.push_back(static_cast<char>(kind));
    term += payload;
    return term;
}

std::string ReadTokens::first(std::string_view prefix,
                              std::optional<std::string_view> found) const {
    return token(Read::first, bounded(prefix, found ? found->substr(prefix.size())
                                                    : std::string_view(&kBeyond, 1)));
}

std::string ReadTokens::last(std::string_view prefix, std::optional<std::string_view> found) const {
    return token(Read::last, bounded(prefix, found ? found->substr(prefix.size()) : ""));
}

std::string ReadTokens::seen(Read kind, Seq owner, std::string_view key) const {
    std::string payload;
    append_be(payload, owner.value, kSeqSizeBytes);
    payload += key;
    return token(kind, payload);
}

ScanRange ReadTokens::all(Read kind) const {
    return ScanRange::with_prefix(token(kind, {}));
}

/// Who read the first key of `prefix`, and found one not before `key`; who read the last, and found
/// one not behind it.
void ReadTokens::add_bounds(std::vector<ScanRange>& ranges, std::string_view prefix,
                            std::string_view key) const {
    const std::string_view rest = key.substr(prefix.size());
    ScanRange firsts = ScanRange::with_prefix(token(Read::first, bounded(prefix, {})));
    firsts.from = token(Read::first, bounded(prefix, rest));
    ranges.push_back(std::move(firsts));
    ScanRange lasts = ScanRange::with_prefix(token(Read::last, bounded(prefix, {})));
    lasts.to = token(Read::last, bounded(prefix, rest)) + '\0';
    ranges.push_back(std::move(lasts));
}

std::vector<ScanRange> ReadTokens::made_wrong_by_presence(std::string_view key) const {
    std::vector<ScanRange> ranges{ScanRange::exact(exact(key)), ScanRange::exact(presence(key))};
    for_each_prefix(key, [&](std::string_view each) {
        ranges.push_back(ScanRange::exact(prefix(each)));
        add_bounds(ranges, each, key);
    });
    return ranges;
}

std::vector<ScanRange> ReadTokens::made_wrong_by_candidate(std::string_view key) const {
    std::vector<ScanRange> ranges;
    for_each_prefix(key,
                    [&](std::string_view each) { ranges.push_back(ScanRange::exact(any(each))); });
    return ranges;
}

std::vector<ScanRange> ReadTokens::made_wrong_by_value(Seq owner, std::string_view key) const {
    return {ScanRange::exact(seen(owner, key))};
}

std::vector<ScanRange> ReadTokens::made_wrong_by_gone(Seq owner, std::string_view key) const {
    return {ScanRange::exact(seen(owner, key)), ScanRange::exact(seen_there(owner, key))};
}

std::vector<ScanRange> ReadTokens::made_wrong_by_gone(Seq owner) const {
    return {ScanRange::with_prefix(seen(owner, {})), ScanRange::with_prefix(seen_there(owner, {}))};
}

std::vector<ScanRange> ReadTokens::made_wrong_by_value(std::string_view key) const {
    std::vector<ScanRange> ranges{ScanRange::exact(exact(key))};
    for_each_prefix(
        key, [&](std::string_view each) { ranges.push_back(ScanRange::exact(prefix(each))); });
    return ranges;
}

std::optional<ReadDescription> describe_read(std::string_view term) {
    ReadDescription read;
    ByteReader from(term);
    read.view = {static_cast<std::uint32_t>(get_be(from.take(kViewSizeBytes)))};
    if (read.view == ViewId{}) {
        read.collection = from.take(static_cast<unsigned char>(from.le<char>()));
    }
    const char kind = from.le<char>();
    if (!from.ok() || kReads.find(kind) == std::string_view::npos) return std::nullopt;
    read.kind = static_cast<Read>(kind);
    if (read.kind == Read::seen || read.kind == Read::seen_there) {
        read.owner = {get_be(from.take(kSeqSizeBytes))};
    } else if (read.kind == Read::first || read.kind == Read::last) {
        read.key = from.sized();
        const std::string_view bound = from.rest();
        // A last cell whose key is the prefix itself leaves nothing behind it, like none at all.
        read.found =
            read.kind == Read::first ? bound.empty() || bound.front() != kBeyond : !bound.empty();
        return from.ok() ? std::optional(read) : std::nullopt;
    }
    read.key = from.rest();
    return from.ok() ? std::optional(read) : std::nullopt;
}

void for_each_prefix(std::string_view key, const std::function<void(std::string_view)>& visit) {
    std::string_view left = key;
    unsigned depth = 0;
    visit(key.substr(0, 0));
    while (auto token = key_format::take_token(left)) {
        using Type = key_format::Token::Type;
        if (token->type == Type::array) ++depth;
        if (token->type == Type::array_end) --depth;
        if (depth == 0) visit(key.substr(0, key.size() - left.size()));
    }
}

} // namespace sluice
