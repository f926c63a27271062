// Messages on their way to JavaScript.
#pragma once
#include "node/values.hpp"

#include <sluice/database.hpp>

#include <string>
#include <vector>

namespace sluice::node {

/// Many at once: their bodies one behind the other in one Buffer. lib/messages.js makes objects of
/// it, each when it is asked for.
class MessageBatch {
public:
    void add(const Record& record);
    std::size_t count() const { return seqs_.size(); }
    std::size_t size_bytes() const { return bytes_.size(); }
    /// {bytes, ends, seqs, keys, states, changes}; the last three only where there is something.
    Napi::Value take(Napi::Env env);

private:
    std::string bytes_;
    std::vector<std::uint32_t> ends_;
    std::vector<double> seqs_;
    std::vector<std::string> keys_;
    std::vector<std::string> states_;
    std::vector<std::string> changes_;
    bool has_keys_ = false;
    bool has_others_ = false; ///< Than live messages.
};

/// One: {seq, key, state, body, change}.
Napi::Value to_js(Napi::Env env, Record& record);

} // namespace sluice::node
