#include "model/views.hpp"

#include "base/assert.hpp"
#include "base/json.hpp"

#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

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

std::string quoted(const std::string& text) {
    return '"' + text + '"';
}

std::string last_text(const std::vector<Content>& group) {
    return quoted(group.back().text);
}

std::string first_author(const std::vector<Content>& group) {
    return quoted(group.front().author);
}

std::string list_of_texts(const std::vector<Content>& group) {
    std::string json;
    for (const Content& content : group) json += (json.empty() ? "[" : ",") + quoted(content.text);
    return json + ']';
}

std::string set_of_authors(const std::vector<Content>& group) {
    std::set<std::string> authors;
    for (const Content& content : group) authors.insert(content.author);
    std::string json;
    for (const std::string& author : authors) json += (json.empty() ? "[" : ",") + quoted(author);
    return json + ']';
}

/// The members that our contents have, in the order of their names, each from the last.
std::string merged(const std::vector<Content>& group) {
    std::string tags, json = R"({"author":)" + quoted(group.back().author);
    for (const Content& content : group) {
        if (content.number) tags = scalars()[*content.number].json;
    }
    if (!tags.empty()) json += R"(,"n":)" + tags;
    tags.clear();
    for (const std::string& tag : group.back().tags)
        tags += (tags.empty() ? "" : ",") + quoted(tag);
    return json + R"(,"tags":[)" + tags + R"(],"text":)" + quoted(group.back().text) +
           R"(,"type":)" + quoted(group.back().type) + '}';
}

/// A state whose order matters and that combines: the texts one behind the other.
struct Chain {
    std::string text;
    void add(Seq, std::string_view value) { text += value; }
    void combine(const Chain& later) { text += later.text; }
    std::string to_json() const { return quoted(text); }
    std::string encoded() const { return text; }
    static std::optional<Chain> decode(std::string_view bytes) { return Chain{std::string(bytes)}; }
};

void chain_texts(const Message& message, Emit& emit) {
    if (message.json == nullptr) return;
    emit(Key(member(message, "type")), member(message, "text"));
}

std::string chained(const std::vector<Content>& group) {
    std::string text;
    for (const Content& content : group) text += content.text;
    return quoted(text);
}

std::vector<Meaning> make_meanings() {
    const std::string index = R"({"kind":"index")";
    const std::string aggregate = R"({"kind":"aggregate")";
    const std::string everything =
        R"("value":{"count":true,"sum":"/n","average":"/n","min":"/n","max":"/n"}})";
    const auto words_with = [](const char* prefix, std::uint32_t version) {
        return Meaning{
            "words",
            Kind::index,
            R"({"kind":"index"})",
            "reader",
            version,
            [prefix](const Message& message, Emit& emit) { index_words(message, emit, prefix); },
            [prefix](const Content& content) { return words(content, prefix); }};
    };
    const auto fold = [](const char* name, const std::string& members, auto emissions,
                         auto answer) {
        return Meaning{name,      Kind::fold, R"({"kind":"fold",)" + members + '}', "", 1, {},
                       emissions, answer};
    };
    return {
        {"by author",
         Kind::index,
         index + R"(,"key":["/author","/type"]})",
         "",
         1,
         {},
         by_author_and_type},
        {"by author", Kind::index, index + R"(,"key":["/type"]})", "", 1, {}, by_type},
        {"by tag", Kind::index, index + R"(,"each":"/tags","key":[""]})", "", 1, {}, by_tag},
        {"by number",
         Kind::index,
         index + R"(,"where":{"/type":"post"},"key":["/n"]})",
         "",
         1,
         {},
         posts_by_number},
        {"counts",
         Kind::aggregate,
         aggregate + R"(,"group":["/type"],"value":{"count":true}})",
         "",
         1,
         {},
         by_type},
        {"counts",
         Kind::aggregate,
         aggregate + R"(,"each":"/tags","group":[""],"value":{"count":true}})",
         "",
         1,
         {},
         by_tag},
        {"numbers",
         Kind::aggregate,
         aggregate + R"(,"group":["/type"],)" + everything,
         "",
         1,
         {},
         numbers_by_type},
        {"all numbers",
         Kind::aggregate,
         aggregate + R"(,"group":[],"value":{"sum":"/n","max":"/n"}})",
         "",
         1,
         {},
         numbers_of_all},
        words_with("word", 1),
        words_with("Wort", 2),
        {"sums", Kind::aggregate, aggregate + R"(,"value":{"count":true,"sum":true,"min":true}})",
         "writer", 1, sum_by_author, numbers_by_author},
        fold("fold", R"("group":["/type"],"fold":"last","value":"/text")", by_type, last_text),
        fold("fold", R"("group":["/type"],"fold":"list","value":"/text")", by_type, list_of_texts),
        fold("authors", R"("group":["/type"],"fold":"set","value":"/author")", by_type,
             set_of_authors),
        fold("authors", R"("group":[],"fold":"first","value":"/author")", numbers_of_all,
             first_author),
        fold("merged", R"("group":["/type"],"fold":"merge","value":"")", by_type, merged),
        {"chain", Kind::fold, R"({"kind":"fold"})", "writer", 1, chain_texts, by_type, chained,
         fold_of<Chain>()},
        {"links",
         Kind::links,
         R"({"kind":"links","each":"/tags","source":"/author","target":"","relation":"likes"})",
         "",
         1,
         {},
         {}},
        {"search", Kind::search, R"({"kind":"search","text":["/text","/tags"]})", "", 1, {}, {}},
        {"search",
         Kind::search,
         R"({"kind":"search","text":["/text"],"language":"english"})",
         "",
         1,
         {},
         {}},
    };
}

/// Notes what a function emits.
class Notes final : public Emit {
public:
    void operator()(const Key& key) override { note(key); }
    void operator()(const Key& group, const Value& value) override {
        // The message that it came from is gone when this is told.
        const std::string text(value.as_string().value_or(value.number_text()));
        told_.emplace_back(
            [group, type = value.type(), is_true = value.as_bool(), text](Emit& emit) {
                switch (type) {
                case Value::Type::null: return emit(group, Value::make_null());
                case Value::Type::boolean: return emit(group, Value::make_bool(*is_true));
                case Value::Type::number: return emit(group, Value::make_number(text));
                case Value::Type::string: return emit(group, Value::make_string(text));
                case Value::Type::array: return emit(group, Value::make_array({}));
                case Value::Type::object: return emit(group, Value::make_object({}));
                }
            });
    }
    void operator()(const Key& group, std::int64_t value) override { note(group, value); }
    void operator()(const Key& group, double value) override { note(group, value); }
    void operator()(const Key& group, std::string_view value) override {
        told_.emplace_back([group, bytes = std::string(value)](Emit& emit) {
            emit(group, std::string_view(bytes));
        });
    }
    void fail() { has_failed_ = true; }
    void tell(Emit& emit) const {
        if (has_failed_) throw std::runtime_error("the function threw");
        for (const auto& each : told_) each(emit);
    }

private:
    template <typename... Values> void note(const Values&... values) {
        told_.emplace_back([values...](Emit& emit) { emit(values...); });
    }
    bool has_failed_ = false;
    std::vector<std::function<void(Emit&)>> told_;
};

/// As an application in another language has it: maps many messages at once, before it is asked.
struct Foresight {
    ViewFunction function;
    JsonParser parser = {};
    std::deque<std::pair<Seq, Notes>> notes = {};

    void look_at(std::span<const Message> messages) {
        notes.clear();
        for (Message message : messages) {
            SLUICE_ASSERT(message.json == nullptr);
            message.json = parser.parse(message.body);
            Notes& noted = notes.emplace_back(message.seq, Notes()).second;
            try {
                function(message, noted);
            } catch (const std::exception&) {
                noted.fail();
            }
        }
    }
    void map(const Message& message, Emit& emit) {
        SLUICE_ASSERT(!notes.empty() && notes.front().first == message.seq);
        const Notes noted = std::move(notes.front().second);
        notes.pop_front();
        noted.tell(emit);
    }
};

/// Each thread that derives has its own.
class Foresights {
public:
    explicit Foresights(ViewFunction function) : function_(std::move(function)) {}
    Foresight& of_this_thread() {
        const std::lock_guard lock(mutex_);
        return all_.try_emplace(std::this_thread::get_id(), Foresight{function_}).first->second;
    }

private:
    ViewFunction function_;
    std::mutex mutex_;
    std::map<std::thread::id, Foresight> all_;
};

} // namespace

CodeView Meaning::code() const {
    CodeView view{app, version, definition, function, fold};
    const bool is_foreseen = version % 2 == 0 || name == "sums";
    if (!is_foreseen) return view;
    const auto foresights = std::make_shared<Foresights>(function);
    view.before_map = [foresights](std::span<const Message> messages) {
        foresights->of_this_thread().look_at(messages);
    };
    view.map = [foresights](const Message& message, Emit& emit) {
        foresights->of_this_thread().map(message, emit);
    };
    return view;
}

const std::vector<Meaning>& meanings() {
    static const std::vector<Meaning> all = make_meanings();
    return all;
}

} // namespace sluice::test
