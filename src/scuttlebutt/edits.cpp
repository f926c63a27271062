// Cells of "edit-links":  [id of an edit] -> the id that it names
// Cells of "edit-roots":  ["by", root, author, sequence, timestamp, id of the edit]
//                                                          -> Extent (1) | what shows the edit,
//                                                             its length before it | content
//                         ["all", root, timestamp, author, sequence, id of the edit]
//                                                          -> the key of the other one
// The last cell of a root, or of a root and an author, is the edit to show: however many there are,
// a message looks at three cells.
#include "scuttlebutt/edits.hpp"

#include "base/bytes.hpp"
#include "base/json_text.hpp"
#include "scuttlebutt/ids.hpp"
#include "scuttlebutt/message_parts.hpp"
#include "scuttlebutt/object_text.hpp"

#include <sluice/scuttlebutt.hpp>

#include <algorithm>
#include <set>

namespace sluice::scuttlebutt {
namespace {

constexpr std::string_view kStaysTheRoots[] = {
    "type", "original", "updated", "revisionRoot", "revisionBranch", "replaces",
    "root", "branch",   "fork",    "recps",        "tangles"};
bool stays_the_roots(std::string_view name) {
    return std::find(std::begin(kStaysTheRoots), std::end(kStaysTheRoots), name) !=
           std::end(kStaysTheRoots);
}

/// What of the content an edit gives.
enum class Extent : std::uint8_t { members, whole };

std::optional<std::string_view> id_in(const Value& content, std::string_view name) {
    const Value* const member = content.find(name);
    const auto id = member == nullptr ? std::nullopt : member->as_string();
    return id && is_message_id(*id) ? id : std::nullopt;
}

/// The message that this one says it edits.
struct Target {
    std::string_view id;
    Extent extent;
};
std::optional<Target> target_of(const Value& content) {
    const Value* const type = content.find("type");
    const auto name = type == nullptr ? std::nullopt : type->as_string();
    if (name == "edit" || name == "update") {
        if (const auto id = id_in(content, "original")) return Target{*id, Extent::members};
        if (const auto id = id_in(content, "updated")) return Target{*id, Extent::members};
    }
    if (const auto id = id_in(content, "revisionRoot")) return Target{*id, Extent::whole};
    if (const auto id = id_in(content, "replaces")) return Target{*id, Extent::whole};
    return std::nullopt;
}
std::optional<Target> edited_by(const MessageParts& parts) {
    if (!is_message_id(parts.id)) return std::nullopt;
    const auto target = target_of(*parts.content);
    return target && target->id == parts.id ? std::nullopt : target;
}

std::string_view content_text(std::string_view body) {
    const auto value = member_text(body, "value");
    return value ? member_text(*value, "content").value_or("") : "";
}

/// The edit, if it is not too long to be one.
struct EditMessage {
    MessageParts parts;
    Target target;
    std::string_view content; ///< JSON text.
};
std::optional<EditMessage> edit_of(const Message& message) {
    const auto parts = parts_of(message);
    const auto target = parts ? edited_by(*parts) : std::nullopt;
    if (!target) return std::nullopt;
    const std::string_view content = content_text(message.body);
    if (content.size() > kEditContentSizeBytesMax) return std::nullopt;
    return EditMessage{*parts, *target, content};
}

/// False: this JSON text has none of the names by which an edit says what it edits. Every message
/// pays for this twice, so it goes from quote to quote, which few other bytes are.
bool may_be_edit(std::string_view body) {
    constexpr std::string_view kNames[] = {"original\"", "updated\"", "revisionRoot\"",
                                           "replaces\""};
    if (body.find("\\u") != body.npos) return true; // A letter may be escaped.
    for (auto quote = body.find('"'); quote != body.npos; quote = body.find('"', quote + 1)) {
        const std::string_view rest = body.substr(quote + 1);
        const bool is_one =
            std::any_of(std::begin(kNames), std::end(kNames), [rest](std::string_view name) {
                return !rest.empty() && rest.front() == name.front() && rest.starts_with(name);
            });
        if (is_one) return true;
    }
    return false;
}

void link_edits(Context&, const Incoming& incoming, Transformed& out) {
    if (!may_be_edit(incoming.body())) return;
    const Message message = message_of(incoming);
    if (const auto edit = edit_of(message)) out.emit(Key{edit->parts.id}, edit->target.id);
}

/// Where the names of edits lead to from `target`; empty if nowhere.
std::string root_of(Context& context, const Source& links, std::string_view edit,
                    std::string_view target) {
    std::set<std::string> passed{std::string(edit)};
    std::string root(target);
    while (true) {
        const auto link = context.get(links, Key{root});
        if (!link) return root;
        if (!passed.insert(root).second || passed.size() > kEditChainMax) return {};
        root = link->value;
    }
}

/// A number as part of a key; whatever else stands there, 0.
void append_number(Key& key, const Value* value) {
    const bool is_number = value != nullptr && value->type() == Value::Type::number;
    if (!is_number || !key.append_json(*value)) key.append(0);
}

bool is_private(const Value& message) {
    const Value* const meta = message.find("meta");
    const Value* const mark = meta == nullptr ? nullptr : meta->find("private");
    return mark != nullptr && mark->as_bool() == true;
}

/// What shows the edit beside the root's "value".
std::string mark_of(const EditMessage& edit, const Value& message) {
    std::string mark = R"({"key":)";
    append_json_string(mark, edit.parts.id);
    mark.append(R"(,"author":)");
    append_json_string(mark, edit.parts.author);
    const Value* const timestamp = edit.parts.value->find("timestamp");
    if (timestamp != nullptr && timestamp->type() == Value::Type::number)
        mark.append(R"(,"timestamp":)").append(timestamp->number_text());
    if (is_private(message)) mark.append(R"(,"private":true)");
    return mark.append(1, '}');
}

void file_edits(Context& context, const Source& links, const Message& message, Transformed& out) {
    const auto edit = edit_of(message);
    if (!edit) return;
    const std::string root = root_of(context, links, edit->parts.id, edit->target.id);
    if (root.empty()) return;

    const Value* const sequence = edit->parts.value->find("sequence");
    const Value* const timestamp = edit->parts.value->find("timestamp");
    Key by{"by", root, edit->parts.author};
    append_number(by, sequence);
    append_number(by, timestamp);
    by.append(edit->parts.id);
    Key all{"all", root};
    append_number(all, timestamp);
    all.append(edit->parts.author);
    append_number(all, sequence);
    all.append(edit->parts.id);

    std::string cell(1, static_cast<char>(edit->target.extent));
    append_sized(cell, mark_of(*edit, *message.json));
    cell += edit->content;
    out.emit(by, cell);
    out.emit(all, by.encoded());
}

std::optional<Cell> newest_edit(Context& context, const Source& roots, const MessageParts& parts) {
    const Key all{"by", parts.id};
    const auto first = context.first(roots, all);
    if (!first) return std::nullopt; // As of nearly every message.
    const auto last = context.last(roots, all);
    const Key mine{"by", parts.id, parts.author};
    const auto is_mine = [&](const std::optional<Cell>& cell) {
        return cell && cell->encoded_key.starts_with(mine.encoded());
    };
    // Authors stand in order: if first and last are the author's, all are, and nobody needs to ask
    // who may edit.
    if (is_mine(first) && is_mine(last)) return last;
    const FactName anyone = anyone_may_edit_name();
    if (!context.has(Source::facts(anyone.collection), anyone.key))
        return context.last(roots, mine);
    const auto newest = context.last(roots, Key{"all", parts.id});
    if (!newest) return std::nullopt;
    return context.get(roots, Key::from_encoded(newest->value).value());
}

/// The root's content as the edit has it; nothing if one of them is no object.
std::optional<std::string> edited(std::string_view root, std::string_view edit, Extent extent) {
    const auto older = ObjectText::read(root);
    const auto newer = ObjectText::read(edit);
    if (!older || !newer) return std::nullopt;
    ObjectText shown;
    for (const ObjectText::Member& member : older->members()) {
        if (extent == Extent::members || stays_the_roots(member.name) || newer->find(member.name))
            shown.set(member.name, member.value);
    }
    for (const ObjectText::Member& member : newer->members()) {
        if (!stays_the_roots(member.name)) shown.set(member.name, member.value);
    }
    return shown.text();
}

void show_edits(Context& context, const Source& roots, const Message& message, Transformed& out) {
    const auto parts = parts_of(message);
    if (!parts || parts->content->type() != Value::Type::object || !is_message_id(parts->id))
        return;
    const auto newest = newest_edit(context, roots, *parts);
    if (!newest) return;
    ByteReader cell(newest->value);
    const auto extent = static_cast<Extent>(cell.le<std::uint8_t>());
    const std::string_view mark = cell.sized();
    if (const auto content = edited(content_text(message.body), cell.rest(), extent))
        out.set_body(changed_body(message.body, {*content, "edited", mark}));
}

} // namespace

FactName anyone_may_edit_name() {
    return {std::string(kSettingsCollection), Key{"anyone-may-edit"}};
}

Transform edit_links_transform() {
    return {"scuttlebutt.edit-links", 2, link_edits};
}

Transform edit_roots_transform(const Source& edit_links) {
    return {"scuttlebutt.edit-roots",
            2,
            [edit_links](Context& context, const Incoming& incoming, Transformed& out) {
                if (!may_be_edit(incoming.body())) return;
                file_edits(context, edit_links, message_of(incoming), out);
            },
            {edit_links}};
}

Transform edits_transform(const Source& edit_roots) {
    return {"scuttlebutt.edits",
            2,
            [edit_roots](Context& context, const Incoming& incoming, Transformed& out) {
                show_edits(context, edit_roots, message_of(incoming), out);
            },
            {edit_roots}};
}

} // namespace sluice::scuttlebutt
