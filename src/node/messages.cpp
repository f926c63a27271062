#include "node/messages.hpp"

#include <simdjson.h>

#include <algorithm>
#include <cstring>

namespace sluice::node {

void MessageBatch::add(const Record& record) {
    bytes_ += record.body;
    ends_.push_back(static_cast<std::uint32_t>(bytes_.size()));
    seqs_.push_back(static_cast<double>(record.seq.value));
    keys_.push_back(record.key);
    states_.emplace_back(name_of(record.state));
    changes_.push_back(record.change);
    has_keys_ = has_keys_ || !record.key.empty();
    has_others_ = has_others_ || record.state != Record::State::live;
}

Napi::Value MessageBatch::take(Napi::Env env) {
    auto ends = Napi::Uint32Array::New(env, ends_.size());
    auto seqs = Napi::Float64Array::New(env, seqs_.size());
    if (!ends_.empty()) {
        std::memcpy(ends.Data(), ends_.data(), ends_.size() * sizeof ends_[0]);
        std::memcpy(seqs.Data(), seqs_.data(), seqs_.size() * sizeof seqs_[0]);
    }
    JsObject batch(env);
    batch.set("bytes", buffer_of(env, std::move(bytes_))).set("ends", ends).set("seqs", seqs);
    if (has_keys_) batch.set("keys", keys_);
    if (has_others_) batch.set("states", states_).set("changes", changes_);
    *this = {};
    return batch.value();
}

Napi::Value content_of(Napi::Env env, std::string body) {
    const bool is_ascii = std::ranges::all_of(body, [](char each) { return (each & 0x80) == 0; });
    if (is_ascii) {
        napi_value text = nullptr;
        NAPI_THROW_IF_FAILED(env, napi_create_string_latin1(env, body.data(), body.size(), &text),
                             Napi::Value());
        return {env, text};
    }
    if (simdjson::validate_utf8(body)) return to_js(env, body);
    return buffer_of(env, std::move(body));
}

Napi::Value to_js(Napi::Env env, Record& record) {
    auto array = Napi::Array::New(env, 2);
    const bool is_live = record.state == Record::State::live;
    array.Set(0U, to_js(env, record.seq));
    array.Set(1U, content_of(env, std::move(record.body)));
    if (!record.key.empty()) array.Set(2U, to_js(env, record.key));
    if (!is_live) array.Set(3U, to_js(env, name_of(record.state)));
    if (!record.change.empty()) array.Set(4U, to_js(env, record.change));
    return array;
}

} // namespace sluice::node
