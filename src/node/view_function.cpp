#include "node/view_function.hpp"

#include "node/messages.hpp"

#include <simdjson.h>

#include <charconv>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>

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
        // {"bigint":"..."}: what JSON.stringify() has no number for. lib/keys.js checked it.
        std::string_view digits;
        if (json["bigint"].get(digits) != simdjson::SUCCESS) throw std::invalid_argument("a key");
        std::int64_t number = 0;
        std::from_chars(digits.data(), digits.data() + digits.size(), number);
        key.append(number);
        return;
    }
    }
}

/// What JavaScript gave for the messages of a batch, as `map` asks for it.
class Answers {
public:
    Answers(Addon& addon, double number) : addon_(addon), number_(number) {}

    void ask(std::span<const Message> messages) {
        at_ = end_ = {};
        MessageBatch batch;
        for (const Message& message : messages) {
            Record record;
            record.seq = message.seq;
            record.key = message.key;
            record.body = message.body;
            batch.add(record);
        }
        const bool is_answered = addon_.js.ask([&](Napi::Env env) {
            answer_ = bytes_of(
                addon_.hooks.map_batch.Call({Napi::Number::New(env, number_), batch.take(env)}));
        });
        if (!is_answered) throw CodeGone();
        Json answer;
        if (parser_.parse(answer_).get(answer) != simdjson::SUCCESS) {
            throw std::runtime_error("an answer that is not JSON");
        }
        rows_ = array_of(answer);
        at_ = rows_.begin();
        end_ = rows_.end();
    }

    /// `message` is the next of the batch.
    void map(const Message& message, Emit& emit) {
        if (!(at_ != end_)) ask(std::span(&message, 1));
        const Json rows = *at_;
        ++at_;
        if (rows.is_null()) throw std::runtime_error("the function threw");
        for (const Json row : array_of(rows)) {
            const simdjson::dom::array parts = array_of(row);
            auto part = parts.begin();
            Key key;
            for (const Json element : array_of(*part)) append_to(key, element);
            ++part;
            if (part != parts.end()) {
                emit_value(emit, key, *part);
            } else {
                emit(key);
            }
        }
    }

private:
    static void emit_value(Emit& emit, const Key& key, const Json& value) {
        using Type = simdjson::dom::element_type;
        if (value.type() == Type::INT64) {
            emit(key, value.get_int64().value_unsafe());
        } else if (value.is_number()) {
            emit(key, value.get_double().value_unsafe());
        } else if (value.is_string()) {
            emit(key, Value::make_string(value.get_string().value_unsafe()));
        } else if (value.is_bool()) {
            emit(key, Value::make_bool(value.get_bool().value_unsafe()));
        } else {
            emit(key, Value::make_null());
        }
    }

    Addon& addon_;
    double number_;
    std::string answer_;
    simdjson::dom::parser parser_;
    simdjson::dom::array rows_;
    simdjson::dom::array::iterator at_, end_;
};

/// Several threads may derive at a time, each with batches of its own.
class BatchFunction {
public:
    BatchFunction(Addon& addon, double number) : addon_(addon), number_(number) {}

    Answers& of_this_thread() {
        const std::lock_guard lock(mutex_);
        return answers_.try_emplace(std::this_thread::get_id(), addon_, number_).first->second;
    }

private:
    Addon& addon_;
    double number_;
    std::mutex mutex_;
    std::map<std::thread::id, Answers> answers_;
};

} // namespace

void set_function(CodeView& view, Addon& addon, double number) {
    const auto function = std::make_shared<BatchFunction>(addon, number);
    view.before_map = [function](std::span<const Message> messages) {
        function->of_this_thread().ask(messages);
    };
    view.map = [function](const Message& message, Emit& emit) {
        function->of_this_thread().map(message, emit);
    };
}

} // namespace sluice::node
