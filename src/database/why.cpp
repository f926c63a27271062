// Why a message is seen as it is: the rows that it gave, and what was read for them, told to
// people.
#include "base/bytes.hpp"
#include "base/try.hpp"
#include "database/impl.hpp"

#include <algorithm>

namespace sluice {
namespace {

std::string key_text(std::string_view encoded) {
    const auto key = Key::from_encoded(encoded);
    return key ? key->to_json() : "(not a key)";
}

std::string_view made_name(Made::Kind kind) {
    switch (kind) {
    case Made::Kind::unchanged: return "unchanged";
    case Made::Kind::body: return "body";
    case Made::Kind::hidden: return "hidden";
    case Made::Kind::failed: return "failed";
    }
    return "unknown";
}

std::string_view name_of(Read kind) {
    switch (kind) {
    case Read::exact: return "get";
    case Read::presence:
    case Read::seen_there: return "has";
    case Read::prefix: return "prefix";
    case Read::first: return "first";
    case Read::last: return "last";
    case Read::any: return "find any";
    case Read::seen: return "get";
    }
    return "unknown";
}

} // namespace

Result<Explanation> Database::why(Seq seq) const {
    const std::lock_guard lock(impl_->write_mutex);
    const auto shown = impl_->snapshot();
    const StoreSnapshot& rows = *shown->rows;
    Explanation why;
    SLUICE_TRY_ASSIGN(why.record, shown->seen(seq));
    if (why.record.state != Record::State::live) return why;
    for (const Chain::Stage& stage : impl_->chain.stages()) {
        for (const ViewId each : stage.views()) SLUICE_TRY(rows.status(each));
    }

    const auto source_name = [&](const ReadDescription& read) {
        if (read.view == ViewId{}) return "facts " + read.collection;
        for (const Chain::Stage& stage : impl_->chain.transforms()) {
            if (stage.cells == read.view) return "cells " + stage.name;
        }
        for (const auto& [name, each] : *shown->views) {
            if (each.entry.id == read.view) return "rows " + name;
        }
        return std::string("cells");
    };
    const auto is_found = [&](const ReadDescription& read) {
        if (read.kind == Read::any) return false;
        if (read.view == ViewId{} && (read.kind == Read::exact || read.kind == Read::presence)) {
            return impl_->facts.find({read.collection, read.key}) != nullptr;
        }
        // Of cells: one that was found is named by its owner.
        if (read.kind == Read::presence) return false;
        return read.found;
    };
    const auto looks_of = [&](const Chain::Stage& stage) {
        std::vector<Explanation::Look> looks;
        const auto tokens = rows.row(stage.reads(), seq);
        for (const auto& token : tokens) {
            const auto read = describe_read(token.term);
            if (!read) continue;
            // A cell that was found by its owner says it better than the key that was asked for.
            const bool found = is_found(*read);
            const std::string key = key_text(read->key);
            if (read->view != ViewId{} && read->kind == Read::exact) {
                const ScanRange seen = ReadTokens({read->view}).all(Read::seen);
                const bool is_told =
                    std::any_of(tokens.begin(), tokens.end(), [&](const RowBatch::Emission& other) {
                        const auto each = describe_read(other.term);
                        return each && other.term.starts_with(seen.from) && each->key == read->key;
                    });
                if (is_told) continue;
                looks.push_back({source_name(*read), "get", key, false, {}});
                continue;
            }
            looks.push_back(
                {source_name(*read), std::string(name_of(read->kind)), key, found, read->owner});
        }
        return looks;
    };
    for (const Chain::Stage& stage : impl_->chain.transforms()) {
        Explanation::Step step{stage.name, {}, looks_of(stage), {}};
        const auto output = rows.row(stage.outputs(), seq);
        step.made =
            made_name(output.empty() ? Made::Kind::unchanged
                                     : static_cast<Made::Kind>(output.front().term.front()));
        for (const auto& cell : rows.row(stage.cells, seq))
            step.cells.push_back(key_text(cell.term));
        why.steps.push_back(std::move(step));
    }
    const auto readers = impl_->chain.readers();
    for (const auto& [name, each] : *shown->views) {
        if (is_engines_own(name)) continue;
        Explanation::Rows given{name,
                                std::string(name_of(kind_of(*each.view))),
                                rows.since(each.entry.id) < rows.position(),
                                {},
                                {}};
        for (const auto& emission : rows.row(each.entry.id, seq)) {
            given.keys.push_back(key_text(emission.term));
        }
        for (const Chain::Stage& reader : readers) {
            if (reader.cells == each.entry.id) given.looks = looks_of(reader);
        }
        if (!given.keys.empty() || !given.looks.empty()) why.views.push_back(std::move(given));
    }
    for (const auto& note : rows.row(kRederived, seq)) {
        const bool is_by_views = note.term.starts_with(kRederivedByViews);
        const Seq by{get_be(note.term.substr(is_by_views ? kRederivedByViews.size() : 0))};
        why.rederived_by = std::max(why.rederived_by, by);
    }
    return why;
}

} // namespace sluice
