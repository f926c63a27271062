// Asking views more than to be read: links, walks, searches.
#include "node/calls.hpp"

namespace sluice::node {
namespace {

Napi::Value link_to_js(Napi::Env env, const Link& link) {
    return JsObject(env)
        .set("source", link.source.to_json())
        .set("relation", link.relation.to_json())
        .set("target", link.target.to_json())
        .set("seq", link.seq)
        .value();
}

/// (database, view, {from, to, relation, limit}) -> [{source, relation, target, seq}], keys as JSON
Napi::Value links(const Napi::CallbackInfo& info) {
    const Members members(info[2]);
    LinkQuery query;
    members.read("from", query.from);
    members.read("to", query.to);
    members.read("relation", query.relation);
    members.read("limit", query.limit);
    return read_later(
        info,
        [view = bytes_of(info[1]), query](Database& database) {
            return database.snapshot().links(view, query);
        },
        [](Napi::Env env, const std::vector<Link>& links) {
            return list_to_js(env, links, link_to_js);
        });
}

Napi::Value step_to_js(Napi::Env env, const Walk::Step& step) {
    return JsObject(env)
        .set("node", step.node.to_json())
        .set("distance", step.distance)
        .set("via", step.via.to_json())
        .value();
}

/// (database, view, {start, backward, relation, depth, limit}) -> {steps, complete}
Napi::Value walk(const Napi::CallbackInfo& info) {
    const Members members(info[2]);
    WalkQuery query;
    query.start = key_of(members.get("start"));
    bool is_backward = false;
    members.read("backward", is_backward);
    if (is_backward) query.direction = WalkDirection::backward;
    members.read("relation", query.relation);
    members.read("depth", query.depth_max);
    members.read("limit", query.nodes_max);
    return read_later(
        info,
        [view = bytes_of(info[1]), query](Database& database) {
            return database.snapshot().walk(view, query);
        },
        [](Napi::Env env, const Walk& walk) {
            return JsObject(env)
                .set("steps", list_to_js(env, walk.steps, step_to_js))
                .set("complete", walk.complete)
                .value();
        });
}

Napi::Value hit_to_js(Napi::Env env, const SearchHit& hit) {
    std::vector<std::uint64_t> marks;
    for (const TextRange& mark : hit.marks) {
        marks.push_back(mark.begin);
        marks.push_back(mark.end);
    }
    return JsObject(env)
        .set("seq", hit.seq)
        .set("score", hit.score)
        .set("snippet", hit.snippet)
        .set("marks", marks)
        .value();
}

/// (database, view, text, {limit, snippetBytes}) -> {hits, total}; marks in bytes
Napi::Value search(const Napi::CallbackInfo& info) {
    const Members members(info[3]);
    std::uint64_t limit = SearchQuery().limit;
    std::uint64_t snippet_bytes = SearchQuery().snippet_bytes_max;
    members.read("limit", limit);
    members.read("snippetBytes", snippet_bytes);
    return read_later(
        info,
        [view = bytes_of(info[1]), text = bytes_of(info[2]), limit,
         snippet_bytes](Database& database) {
            return database.snapshot().search(view, {text, limit, snippet_bytes});
        },
        [](Napi::Env env, const SearchAnswer& answer) {
            return JsObject(env)
                .set("hits", list_to_js(env, answer.hits, hit_to_js))
                .set("total", answer.total)
                .value();
        });
}

} // namespace

void add_ask_calls(Napi::Env env, Napi::Object& exports) {
    exports.Set("links", Napi::Function::New(env, links));
    exports.Set("walk", Napi::Function::New(env, walk));
    exports.Set("search", Napi::Function::New(env, search));
}

} // namespace sluice::node
