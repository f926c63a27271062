#include "node/messages.hpp"

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

Napi::Value to_js(Napi::Env env, Record& record) {
    JsObject message(env);
    message.set("seq", record.seq).set("key", record.key).set("state", name_of(record.state));
    message.set("body", buffer_of(env, std::move(record.body)));
    if (!record.change.empty()) message.set("change", record.change);
    return message.value();
}

} // namespace sluice::node
