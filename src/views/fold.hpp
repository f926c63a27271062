// What a fold keeps for a group, and how it answers. docs/format/fold.md has the bytes.
//
// The rows hold the values. A fold that combines also has partials in the store, which folds the
// rows of a file into one state and the states of several files into one, and gives them in no
// order. A partial therefore says from which seq to which its values are. Partials that do not
// overlap are combined in order; where they do, because a message was mapped again and its row is
// in a later file, the partial is `mixed`, and the group is read value by value.
#pragma once
#include "store/store.hpp"
#include "views/definition.hpp"

#include <sluice/fold.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace sluice {

/// The value of a row: the seq, and all values that one message gives to one group.
void append_fold_value(std::string& row_value, Seq seq, std::string_view value);

std::shared_ptr<const Fold> declared_fold(DeclaredFold fold);
/// What a declared fold keeps of a value; false if the fold takes no such value.
bool append_folded_value(std::string& to, DeclaredFold fold, const Value& value);

/// Null pointer for a fold that only steps.
std::shared_ptr<const Reducer> fold_reducer(std::shared_ptr<const Fold> fold);

/// The answer of a group: from its partial, or from its rows if that does not say it.
/// Errors: corrupt.
Result<std::string> fold_answer(const Fold& fold, std::string_view partial,
                                const std::function<std::unique_ptr<Cursor>()>& rows);
/// The plain definition: one state, all values in the order of their rows.
class PlainFold {
public:
    explicit PlainFold(const Fold& fold);
    void add_row(std::string_view row_value);
    std::string to_json() const;

private:
    std::unique_ptr<FoldState> state_; ///< Null pointer once it has thrown.
};

} // namespace sluice
