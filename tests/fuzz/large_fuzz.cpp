// A short text, over and over, a megabyte of it, for one of the parsers: it has to end in seconds
// (-timeout=10 of scripts/fuzz), whether it takes the text or not, and within the memory that
// -rss_limit_mb leaves. What a quadratic step or a recursion without bound would cost shows at this
// size and not before. (16 MiB, the longest body, take linear parsers those seconds with
// sanitizers.) The input is a byte, which parser, one for how much stands in front and is not
// repeated, then the text.
//
// Code: base/json base/key scuttlebutt/js_json views/predicate_parser views/words import/json_lines
#include "base/json.hpp"
#include "base/key_format.hpp"
#include "import/flumelog_offset.hpp"
#include "import/json_lines.hpp"
#include "log/change.hpp"
#include "scuttlebutt/blobs.hpp"
#include "scuttlebutt/js_json.hpp"
#include "scuttlebutt/message_parts.hpp"
#include "scuttlebutt/object_text.hpp"
#include "scuttlebutt/secret_file.hpp"
#include "store/manifest_format.hpp"
#include "transform/worklist.hpp"
#include "views/predicate.hpp"
#include "views/search_rows.hpp"
#include "views/text_query.hpp"
#include "views/view.hpp"

#include <sluice/key.hpp>
#include <sluice/scuttlebutt.hpp>

#include <cstddef>
#include <cstdint>

using namespace sluice;

namespace {

constexpr std::size_t kSizeBytes = std::size_t{1} << 20;

void json(const std::string& text) {
    JsonParser parser;
    PathSet paths;
    paths.add(Pointer::parse("/a/0/a").value());
    static_cast<void>(parser.parse(text));
    static_cast<void>(parser.extract(text, paths).has_value());
}
void key_json(const std::string& text) {
    if (const auto key = Key::from_json(text)) static_cast<void>(key->to_json());
}
void key_encoded(const std::string& text) {
    if (const auto key = Key::from_encoded(text)) static_cast<void>(key->to_json());
}
void condition(const std::string& text) {
    if (const auto predicate = Predicate::parse(text)) {
        static_cast<void>(predicate->matches_body(R"({"a":1})"));
    }
}
void definition(const std::string& text) {
    static_cast<void>(compile_view(std::string_view(text).substr(0, 64 * 1024)).has_value());
}
void words(const std::string& text) {
    search_rows::Writer writer("english");
    writer.add_text(text);
    WordForms forms("english");
    static_cast<void>(parse_text_query(std::string_view(text).substr(0, 4096), forms).has_value());
}
void js_json(const std::string& text) {
    if (const auto pretty = scuttlebutt::to_pretty_json(text)) {
        static_cast<void>(pretty->without("a"));
    }
    static_cast<void>(scuttlebutt::verify_message(text));
}
void message(const std::string& text) {
    static_cast<void>(scuttlebutt::ObjectText::read(text).has_value());
    static_cast<void>(scuttlebutt::member_text(text, "value"));
    static_cast<void>(scuttlebutt::author_of(text));
    static_cast<void>(scuttlebutt::blob_type(text));
    JsonParser parser;
    const Message whole{Seq{1}, {}, text, parser.parse(text)};
    static_cast<void>(scuttlebutt::parts_of(whole).has_value());
    static_cast<void>(scuttlebutt::contact_of(whole).has_value());
    static_cast<void>(scuttlebutt::blobs_named_by(whole, 64));
}
void secrets(const std::string& text) {
    static_cast<void>(scuttlebutt::parse_secret_file(text).has_value());
    static_cast<void>(scuttlebutt::parse_group_key(text).has_value());
}
void read_all(RecordSource& source) {
    for (;;) {
        const auto record = source.next();
        if (!record || !*record) return;
    }
}
void json_lines(const std::string& text) {
    JsonLinesSource lines{ByteSource(text)};
    read_all(lines);
}
void flumelog(const std::string& text) {
    if (auto source = FlumelogOffsetSource::open(ByteSource(text))) read_all(*source);
}
void records(const std::string& text) {
    static_cast<void>(decode_change(text, Seq{1'000'000}).has_value());
    static_cast<void>(decode_worklist(text, Seq{1'000'000}).has_value());
    static_cast<void>(manifest_format::decode_frames(manifest_format::file_header() + text).end);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using Parse = void (*)(const std::string&);
    static constexpr Parse kParsers[] = {json,    key_json, key_encoded, condition,
                                         words,   js_json,  message,     secrets,
                                         records, flumelog, json_lines,  definition};
    if (size < 3) return 0;
    const std::string_view input(reinterpret_cast<const char*>(data + 2), size - 2);
    const std::size_t front = data[1] % input.size(); // Leaves something to be repeated.
    std::string text(input.substr(0, front));
    text.reserve(kSizeBytes + input.size());
    while (text.size() < kSizeBytes) text.append(input.substr(front));
    kParsers[data[0] % std::size(kParsers)](text);
    return 0;
}
