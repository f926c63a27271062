#include "inspect/json.hpp"

#include "base/compact_json.hpp"
#include "base/json_text.hpp"

#include <sodium.h>

#include <ctime>

namespace sluice {
namespace {

std::string to_base64(std::string_view bytes) {
    constexpr int kVariant = sodium_base64_VARIANT_ORIGINAL;
    std::string text(sodium_base64_encoded_len(bytes.size(), kVariant), '\0');
    sodium_bin2base64(text.data(), text.size(),
                      reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), kVariant);
    text.pop_back(); // The terminating zero.
    return text;
}

template <typename Items, typename Append>
std::string to_array(const Items& items, const Append& append) {
    std::string json = "[";
    for (const auto& item : items) {
        if (json.size() > 1) json += ',';
        append(json, item);
    }
    return json + ']';
}

JsonObject verified_view(const VerifyReport::View& view) {
    JsonObject object;
    object.add("name", view.name).add_bool("checked", view.checked).add("rows", view.rows);
    object.add("difference_count", view.difference_count);
    object.add_json("differences", to_json(std::span(view.differences)));
    return object;
}

} // namespace

void JsonObject::begin_member(std::string_view name) {
    if (body_.size() > 1) body_ += ',';
    append_json_string(body_, name);
    body_ += ':';
}
JsonObject& JsonObject::add(std::string_view name, std::string_view text) {
    begin_member(name);
    append_json_string(body_, text);
    return *this;
}
JsonObject& JsonObject::add(std::string_view name, std::uint64_t number) {
    begin_member(name);
    append_json_number(body_, number);
    return *this;
}
JsonObject& JsonObject::add_bool(std::string_view name, bool value) {
    begin_member(name);
    body_ += value ? "true" : "false";
    return *this;
}
JsonObject& JsonObject::add_json(std::string_view name, std::string_view json) {
    begin_member(name);
    body_ += json;
    return *this;
}

std::string to_json(std::span<const Seq> seqs) {
    return to_array(seqs, [](std::string& to, Seq seq) { append_json_number(to, seq.value); });
}
std::string to_json(std::span<const std::string> texts) {
    return to_array(texts, append_json_string);
}

void BodyWriter::add_body(JsonObject& object, std::string_view body) {
    if (parser_.parse(body) == nullptr) {
        object.add("value_base64", to_base64(body));
        return;
    }
    compact_.clear();
    append_compact_json(compact_, body);
    object.add_json("value", compact_);
}

JsonObject to_json(const Record& record) {
    JsonObject object;
    object.add("seq", record.seq).add("state", name_of(record.state));
    if (record.state == Record::State::change)
        return std::move(object.add("change", record.change));
    if (!record.key.empty()) object.add("key", record.key);
    if (record.replaced) object.add_bool("replaced", true);
    if (record.held) object.add_bool("held", true);
    return object;
}

JsonObject to_json(const Receipt& receipt) {
    JsonObject object;
    object.add("erasure", receipt.erasure).add_bool("finished", receipt.finished());
    if (receipt.finished()) object.add("time", utc_text(receipt.time_ms));
    object.add("reason", receipt.reason).add("actor", receipt.actor);
    object.add("assurance", receipt.assurance);
    object.add("entries_wiped", receipt.entries_wiped);
    object.add("segments_rewritten", receipt.segments_rewritten);
    object.add("bytes_destroyed", receipt.bytes_destroyed);
    object.add("count", std::uint64_t{receipt.seqs.size()});
    object.add_json("seqs", to_json(std::span(receipt.seqs)));
    return object;
}

JsonObject to_json(const Changed& changed) {
    JsonObject object;
    object.add("change", changed.at).add("count", std::uint64_t{changed.seqs.size()});
    object.add_json("seqs", to_json(std::span(changed.seqs)));
    if (changed.receipt) object.add_json("receipt", to_json(*changed.receipt));
    return object;
}

JsonObject to_json(const Fact& fact, BodyWriter& writer) {
    JsonObject object;
    object.add("entry", fact.at).add("collection", fact.name.collection);
    object.add_json("key", fact.name.key.to_json()).add_bool("secret", fact.is_secret);
    if (!fact.is_secret) writer.add_body(object, fact.value);
    return object;
}

JsonObject to_json(const ViewInfo& view) {
    JsonObject object;
    object.add("name", view.name).add("kind", view.kind);
    if (!view.app.empty()) object.add("app", view.app);
    object.add("version", std::uint64_t{view.version}).add_bool("loaded", view.loaded);
    object.add("since", view.since).add("rows", view.rows).add("segments", view.segments);
    object.add("bytes", view.bytes).add("errors", view.errors);
    object.add("state", name_of(view.state)).add("pending", view.pending);
    std::string uses = "[";
    for (const ViewInfo::Use& use : view.uses) {
        if (uses.size() > 1) uses += ',';
        JsonObject one;
        one.add("app", use.app);
        if (use.opened_ms != 0) one.add("opened", utc_text(use.opened_ms));
        uses += one.text();
    }
    object.add_json("apps", uses + ']');
    if (view.opened_ms != 0) object.add("opened", utc_text(view.opened_ms));
    object.add_json("definition", view.definition.empty() ? "null" : view.definition);
    return object;
}

JsonObject to_json(const AppInfo& app) {
    JsonObject object;
    object.add("app", app.name);
    if (app.opened_ms != 0) object.add("opened", utc_text(app.opened_ms));
    std::uint64_t bytes = 0, pending = 0;
    std::string views = "[";
    for (const ViewInfo& view : app.views) {
        bytes += view.bytes;
        pending += view.pending;
        if (views.size() > 1) views += ',';
        views += to_json(view).text();
    }
    object.add("bytes", bytes).add("pending", pending);
    return object.add_json("views", views + ']');
}

JsonObject to_json(const RetentionInfo& info) {
    const RetentionRule& rule = info.rule;
    JsonObject object;
    object.add("rule", rule.name).add("action", name_of(rule.action));
    for (const auto& [name, text] : {std::pair{"where", &rule.where},
                                     {"view", &rule.view},
                                     {"time", &rule.time},
                                     {"per", &rule.per}}) {
        if (!text->empty()) object.add(name, *text);
    }
    if (rule.older_than) {
        object.add("older_than_ms", static_cast<std::uint64_t>(rule.older_than->count()));
    }
    if (rule.keep_last) object.add("keep_last", *rule.keep_last);
    if (rule.keep_bytes) object.add("keep_bytes", *rule.keep_bytes);
    return object;
}

JsonObject to_json(const RetentionRun& run) {
    JsonObject object;
    object.add("rule", run.rule).add("action", name_of(run.action));
    object.add("count", std::uint64_t{run.seqs.size()}).add("held", run.held);
    object.add_json("seqs", to_json(std::span(run.seqs)));
    return object.add_json("changes", to_json(std::span(run.changes)));
}

JsonObject to_json(const TransformInfo& transform) {
    JsonObject object;
    object.add("transform", transform.name).add("version", std::uint64_t{transform.version});
    object.add_bool("loaded", transform.loaded).add("changed", transform.outputs);
    return object.add("errors", transform.errors);
}

std::string text_of(const Explanation::Look& look) {
    std::string text = look.kind + ' ' + look.key + " in " + look.source;
    // A search by several keys passes over what is there and does not fit.
    if (!look.found) return text + (look.kind == "find any" ? ": none that fits" : ": nothing");
    if (look.owner != Seq{}) text += ": from message " + std::to_string(look.owner.value);
    return text;
}

std::string woken_by(const Explanation::Look& look) {
    const std::string what = look.source.starts_with("facts") ? "a fact" : "a cell";
    if (look.kind == "find any") return what + " that is new under " + look.key;
    if (look.kind == "has") return look.key + " coming or going";
    if (look.kind == "prefix") return what + " coming, going or changing under " + look.key;
    if (look.kind == "first" || look.kind == "last") {
        return "another " + look.kind + " under " + look.key;
    }
    return look.key + (look.found ? " changing or going" : " coming");
}

namespace {

template <typename Items, typename ToJson>
std::string array_of(const Items& items, const ToJson& item_to_json) {
    std::string text = "[";
    for (const auto& item : items) text += (text.size() > 1 ? "," : "") + item_to_json(item);
    return text + ']';
}

} // namespace

JsonObject to_json(const Explanation& why) {
    const auto as_it_is = [](const std::string& json) { return json; };
    const auto look_json = [](const Explanation::Look& look) {
        JsonObject object;
        object.add("kind", look.kind).add("source", look.source).add_json("key", look.key);
        object.add_bool("found", look.found).add("owner", look.owner);
        return object.add("woken_by", woken_by(look)).text();
    };
    const auto step_json = [&](const Explanation::Step& step) {
        JsonObject object;
        object.add("transform", step.transform).add("made", step.made);
        object.add_json("looks", array_of(step.looks, look_json));
        return object.add_json("cells", array_of(step.cells, as_it_is)).text();
    };
    const auto rows_json = [&](const Explanation::Rows& rows) {
        JsonObject object;
        object.add("view", rows.view).add("kind", rows.kind).add_bool("behind", rows.is_behind);
        object.add_json("keys", array_of(rows.keys, as_it_is));
        return object.add_json("looks", array_of(rows.looks, look_json)).text();
    };
    JsonObject object = to_json(why.record);
    object.add_bool("hidden", why.record.hidden).add("rederived_by", why.rederived_by);
    object.add_json("transforms", array_of(why.steps, step_json));
    return object.add_json("views", array_of(why.views, rows_json));
}

JsonObject to_json(const Stats& stats) {
    JsonObject object;
    object.add("last", stats.last).add("live", stats.live).add("deleted", stats.deleted);
    object.add("erased", stats.erased).add("held", stats.held).add("changes", stats.changes);
    object.add("log_bytes", stats.log_bytes).add("log_segments", stats.log_segments);
    object.add("view_bytes", stats.view_bytes);
    object.add("durability", stats.durability).add("assurance", stats.assurance);
    return object;
}

JsonObject to_json(const Finding& finding) {
    JsonObject object;
    object.add("file", finding.file);
    if (finding.end > 0) object.add("begin", finding.begin).add("end", finding.end);
    if (finding.last > Seq{}) object.add("first", finding.first).add("last", finding.last);
    object.add("what", finding.what).add("remedy", name_of(finding.remedy));
    return object;
}

std::string to_json(std::span<const Finding> findings) {
    return to_array(findings,
                    [](std::string& to, const Finding& finding) { to += to_json(finding).text(); });
}

JsonObject to_json(const VerifyReport& report) {
    JsonObject object;
    object.add_bool("equal", report.equal()).add("position", report.position);
    object.add_json("views", to_array(report.views, [](std::string& to, const auto& view) {
                        to += verified_view(view).text();
                    }));
    object.add_json("problems", to_json(std::span(report.problems)));
    object.add("needles_searched", report.needles_searched);
    object.add_json("needles_found", to_json(std::span(report.needles_found)));
    return object;
}

std::string utc_text(std::uint64_t time_ms) {
    const auto seconds = static_cast<std::time_t>(time_ms / 1000);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char text[32];
    return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

} // namespace sluice
