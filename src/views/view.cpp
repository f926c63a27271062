#include "views/view.hpp"

#include "base/try.hpp"
#include "views/compiled_view.hpp"

namespace sluice {

namespace {

/// Whether the tallies of a group can be told from the number of its rows: if a message counts at
/// most once in a group. With "each", or in a function, it can count more often.
bool rows_are_the_count(const Definition& definition, bool is_code) {
    return TallyShape(definition.members).is_only_count() && !definition.each && !is_code;
}

std::shared_ptr<const View> make_view(Definition definition, bool is_code, ViewFunction function) {
    std::shared_ptr<const Reducer> reducer;
    if (definition.kind == ViewKind::aggregate && !rows_are_the_count(definition, is_code)) {
        reducer = std::make_shared<TallyReducer>(TallyShape(definition.members));
    }
    TallyShape shape(definition.members);
    return std::make_shared<const View>(View{std::move(definition), is_code, std::move(function),
                                             std::move(shape), std::move(reducer)});
}

} // namespace

Result<std::shared_ptr<const View>> compile_view(std::string_view definition_json) {
    SLUICE_TRY_ASSIGN(Definition definition, parse_declared_definition(definition_json));
    return make_view(std::move(definition), /*is_code=*/false, nullptr);
}

Result<std::shared_ptr<const View>> compile_view(const CodeView& view) {
    if (!view.map) return Error{Errc::invalid_argument, "a view written as a function needs one"};
    SLUICE_TRY_ASSIGN(Definition definition, parse_code_definition(view.definition));
    return make_view(std::move(definition), /*is_code=*/true, view.map);
}

Result<std::shared_ptr<const View>> compile_unloaded_view(std::string_view definition_json) {
    SLUICE_TRY_ASSIGN(Definition definition, parse_code_definition(definition_json));
    return make_view(std::move(definition), /*is_code=*/true, nullptr);
}

ViewKind kind_of(const View& view) {
    return view.definition.kind;
}
bool can_map(const View& view) {
    return !view.is_code || view.function != nullptr;
}
const std::string& canonical_definition(const View& view) {
    return view.definition.canonical;
}
std::shared_ptr<const Reducer> reducer_of(const View& view) {
    return view.reducer;
}

std::string aggregate_to_json(const View& view, std::uint64_t row_count, std::string_view partial) {
    Tally tally(view.shape);
    if (view.reducer) {
        tally.add_encoded(partial);
    } else {
        tally.add_times(row_count);
    }
    return tally.to_json();
}

} // namespace sluice
