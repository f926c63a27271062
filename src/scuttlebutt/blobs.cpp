#include "scuttlebutt/blobs.hpp"

#include "base/json.hpp"
#include "base/json_text.hpp"
#include "scuttlebutt/ids.hpp"
#include "scuttlebutt/message_parts.hpp"

#include <sluice/scuttlebutt.hpp>

#include <simdjson.h>

#include <algorithm>
#include <set>

namespace sluice::scuttlebutt {
namespace {

constexpr std::string_view kText = "text/plain";
constexpr std::string_view kOther = "application/octet-stream";

/// Gathers ids, each once.
class Names {
public:
    explicit Names(std::size_t count_max) : count_max_(count_max) {}

    void look_into(const Value& value) { // As deep as JsonParser lets a message be.
        if (const auto text = value.as_string()) look_into(*text);
        for (const Value& element : value.elements()) look_into(element);
        for (const Value::Member& member : value.members()) {
            look_into(member.name);
            look_into(member.value);
        }
    }
    std::vector<std::string> ids;

private:
    void look_into(std::string_view text) {
        for (std::size_t at = text.find('&');
             at != std::string_view::npos && ids.size() < count_max_; at = text.find('&', at + 1)) {
            const std::string_view id = text.substr(at, kHashIdSizeBytes);
            if (is_blob_id(id) && seen_.emplace(id).second) ids.emplace_back(id);
        }
    }

    std::size_t count_max_;
    std::set<std::string> seen_; // No hash table: ids are chosen by others.
};

/// `text` without the beginning of a character at its end.
std::string_view whole_characters(std::string_view text) {
    const auto is_inside = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
    std::size_t begin = text.size();
    while (begin > 0 && is_inside(text[begin - 1])) --begin;
    if (begin == 0) return text;
    const bool is_whole = simdjson::validate_utf8(text.substr(begin - 1));
    return is_whole ? text : text.substr(0, begin - 1);
}

/// Appends the members of a blob's fact, as far as they are what they should be.
void append_known(std::string& to, const Value& fact) {
    if (const Value* const size = fact.find("size"); size != nullptr && size->as_int64()) {
        to.append(R"(,"size":)");
        append_json_number(to, *size->as_int64());
    }
    for (const std::string_view name : {"type", "text"}) {
        const Value* const member = fact.find(name);
        const auto text = member == nullptr ? std::nullopt : member->as_string();
        if (!text || text->size() > kBlobTextSizeBytesMax) continue;
        to.append(",\"").append(name).append("\":");
        append_json_string(to, *text);
    }
    const Value* const truncated = fact.find("truncated");
    if (truncated != nullptr && truncated->as_bool() == true) to.append(R"(,"truncated":true)");
}

void show_blobs(Context& context, const Incoming& incoming, Transformed& out) {
    if (!may_mention(incoming.body(), "&")) return;
    const Message message = message_of(incoming);
    const std::vector<std::string> ids = blobs_named_by(message, kBlobsShownMax);
    if (ids.empty()) return;
    const Source facts = Source::facts(std::string(kBlobsCollection));
    JsonParser parser;
    std::string blobs = "{";
    for (const std::string& id : ids) {
        if (blobs.size() > 1) blobs.push_back(',');
        append_json_string(blobs, id);
        const auto fact = context.get(facts, Key{id});
        if (!fact) {
            blobs.append(R"(:{"present":false})");
            continue;
        }
        blobs.append(R"(:{"present":true)");
        if (const Value* const known = parser.parse(fact->value)) append_known(blobs, *known);
        blobs.push_back('}');
    }
    blobs.push_back('}');
    out.set_body(changed_body(message.body, {{}, "blobs", blobs}));
}

} // namespace

Transform blobs_transform() {
    return {"scuttlebutt.blobs", 1, show_blobs};
}

PreparedFact blob_fact(const BlobId& id, std::string_view bytes) {
    const std::string_view type = blob_type(bytes);
    std::string value = R"({"size":)";
    append_json_number(value, static_cast<std::uint64_t>(bytes.size()));
    value.append(R"(,"type":)");
    append_json_string(value, type);
    if (type == kText) {
        value.append(R"(,"text":)");
        append_json_string(value, whole_characters(bytes.substr(0, kBlobTextSizeBytesMax)));
        if (bytes.size() > kBlobTextSizeBytesMax) value.append(R"(,"truncated":true)");
    }
    value.push_back('}');
    return {blob_name(id), std::move(value), false};
}

FactName blob_name(const BlobId& id) {
    return {std::string(kBlobsCollection), Key{id.text()}};
}

std::string_view blob_type(std::string_view bytes) {
    struct Magic {
        std::size_t at;
        std::string_view bytes;
        std::string_view type;
    };
    using namespace std::string_view_literals;
    static constexpr Magic kMagics[] = {
        {0, "\x89PNG\r\n\x1a\n"sv, "image/png"},
        {0, "\xFF\xD8\xFF"sv, "image/jpeg"},
        {0, "GIF87a"sv, "image/gif"},
        {0, "GIF89a"sv, "image/gif"},
        {8, "WEBP"sv, "image/webp"},
        {0, "%PDF-"sv, "application/pdf"},
        {4, "ftyp"sv, "video/mp4"},
        {0, "\x1A\x45\xDF\xA3"sv, "video/webm"},
        {0, "OggS"sv, "audio/ogg"},
        {0, "ID3"sv, "audio/mpeg"},
        {0, "fLaC"sv, "audio/flac"},
        {0, "PK\x03\x04"sv, "application/zip"},
        {0, "\x1F\x8B"sv, "application/gzip"},
    };
    for (const Magic& magic : kMagics) {
        if (bytes.size() >= magic.at && bytes.substr(magic.at).starts_with(magic.bytes))
            return magic.type;
    }
    const bool has_control = std::any_of(bytes.begin(), bytes.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte == 0x7F || (byte < 0x20 && (byte < '\t' || byte > '\r'));
    });
    return !has_control && simdjson::validate_utf8(bytes) ? kText : kOther;
}

std::vector<std::string> blobs_named_by(const Message& message, std::size_t count_max) {
    const auto parts = parts_of(message);
    if (!parts) return {};
    Names names(count_max);
    names.look_into(*parts->content);
    return std::move(names.ids);
}

} // namespace sluice::scuttlebutt
