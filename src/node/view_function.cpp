#include "node/view_function.hpp"

#include "node/messages.hpp"

#include <simdjson.h>

#include <charconv>
#include <deque>
#include <stdexcept>

namespace sluice::node {
namespace {

using Json = simdjson::dom::element;

/// What lib/map.js answers is ours: it has the form that it is read in.
simdjson::dom::array array_of(const Json& json) {
    simdjson::dom::array array;
    if (json.get(array) != simdjson::SUCCESS)
        throw std::runtime_error("an answer that is no array");
    return array;
}

void append_number(Key& key, std::string_view text) {
    std::int64_t integer = 0;
    const char* const end = text.data() + text.size();
    if (std::from_chars(text.data(), end, integer).ptr == end) {
        key.append(integer);
        return;
    }
    double real = 0;
    std::from_chars(text.data(), end, real);
    key.append(real);
}

void append_to(Key& key, const Json& json) {
    switch (json.type()) {
    case simdjson::dom::element_type::NULL_VALUE: key.append(nullptr); return;
    case simdjson::dom::element_type::BOOL: key.append(json.get_bool().value_unsafe()); return;
    case simdjson::dom::element_type::INT64: key.append(json.get_int64().value_unsafe()); return;
    case simdjson::dom::element_type::UINT64: key.append(json.get_uint64().value_unsafe()); return;
    case simdjson::dom::element_type::DOUBLE: key.append(json.get_double().value_unsafe()); return;
    case simdjson::dom::element_type::STRING: key.append(json.get_string().value_unsafe()); return;
    case simdjson::dom::element_type::ARRAY: {
        Key elements;
        for (const Json each : array_of(json)) append_to(elements, each);
        key.append_array(elements);
        return;
    }
    case simdjson::dom::element_type::OBJECT: {
        // {"number":"..."}: what JSON.stringify() or a parser has no number for. lib/keys.js
        // checked it.
        std::string_view text;
        if (json["number"].get(text) != simdjson::SUCCESS) throw std::invalid_argument("a key");
        append_number(key, text);
        return;
    }
    }
}

class JsMap final : public MapAhead {
public:
    JsMap(Addon& addon, double number) : addon_(addon), number_(number) {}

    void expect(std::span<const Message> messages) override {
        auto batch = std::make_shared<MessageBatch>();
        for (const Message& message : messages) {
            Record record;
            record.seq = message.seq;
            record.key = message.key;
            record.body = message.body;
            batch->add(record);
        }
        auto answer = addon_.js.ask([&addon = addon_, number = number_, batch](Napi::Env env) {
            return bytes_of(
                addon.hooks.map_batch.Call({Napi::Number::New(env, number), batch->take(env)}));
        });
        asked_.push_back({std::move(answer), messages.size()});
    }

    void map(const Message&, Emit& emit) override {
        if (left_ == 0) take_answer();
        --left_;
        // Whatever an answer is, it is for the messages that were asked about, and for no others.
        if (!(at_ != end_)) throw std::runtime_error("an answer that is too short");
        const Json rows = *at_;
        ++at_;
        if (rows.is_null()) throw std::runtime_error("the function threw");
        for (const Json row : array_of(rows)) {
            // A key, or {"k":key,"v":value}.
            Json elements = row, value;
            const bool has_value = row.is_object();
            if (has_value && (row["k"].get(elements) != simdjson::SUCCESS ||
                              row["v"].get(value) != simdjson::SUCCESS)) {
                throw std::runtime_error("an answer that is no row");
            }
            Key key;
            for (const Json element : array_of(elements)) append_to(key, element);
            if (has_value) {
                emit_value(emit, key, value);
            } else {
                emit(key);
            }
        }
    }

private:
    void take_answer() {
        if (asked_.empty()) throw std::logic_error("rows of a message that was not announced");
        auto [answered, count] = std::move(asked_.front());
        asked_.pop_front();
        auto answer = answered.get();
        if (!answer) throw CodeGone();
        left_ = count;
        at_ = end_ = {};
        answer_ = *std::move(answer);
        Json parsed;
        if (parser_.parse(answer_).get(parsed) != simdjson::SUCCESS) return;
        rows_ = array_of(parsed);
        at_ = rows_.begin();
        end_ = rows_.end();
    }

    static void emit_value(Emit& emit, const Key& key, const Json& value) {
        using Type = simdjson::dom::element_type;
        if (value.type() == Type::INT64) {
            emit(key, value.get_int64().value_unsafe());
        } else if (value.is_number()) {
            emit(key, value.get_double().value_unsafe());
        } else if (value.is_string()) {
            emit(key, Value::make_string(value.get_string().value_unsafe()));
        } else if (std::string_view text; value["number"].get(text) == simdjson::SUCCESS) {
            emit(key, Value::make_number(text));
        } else if (value.is_bool()) {
            emit(key, Value::make_bool(value.get_bool().value_unsafe()));
        } else {
            emit(key, Value::make_null());
        }
    }

    Addon& addon_;
    double number_;
    struct Asked {
        JsThread::Answer answer;
        std::size_t count = 0; ///< Of messages.
    };
    std::deque<Asked> asked_;
    std::size_t left_ = 0; ///< Messages that the answer taken last is for.
    std::string answer_;
    simdjson::dom::parser parser_;
    simdjson::dom::array rows_;
    simdjson::dom::array::iterator at_, end_;
};

} // namespace

void set_function(CodeView& view, Addon& addon, double number) {
    view.map_ahead = [&addon, number] { return std::make_unique<JsMap>(addon, number); };
}

} // namespace sluice::node
