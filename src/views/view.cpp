#include "views/view.hpp"

#include "base/try.hpp"
#include "views/compiled_view.hpp"
#include "views/search_rows.hpp"

namespace sluice {

namespace {

/// Whether the tallies of a group can be told from the number of its rows: if a message counts at
/// most once in a group. With "each", or in a function, it can count more often.
bool rows_are_the_count(const Definition& definition, bool is_code) {
    return TallyShape(definition.members).is_only_count() && !definition.each && !is_code;
}

std::shared_ptr<const Reducer> reducer_for(const View& view) {
    switch (view.definition.kind) {
    case ViewKind::aggregate:
        if (rows_are_the_count(view.definition, view.is_code)) return nullptr;
        return std::make_shared<TallyReducer>(view.shape);
    case ViewKind::fold: return fold_reducer(view.fold);
    case ViewKind::search: return search_rows::length_reducer();
    case ViewKind::index:
    case ViewKind::links: return nullptr;
    }
    return nullptr;
}

std::shared_ptr<const View> make_view(View view) {
    view.reducer = reducer_for(view);
    return std::make_shared<const View>(std::move(view));
}

} // namespace

Result<std::shared_ptr<const View>> compile_view(std::string_view definition_json) {
    SLUICE_TRY_ASSIGN(Definition definition, parse_declared_definition(definition_json));
    View view{.definition = std::move(definition)};
    if (kind_of(view) == ViewKind::fold) view.fold = declared_fold(view.definition.fold.fold);
    return make_view(std::move(view));
}

Result<std::shared_ptr<const View>> compile_view(const CodeView& view) {
    if ((view.map == nullptr) == (view.map_reading == nullptr)) {
        return Error{Errc::invalid_argument,
                     "a view written as a function needs one: `map` or `map_reading`"};
    }
    SLUICE_TRY_ASSIGN(Definition definition, parse_code_definition(view.definition));
    if (definition.reads || (view.map != nullptr && !view.reads.empty())) {
        return Error{Errc::invalid_argument,
                     "which views a view reads is said by CodeView::reads, for `map_reading`"};
    }
    if (view.map_reading) {
        std::vector<std::string> names;
        for (const Source& source : view.reads) {
            if (source.kind() != Source::Kind::rows) {
                return Error{Errc::invalid_argument,
                             "CodeView::reads is for views; facts and cells need not be named"};
            }
            names.push_back(source.name());
        }
        definition = with_reads(std::move(definition), std::move(names));
    }
    if ((definition.kind == ViewKind::fold) != (view.fold != nullptr)) {
        return Error{Errc::invalid_argument,
                     "CodeView::fold is for a view of kind \"fold\", which needs it"};
    }
    return make_view({.definition = std::move(definition),
                      .is_code = true,
                      .function = view.map,
                      .before = view.before_map,
                      .reading = view.map_reading,
                      .fold = view.fold});
}

Result<std::shared_ptr<const View>> compile_unloaded_view(std::string_view definition_json) {
    SLUICE_TRY_ASSIGN(Definition definition, parse_code_definition(definition_json));
    return make_view({.definition = std::move(definition), .is_code = true});
}

ViewKind kind_of(const View& view) {
    return view.definition.kind;
}
bool can_map(const View& view) {
    return !view.is_code || view.function != nullptr;
}
const std::vector<std::string>* reads_of(const View& view) {
    return view.definition.reads ? &*view.definition.reads : nullptr;
}
bool is_loaded(const View& view) {
    return can_map(view) || view.reading != nullptr;
}
const std::string& canonical_definition(const View& view) {
    return view.definition.canonical;
}
std::shared_ptr<const Reducer> reducer_of(const View& view) {
    return view.reducer;
}

std::shared_ptr<const Fold> fold_of(const View& view) {
    return view.fold;
}
const std::vector<Pointer>& texts_of(const View& view) {
    return view.definition.search.text;
}
const std::string& language_of(const View& view) {
    return view.definition.search.language;
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
