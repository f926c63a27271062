// JSON objects changed as text, so that what is not changed keeps its bytes: numbers their digits,
// strings their escapes.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::scuttlebutt {

/// The members of one JSON object, each with the text of its value. Borrows all texts: they must
/// outlive it. Values are found and not looked into.
///
/// Of a text that is no JSON it reads something or nothing, within its bounds, and in the time that
/// sorting its names takes.
class ObjectText {
public:
    struct Member {
        std::string name;       ///< Unescaped.
        std::string_view value; ///< JSON text without white space around it.
    };

    /// Of a name that comes twice the last value counts, at the first one's place, as in
    /// JavaScript. Nothing when `text` is no object.
    static std::optional<ObjectText> read(std::string_view text);

    const std::vector<Member>& members() const { return members_; }
    std::optional<std::string_view> find(std::string_view name) const;
    /// Replaces the value, or adds the member at the end. `value` must be JSON.
    void set(std::string_view name, std::string_view value);
    /// The object, without white space between its members.
    std::string text() const;

private:
    std::vector<Member> members_;
    std::map<std::string, std::size_t> places_; // No hash table: names are chosen by others.
};

/// The value of a member as JSON text, as ObjectText::find() gives it, and cheaper for one.
std::optional<std::string_view> member_text(std::string_view object, std::string_view name);

} // namespace sluice::scuttlebutt
