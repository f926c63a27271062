#include "model/toy_transforms.hpp"

#include "base/json_text.hpp"

#include <stdexcept>

namespace sluice::test {
namespace {

std::string_view text_at(const Incoming& message, std::string_view name) {
    const Value* const json = message.json();
    const Value* const value = json == nullptr ? nullptr : json->find(name);
    return value == nullptr ? std::string_view() : value->as_string().value_or("");
}

std::int64_t number_at(const Incoming& message, std::string_view name) {
    const Value* const json = message.json();
    const Value* const value = json == nullptr ? nullptr : json->find(name);
    return value == nullptr ? 0 : value->as_int64().value_or(0);
}

/// The message with one more member at its end.
std::string with_member(const Incoming& message, const std::string& name, std::string_view text) {
    std::string body(message.body());
    body.pop_back();
    body += ",\"" + name + "\":";
    append_json_string(body, text);
    return body + '}';
}

} // namespace

namespace {

struct Toys {
    Transforms all;
    Source edit_links = Source::facts("");
};

Toys make_toys() {
    Toys toys;
    Transforms& all = toys.all;
    const Source keys = Source::facts("keys");
    const Source blocks = Source::facts("blocks");
    const Source blobs = Source::facts("blobs");

    all.add({"toy.unbox", 1, [=](Context& context, const Incoming& message, Transformed& made) {
                 const std::string_view box = text_at(message, "box");
                 if (box.empty()) return;
                 const auto key = context.find_any(
                     keys, Key{}, [&](const Cell& cell) { return cell.key() == Key(box); });
                 if (!key) return;
                 const std::string_view body = message.body();
                 const std::size_t inner = body.find("{", 1);
                 made.set_body(std::string(body.substr(inner, body.size() - inner - 1)));
             }});
    all.add({"toy.block", 1, [=](Context& context, const Incoming& message, Transformed& made) {
                 const std::string_view author = text_at(message, "author");
                 if (!author.empty() && context.has(blocks, Key(author))) made.hide();
             }});
    const Source edits =
        all.add({"toy.edit-links", 1, [](Context&, const Incoming& message, Transformed& made) {
                     const std::string_view target = text_at(message, "edit");
                     if (target.empty()) return;
                     made.emit(Key(target, text_at(message, "author"), number_at(message, "n")),
                               text_at(message, "text"));
                 }});
    all.add({"toy.edits", 1, [=](Context& context, const Incoming& message, Transformed& made) {
                 if (message.key().empty() || message.json() == nullptr) return;
                 const auto winner =
                     context.last(edits, Key(message.key(), text_at(message, "author")));
                 if (winner) made.set_body(with_member(message, "edited", winner->value));
             }});
    all.add({"toy.blobs", 1, [=](Context& context, const Incoming& message, Transformed& made) {
                 const std::string_view name = text_at(message, "blob");
                 if (name.empty()) return;
                 const auto blob = context.get(blobs, Key(name));
                 if (!blob) return;
                 if (blob->value == "bad") throw std::runtime_error("a bad blob");
                 made.set_body(with_member(message, "shows", blob->value));
             }});
    all.add({"toy.rank", 1, [=](Context& context, const Incoming& message, Transformed& made) {
                 const Value* const json = message.json();
                 if (json == nullptr || json->find("rank") == nullptr) return;
                 const std::size_t count = context.prefix(edits, Key("m1")).size();
                 const auto first = context.first(edits, Key{});
                 const bool any = context.has(edits, Key("m2", "ada", 1));
                 made.set_body(with_member(message, "ranked",
                                           std::to_string(count) +
                                               (first ? first->key().to_json() : "") +
                                               (any ? "!" : "")));
             }});
    toys.edit_links = edits;
    return toys;
}

} // namespace

Transforms toy_transforms() {
    return make_toys().all;
}

Source toy_edit_links() {
    return make_toys().edit_links;
}

std::vector<std::string> toy_transform_names() {
    return toy_transforms().names();
}

} // namespace sluice::test
