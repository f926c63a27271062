#include "model/views.hpp"

#include <stdexcept>

namespace sluice::test {
namespace {

using Emissions = std::vector<Emission>;

std::string_view member(const Message& message, std::string_view name) {
    return message.json->find(name)->as_string().value();
}

Emissions by_author_and_type(const Content& content) {
    if (!content.is_json) return {};
    return {{Key(content.author, content.type)}};
}

Emissions by_type(const Content& content) {
    if (!content.is_json) return {};
    return {{Key(content.type)}};
}

Emissions by_tag(const Content& content) {
    Emissions all;
    if (!content.is_json) return all;
    for (const std::string& tag : content.tags) all.push_back({Key(tag)});
    return all;
}

Emissions posts_by_number(const Content& content) {
    if (!content.is_json || content.type != "post" || !content.number) return {};
    return {{scalars()[*content.number].key}};
}

Emissions numbers_by_type(const Content& content) {
    if (!content.is_json) return {};
    return {{Key(content.type), content.number}};
}

Emissions numbers_of_all(const Content& content) {
    if (!content.is_json) return {};
    return {{Key(), content.number}};
}

void index_words(const Message& message, Emit& emit, std::string_view prefix) {
    if (message.json == nullptr) {
        emit(Key(prefix, "no JSON"));
        return;
    }
    emit(Key(prefix, member(message, "author")));
    // Behind an emission, so that this one has to be taken back.
    if (member(message, "type") == "odd") throw std::runtime_error("an odd message");
    emit(Key(prefix, member(message, "text")));
}

Emissions words(const Content& content, std::string_view prefix) {
    if (!content.is_json) return {{Key(prefix, "no JSON")}};
    if (content.type == "odd") return {};
    return {{Key(prefix, content.author)}, {Key(prefix, content.text)}};
}

void sum_by_author(const Message& message, Emit& emit) {
    if (message.json == nullptr) return;
    const Key group(member(message, "author"));
    const Value* const number = message.json->find("n");
    if (number == nullptr) {
        emit(group);
    } else if (const auto integer = number->as_int64()) {
        emit(group, *integer);
    } else if (const auto real = number->as_double()) {
        emit(group, *real);
    } else {
        emit(group, *number);
    }
}

Emissions numbers_by_author(const Content& content) {
    if (!content.is_json) return {};
    return {{Key(content.author), content.number}};
}

std::vector<Meaning> make_meanings() {
    const std::string index = R"({"kind":"index")";
    const std::string aggregate = R"({"kind":"aggregate")";
    const std::string everything =
        R"("value":{"count":true,"sum":"/n","average":"/n","min":"/n","max":"/n"}})";
    const auto words_with = [](const char* prefix, std::uint32_t version) {
        return Meaning{
            "words",
            false,
            R"({"kind":"index"})",
            "reader",
            version,
            [prefix](const Message& message, Emit& emit) { index_words(message, emit, prefix); },
            [prefix](const Content& content) { return words(content, prefix); }};
    };
    return {
        {"by author",
         false,
         index + R"(,"key":["/author","/type"]})",
         "",
         1,
         {},
         by_author_and_type},
        {"by author", false, index + R"(,"key":["/type"]})", "", 1, {}, by_type},
        {"by tag", false, index + R"(,"each":"/tags","key":[""]})", "", 1, {}, by_tag},
        {"by number",
         false,
         index + R"(,"where":{"/type":"post"},"key":["/n"]})",
         "",
         1,
         {},
         posts_by_number},
        {"counts",
         true,
         aggregate + R"(,"group":["/type"],"value":{"count":true}})",
         "",
         1,
         {},
         by_type},
        {"counts",
         true,
         aggregate + R"(,"each":"/tags","group":[""],"value":{"count":true}})",
         "",
         1,
         {},
         by_tag},
        {"numbers",
         true,
         aggregate + R"(,"group":["/type"],)" + everything,
         "",
         1,
         {},
         numbers_by_type},
        {"all numbers",
         true,
         aggregate + R"(,"group":[],"value":{"sum":"/n","max":"/n"}})",
         "",
         1,
         {},
         numbers_of_all},
        words_with("word", 1),
        words_with("Wort", 2),
        {"sums", true, aggregate + R"(,"value":{"count":true,"sum":true,"min":true}})", "writer", 1,
         sum_by_author, numbers_by_author},
    };
}

} // namespace

const std::vector<Meaning>& meanings() {
    static const std::vector<Meaning> all = make_meanings();
    return all;
}

} // namespace sluice::test
