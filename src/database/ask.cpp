// Asking views more than to be read: links, walks, searches.
#include "base/json.hpp"
#include "base/try.hpp"
#include "database/impl.hpp"
#include "views/link_rows.hpp"
#include "views/search_rows.hpp"
#include "views/text_search.hpp"

namespace sluice {
namespace {

/// Errors: not_found; invalid_argument (another kind).
Result<OpenView> view_of_kind(const ViewSet& views, std::string_view name, ViewKind kind) {
    SLUICE_TRY_ASSIGN(const OpenView* const found, known_view(views, name));
    if (kind_of(*found->view) != kind) {
        return Error{Errc::invalid_argument, "view " + std::string(name) + " is of kind " +
                                                 std::string(name_of(kind_of(*found->view))) +
                                                 ", not " + std::string(name_of(kind))};
    }
    note_read(*found);
    return *found;
}

/// What a search view looks into, in one message. Valid as long as `root`.
std::vector<std::string_view> texts_in(const Value& root, const View& view) {
    std::vector<std::string_view> texts;
    for (const Pointer& pointer : texts_of(view)) {
        const Value* const found = pointer.find(root);
        if (found == nullptr) continue;
        search_rows::for_each_text(*found, [&](std::string_view text) { texts.push_back(text); });
    }
    return texts;
}

} // namespace

Result<std::vector<Link>> Snapshot::links(std::string_view view, const LinkQuery& query) const {
    SLUICE_TRY(impl_->check());
    SLUICE_TRY_ASSIGN(const OpenView found, view_of_kind(*impl_->views, view, ViewKind::links));
    return link_rows::read(*impl_->rows, found.entry.id, query);
}

Result<Walk> Snapshot::walk(std::string_view view, const WalkQuery& query) const {
    SLUICE_TRY(impl_->check());
    SLUICE_TRY_ASSIGN(const OpenView found, view_of_kind(*impl_->views, view, ViewKind::links));
    return link_rows::walk(*impl_->rows, found.entry.id, query);
}

Result<SearchAnswer> Snapshot::search(std::string_view view, const SearchQuery& query) const {
    SLUICE_TRY(impl_->check());
    SLUICE_TRY_ASSIGN(const OpenView found, view_of_kind(*impl_->views, view, ViewKind::search));
    WordForms forms(language_of(*found.view));
    SLUICE_TRY_ASSIGN(const std::vector<Phrase> phrases, parse_text_query(query.text, forms));
    SLUICE_TRY_ASSIGN(SearchAnswer answer, search_text(*impl_->rows, found.entry.id,
                                                       forms.has_stems(), phrases, query.limit));
    if (query.snippet_bytes_max == 0) return answer;
    JsonParser parser;
    for (SearchHit& hit : answer.hits) {
        // The message as every reader sees it, and nothing of it kept in the index.
        const auto message = impl_->seen(hit.seq);
        if (!message) return message.error();
        const Value* const root = parser.parse(message->body);
        if (root == nullptr) continue; // Erased since this snapshot was taken.
        add_snippet(hit, texts_in(*root, *found.view), phrases, forms, query.snippet_bytes_max);
    }
    return answer;
}

} // namespace sluice
