// Asking views more than to be read: links, walks, searches.
#include "node/calls.hpp"

namespace sluice::node {
namespace {

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
        [](Napi::Env env, const std::vector<Link>& links) -> Napi::Value {
            auto array = Napi::Array::New(env, links.size());
            for (std::uint32_t i = 0; i < links.size(); ++i) {
                array.Set(i, JsObject(env)
                                 .set("source", links[i].source.to_json())
                                 .set("relation", links[i].relation.to_json())
                                 .set("target", links[i].target.to_json())
                                 .set("seq", links[i].seq)
                                 .value());
            }
            return array;
        });
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
            auto steps = Napi::Array::New(env, walk.steps.size());
            for (std::uint32_t i = 0; i < walk.steps.size(); ++i) {
                steps.Set(i, JsObject(env)
                                 .set("node", walk.steps[i].node.to_json())
                                 .set("distance", walk.steps[i].distance)
                                 .set("via", walk.steps[i].via.to_json())
                                 .value());
            }
            return JsObject(env).set("steps", steps).set("complete", walk.complete).value();
        });
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
            auto hits = Napi::Array::New(env, answer.hits.size());
            for (std::uint32_t i = 0; i < answer.hits.size(); ++i) {
                const SearchHit& hit = answer.hits[i];
                std::vector<std::uint64_t> marks;
                for (const TextRange& mark : hit.marks) {
                    marks.push_back(mark.begin);
                    marks.push_back(mark.end);
                }
                hits.Set(i, JsObject(env)
                                .set("seq", hit.seq)
                                .set("score", hit.score)
                                .set("snippet", hit.snippet)
                                .set("marks", marks)
                                .value());
            }
            return JsObject(env).set("hits", hits).set("total", answer.total).value();
        });
}

} // namespace

void add_ask_calls(Napi::Env env, Napi::Object& exports) {
    exports.Set("links", Napi::Function::New(env, links));
    exports.Set("walk", Napi::Function::New(env, walk));
    exports.Set("search", Napi::Function::New(env, search));
}

} // namespace sluice::node
