// What the database answers, as JSON: one wording for the command line, servers and bindings.
#pragma once
#include "base/json.hpp"

#include <sluice/check.hpp>
#include <sluice/database.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sluice {

/// Puts one object together, member by member, on one line.
class JsonObject {
public:
    JsonObject& add(std::string_view name, std::string_view text);
    JsonObject& add(std::string_view name, const char* text) {
        return add(name, std::string_view(text));
    }
    JsonObject& add(std::string_view name, std::uint64_t number);
    JsonObject& add(std::string_view name, Seq seq) { return add(name, seq.value); }
    JsonObject& add_bool(std::string_view name, bool value);
    JsonObject& add_json(std::string_view name, std::string_view json);
    JsonObject& add_json(std::string_view name, const JsonObject& object) {
        return add_json(name, object.text());
    }
    std::string text() const { return body_ + '}'; }

private:
    void begin_member(std::string_view name);
    std::string body_ = "{";
};

std::string to_json(std::span<const Seq> seqs);
std::string to_json(std::span<const std::string> texts);

/// Adds what a message says: as "value" when it is JSON, or else as "value_base64". Threads: one at
/// a time.
class BodyWriter {
public:
    void add_body(JsonObject& object, std::string_view body);

private:
    JsonParser parser_;
    std::string compact_;
};

/// Seq, state, application key and marks of an entry, but not what it says.
JsonObject to_json(const Record& record);
JsonObject to_json(const Receipt& receipt);
JsonObject to_json(const Changed& changed);
/// With its value unless it is secret.
JsonObject to_json(const Fact& fact, BodyWriter& writer);
JsonObject to_json(const ViewInfo& view);
JsonObject to_json(const AppInfo& app);
/// The rule, and nothing of its runs.
JsonObject to_json(const RetentionInfo& info);
JsonObject to_json(const RetentionRun& run);
JsonObject to_json(const TransformInfo& transform);
JsonObject to_json(const Explanation& why);
JsonObject to_json(const Stats& stats);
JsonObject to_json(const VerifyReport& report);
JsonObject to_json(const Finding& finding);
std::string to_json(std::span<const Finding> findings);

/// What a transform looked at, such as `get ["team"] in facts keys: nothing`.
std::string text_of(const Explanation::Look& look);
/// What would have the message derived again, for this reason.
std::string woken_by(const Explanation::Look& look);

/// 2026-11-23T06:41:23Z
std::string utc_text(std::uint64_t time_ms);

} // namespace sluice
