// Looking after a database, and taking in the messages of others.
#include "node/calls.hpp"
#include "node/messages.hpp"

#include <sluice/import.hpp>

namespace sluice::node {
namespace {

Napi::Value look_to_js(Napi::Env env, const Explanation::Look& look) {
    return JsObject(env)
        .set("source", look.source)
        .set("kind", look.kind)
        .set("key", look.key)
        .set("found", look.found)
        .set("owner", look.owner)
        .value();
}

Napi::Value step_to_js(Napi::Env env, const Explanation::Step& step) {
    return JsObject(env)
        .set("transform", step.transform)
        .set("made", step.made)
        .set("looks", list_to_js(env, step.looks, look_to_js))
        .set("cells", step.cells)
        .value();
}

Napi::Value rows_to_js(Napi::Env env, const Explanation::Rows& rows) {
    return JsObject(env)
        .set("view", rows.view)
        .set("kind", rows.kind)
        .set("isBehind", rows.is_behind)
        .set("keys", rows.keys)
        .set("looks", list_to_js(env, rows.looks, look_to_js))
        .value();
}

/// (database, seq) -> {message, steps, views, rederivedBy}
Napi::Value why(const Napi::CallbackInfo& info) {
    return work_later(
        info, [seq = entry_of(info[1])](Database& database) { return database.why(seq); },
        [](Napi::Env env, Explanation& explanation) {
            return JsObject(env)
                .set("message", to_js(env, explanation.record))
                .set("steps", list_to_js(env, explanation.steps, step_to_js))
                .set("views", list_to_js(env, explanation.views, rows_to_js))
                .set("rederivedBy", explanation.rederived_by)
                .value();
        });
}

/// (database, call) -> a report
Napi::Value verify(const Napi::CallbackInfo& info) {
    return work_later(
        info,
        [progress = progress_of(info[1])](Database& database) { return database.verify(progress); },
        [](Napi::Env env, const VerifyReport& report) {
            const auto view_to_js = [](Napi::Env to, const VerifyReport::View& view) {
                return JsObject(to)
                    .set("name", view.name)
                    .set("checked", view.checked)
                    .set("rows", view.rows)
                    .set("differences", view.differences)
                    .value();
            };
            return JsObject(env)
                .set("equal", report.equal())
                .set("position", report.position)
                .set("views", list_to_js(env, report.views, view_to_js))
                .set("problems", report.problems)
                .set("needlesSearched", report.needles_searched)
                .set("needlesFound", report.needles_found)
                .value();
        });
}

/// (database) -> {last, live, ...}
Napi::Value stats(const Napi::CallbackInfo& info) {
    return read_later(
        info, [](Database& database) -> Result<Stats> { return database.stats(); },
        [](Napi::Env env, const Stats& stats) {
            return JsObject(env)
                .set("last", stats.last)
                .set("live", stats.live)
                .set("deleted", stats.deleted)
                .set("erased", stats.erased)
                .set("held", stats.held)
                .set("changes", stats.changes)
                .set("logBytes", stats.log_bytes)
                .set("viewBytes", stats.view_bytes)
                .set("durability", stats.durability)
                .set("assurance", stats.assurance)
                .value();
        });
}

/// (database, path, {format, keyPointer, untilDamage, readmit, call}) -> a report
Napi::Value import(const Napi::CallbackInfo& info) {
    const Members members(info[2]);
    ImportOptions options;
    std::string format;
    members.read("format", format);
    if (format == "flumelog-offset") options.format = ForeignFormat::flumelog_offset;
    if (format == "jsonl") options.format = ForeignFormat::json_lines;
    members.read("keyPointer", options.key_pointer);
    members.read("untilDamage", options.until_damage);
    members.read("readmit", options.readmit);
    options.progress = progress_of(members.get("call"));
    return work_later(
        info,
        [path = bytes_of(info[1]), options](Database& database) {
            return import_file(database, path, options);
        },
        [](Napi::Env env, const ImportReport& report) {
            JsObject object(env);
            object.set("appended", report.appended)
                .set("exists", report.exists)
                .set("refused", report.refused)
                .set("deletedInSource", report.deleted_in_source)
                .set("resumedAt", report.resumed_at)
                .set("end", report.end)
                .set("size", report.size_bytes);
            if (report.damage) object.set("damage", report.damage->context);
            return object.value();
        });
}

/// (database) -> undefined
Napi::Value merge_views(const Napi::CallbackInfo& info) {
    return work_later(
        info, [](Database& database) { return database.merge_views(); }, nothing);
}

} // namespace

void add_maintenance_calls(Napi::Env env, Napi::Object& exports) {
    exports.Set("why", Napi::Function::New(env, why));
    exports.Set("verify", Napi::Function::New(env, verify));
    exports.Set("stats", Napi::Function::New(env, stats));
    exports.Set("importFile", Napi::Function::New(env, import));
    exports.Set("mergeViews", Napi::Function::New(env, merge_views));
}

} // namespace sluice::node
