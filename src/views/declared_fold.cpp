// The folds that can be declared. They are written as an application would write its own.
#include "base/bytes.hpp"
#include "base/json_text.hpp"
#include "views/fold.hpp"
#include "views/json.hpp"
#include "views/key_format.hpp"
#include "views/value_json.hpp"

#include <map>
#include <set>

namespace sluice {
namespace {

/// Of the values the one with the lowest or the highest seq.
template <bool kIsLast> struct End {
    static constexpr bool kOrderFree = true;
    Seq seq;
    std::string json; ///< Empty: none yet.

    void add(Seq at, std::string_view value) {
        const bool is_better = kIsLast ? at >= seq : at < seq;
        if (json.empty() || is_better) {
            seq = at;
            json = value;
        }
    }
    void combine(const End& other) {
        if (!other.json.empty()) add(other.seq, other.json);
    }
    std::string to_json() const { return json; }
    std::string encoded() const {
        std::string bytes;
        append_varint(bytes, seq.value);
        return bytes + json;
    }
    static std::optional<End> decode(std::string_view bytes) {
        ByteReader reader(bytes);
        End end;
        end.seq = Seq{reader.varint()};
        end.json = reader.rest();
        if (!reader.ok() || end.json.empty()) return std::nullopt;
        return end;
    }
};

/// Every value once, in the order of keys. Values are encoded elements of keys.
struct Set {
    static constexpr bool kOrderFree = true;
    std::set<std::string, std::less<>> elements;

    void add(Seq, std::string_view value) {
        if (!elements.contains(value)) elements.emplace(value);
    }
    void combine(const Set& other) {
        elements.insert(other.elements.begin(), other.elements.end());
    }
    std::string to_json() const {
        std::string all;
        for (const std::string& each : elements) all += each;
        std::string json = "[";
        key_format::append_json(json, all);
        return json + ']';
    }
    std::string encoded() const {
        std::string bytes;
        for (const std::string& each : elements) append_sized(bytes, each);
        return bytes;
    }
    static std::optional<Set> decode(std::string_view bytes) {
        ByteReader reader(bytes);
        Set set;
        while (reader.ok() && !reader.rest().empty()) set.elements.emplace(reader.sized());
        if (!reader.ok()) return std::nullopt;
        return set;
    }
};

/// All values, the oldest first. Only steps: its state is as long as its values.
struct List {
    std::string json;

    void add(Seq, std::string_view value) {
        json += json.empty() ? '[' : ',';
        json += value;
    }
    std::string to_json() const { return json + ']'; }
};

/// Of objects each member as it was given last.
struct Merge {
    std::map<std::string, std::string, std::less<>> members; ///< JSON by name.

    void add(Seq, std::string_view value) {
        JsonParser parser;
        const Value* const object = parser.parse(value);
        if (object == nullptr) return;
        for (const auto& [name, member] : object->members()) {
            std::string& json = members[std::string(name)];
            json.clear();
            append_value_json(json, member);
        }
    }
    void combine(const Merge& later) {
        for (const auto& [name, json] : later.members) members[name] = json;
    }
    std::string to_json() const {
        std::string json = "{";
        for (const auto& [name, member] : members) {
            if (json.size() > 1) json += ',';
            append_json_string(json, name);
            json += ':' + member;
        }
        return json + '}';
    }
    std::string encoded() const { return to_json(); }
    static std::optional<Merge> decode(std::string_view bytes) {
        Merge merge;
        merge.add({}, bytes);
        return merge;
    }
};

} // namespace

std::shared_ptr<const Fold> declared_fold(DeclaredFold fold) {
    switch (fold) {
    case DeclaredFold::first: return fold_of<End<false>>();
    case DeclaredFold::last: return fold_of<End<true>>();
    case DeclaredFold::set: return fold_of<Set>();
    case DeclaredFold::list: return fold_of<List>();
    case DeclaredFold::merge: return fold_of<Merge>();
    }
    return nullptr;
}

bool append_folded_value(std::string& to, DeclaredFold fold, const Value& value) {
    if (fold == DeclaredFold::set) return key_format::append_value(to, value);
    if (fold == DeclaredFold::merge && value.type() != Value::Type::object) return false;
    append_value_json(to, value);
    return true;
}

} // namespace sluice
