#include "transform/chain.hpp"

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/memory.hpp"
#include "base/try.hpp"

#include <algorithm>
#include <stdexcept>

namespace sluice {

std::vector<ViewId> Chain::Stage::views() const {
    return is_view ? std::vector{cells, reads()} : std::vector{cells, reads(), outputs()};
}

Chain::Chain(std::vector<Stage> stages) : stages_(std::move(stages)) {
    for (const Stage& stage : stages_) {
        if (stage.is_view) continue;
        SLUICE_ASSERT(&stage == &stages_[transforms_]);
        outputs_.push_back(stage.outputs());
        ++transforms_;
    }
    const auto is_reader = [&](ViewId id) {
        const auto all = readers();
        return std::any_of(all.begin(), all.end(),
                           [&](const Stage& each) { return each.cells == id; });
    };
    for (const Stage& stage : readers()) {
        for (const NamedView& each : stage.reads_of) {
            if (!is_reader(each.id) && !is_read(each.id)) read_.push_back(each.id);
        }
    }
}

bool Chain::is_loaded() const {
    const auto all = transforms();
    return std::all_of(all.begin(), all.end(),
                       [](const Stage& stage) { return stage.run != nullptr; });
}

bool Chain::is_read(ViewId view) const {
    return std::find(read_.begin(), read_.end(), view) != read_.end();
}

std::string Chain::signature() const {
    constexpr char kFormatVersion = 1; // Of tokens, outputs and worklists.
    std::string signature(1, kFormatVersion);
    for (const Stage& stage : transforms()) {
        append_le(signature, stage.cells.value);
        append_le(signature, stage.version);
    }
    return signature;
}

std::string Chain::signature_of_all() const {
    std::string all = signature();
    for (const Stage& stage : readers()) append_le(all, stage.cells.value);
    return all;
}

// Who is to be woken

void Chain::wake(std::size_t first_stage, const ReadTokens& source, const Ranges& ranges,
                 const StoreSnapshot& rows,
                 const std::function<void(std::size_t, Seq)>& woken) const {
    for (std::size_t reader = first_stage; reader < stages_.size(); ++reader) {
        const ViewId reads = stages_[reader].reads();
        const ScanRange all = source.all();
        const auto known = std::pair(reads.value, all.from);
        if (unread_.contains(known)) continue;
        if (!rows.scan(reads, all)->next()) {
            unread_.insert(known);
            continue;
        }
        for (const ScanRange& range : ranges) {
            const auto tokens = rows.scan(reads, range);
            while (tokens->next()) woken(reader, tokens->seq());
        }
    }
}

void Chain::wake_gone(std::size_t first_stage, ViewId view, Seq owner, const StoreSnapshot& rows,
                      Worklist& work) const {
    const ReadTokens source({view});
    wake(first_stage, source, source.made_wrong_by_gone(owner), rows,
         [&](std::size_t reader, Seq seq) { work.add(reader, seq); });
}

void Chain::wake_gone(std::size_t first_stage, Seq owner, const StoreSnapshot& rows,
                      Worklist& work) const {
    for (std::size_t i = first_stage; i < stages_.size(); ++i) {
        wake_gone(i + 1, stages_[i].cells, owner, rows, work);
    }
    for (const ViewId view : read_) wake_gone(transforms_, view, owner, rows, work);
}

SeqBitmap Chain::readers_of(ViewId view, const Stage& reader, const StoreSnapshot& rows) {
    SeqBitmap seqs;
    const auto tokens = rows.scan(reader.reads(), ReadTokens({view}).all());
    while (tokens->next()) seqs.insert(tokens->seq());
    return seqs;
}

Worklist Chain::plan(const Delta& delta, const World& world, const StoreSnapshot& rows) const {
    Worklist work(stages_.size());
    const auto add = [&](std::size_t reader, Seq seq) { work.add(reader, seq); };
    for (const auto& [id, was_there] : delta.facts) {
        const ReadTokens source({{}, id.collection});
        const bool is_there = world.facts->find(id) != nullptr;
        if (is_there) {
            wake(0, source, source.made_wrong_by_candidate(id.key), rows,
                 [&](std::size_t reader, Seq seq) { work.add_only_new(reader, seq); });
        }
        wake(0, source,
             was_there && is_there ? source.made_wrong_by_value(id.key)
                                   : source.made_wrong_by_presence(id.key),
             rows, add);
    }
    for (const Seq seq : delta.gone) wake_gone(0, seq, rows, work);
    for (const auto* const seqs : {&delta.fresh, &delta.again}) {
        for (const Seq seq : *seqs) {
            work.moved.insert(seq);
            if (transforms_ > 0) work.add(0, seq);
        }
    }
    return work;
}

void Chain::wake_readers(std::size_t first_stage, ViewId view, Seq owner,
                         const Draft::Emissions& before, const Draft::Emissions& after,
                         Worklist& work, const Draft& draft) const {
    if (first_stage == stages_.size() || (before.empty() && after.empty())) return;
    const ReadTokens source({view});
    const auto add = [&](const Ranges& ranges) {
        wake(first_stage, source, ranges, draft.below(),
             [&](std::size_t reader, Seq seq) { work.add(reader, seq); });
    };
    auto old = before.begin();
    auto now = after.begin();
    while (old != before.end() || now != after.end()) {
        if (now == after.end() || (old != before.end() && old->term < now->term)) {
            add(source.made_wrong_by_gone(owner, old++->term));
            continue;
        }
        if (old == before.end() || now->term < old->term) {
            add(source.made_wrong_by_presence(now->term));
            add(source.made_wrong_by_candidate(now->term));
        } else if (old++->value != now->value) {
            add(source.made_wrong_by_value(owner, now->term));
            add(source.made_wrong_by_candidate(now->term));
        }
        ++now;
    }
}

// One unit

/// The message as it comes in, and what the function makes of it.
class Chain::Unit final : public Incoming, public Transformed {
public:
    Unit(Seq seq, Stored message, JsonParser& parser)
        : seq_(seq), message_(message), parser_(parser) {}

    Seq seq() const override { return seq_; }
    std::string_view key() const override { return message_.key; }
    std::string_view body() const override { return message_.body; }
    const Value* json() const override {
        if (!parsed_) parsed_ = parser_.parse(message_.body);
        return *parsed_;
    }

    void set_body(std::string body) override {
        if (body.size() > kBodySizeBytesMax) throw std::length_error("a body of over 16 MiB");
        body_ = std::move(body);
    }
    void hide() override { is_hidden_ = true; }
    void emit(const Key& key, std::string_view value) override {
        cells_[key.encoded()] = std::string(value);
    }

    void fail() {
        has_failed_ = true;
        cells_.clear();
    }
    Draft::Emissions cells() const {
        Draft::Emissions row;
        for (const auto& [key, value] : cells_) row.push_back({key, value});
        return row;
    }
    Draft::Emissions output() const {
        static constexpr char kBody = static_cast<char>(Made::Kind::body);
        static constexpr char kHidden = static_cast<char>(Made::Kind::hidden);
        static constexpr char kFailed = static_cast<char>(Made::Kind::failed);
        if (has_failed_) return {{std::string_view(&kFailed, 1), {}}};
        if (is_hidden_) return {{std::string_view(&kHidden, 1), {}}};
        if (body_ && *body_ != message_.body) return {{std::string_view(&kBody, 1), *body_}};
        return {};
    }

private:
    Seq seq_;
    Stored message_;
    JsonParser& parser_;
    mutable std::optional<const Value*> parsed_;
    std::optional<std::string> body_;
    bool is_hidden_ = false;
    bool has_failed_ = false;
    std::map<std::string, std::string> cells_;
};

namespace {

bool equal(const Draft::Emissions& a, const Draft::Emissions& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const auto& one, const auto& other) {
                          return one.term == other.term && one.value == other.value;
                      });
}

} // namespace

Draft::Emissions emissions_of(const RowBatch& row) {
    Draft::Emissions emissions;
    if (row.empty()) return emissions;
    const RowBatch::Row& last = row.rows().back();
    for (std::size_t i = 0; i < last.emission_count; ++i) {
        emissions.push_back(row.emission(last.first_emission + i));
    }
    std::stable_sort(emissions.begin(), emissions.end(),
                     [](const auto& a, const auto& b) { return a.term < b.term; });
    emissions.erase(std::unique(emissions.begin(), emissions.end(),
                                [](const auto& a, const auto& b) { return a.term == b.term; }),
                    emissions.end());
    return emissions;
}

ViewId Chain::find_source(std::size_t at, const Source& source) const {
    if (source.kind() == Source::Kind::cells) {
        for (const Stage& stage : transforms().first(std::min(at, transforms_))) {
            if (stage.name == source.name()) return stage.cells;
        }
        throw std::logic_error("a function reads cells of a transform that is not before it");
    }
    for (const NamedView& each : stages_[at].reads_of) {
        if (each.name == source.name()) return each.id;
    }
    throw std::logic_error("a function reads rows of a view that it was not registered to read");
}

void Chain::set_reads(const Stage& stage, Seq seq, const Draft::Emissions& reads,
                      Draft& draft) const {
    if (equal(draft.row(stage.reads(), seq), reads)) return;
    for (auto each = unread_.lower_bound({stage.reads().value, {}});
         each != unread_.end() && each->first == stage.reads().value;) {
        const bool is_read = std::any_of(reads.begin(), reads.end(), [&](const auto& token) {
            return token.term.starts_with(each->second);
        });
        each = is_read ? unread_.erase(each) : std::next(each);
    }
    draft.set_row(stage.reads(), seq, reads);
}

bool Chain::set_row(std::size_t first_stage, ViewId view, Seq seq,
                    const Draft::Emissions& emissions, Worklist& work, Draft& draft) const {
    const Draft::Emissions before = draft.row(view, seq);
    if (equal(before, emissions) && draft.is_whole(view)) return false;
    wake_readers(first_stage, view, seq, before, emissions, work, draft);
    draft.set_row(view, seq, emissions);
    return true;
}

Chain::Changes Chain::run_unit(std::size_t at, Seq seq, Worklist& work,
                               std::span<const FactId> new_facts, const World& world,
                               Draft& draft) {
    const Stage& stage = stages_[at];
    const Made given = made_of(seq, draft, outputs().first(std::min(at, transforms_)));
    auto message = given.is_shown() ? world.stored(seq) : std::nullopt;
    if (message && given.kind == Made::Kind::body) message->body = given.body;

    TrackedContext context(
        {world.facts, &draft, [&](const Source& source) { return find_source(at, source); }});
    Unit unit(seq, message.value_or(Stored{}), parser_);
    RowBatch row;
    if (message) {
        if (work.only_new[at].contains(seq)) {
            TrackedContext::OnlyNew only_new{new_facts, {}};
            for (const auto& token : draft.row(stage.reads(), seq)) {
                only_new.tokens.emplace(token.term);
            }
            context.set_only_new(std::move(only_new));
        }
        // Code that is not ours: whatever it throws costs this message, until what it read changes.
        const bool is_run = run_foreign([&] {
            if (stage.is_view) {
                row.begin_row(seq);
                stage.map(context, unit, row);
            } else {
                stage.run(context, unit, unit);
            }
        });
        if (!is_run) unit.fail();
    }

    Draft::Emissions reads;
    for (const std::string& token : context.tokens()) reads.push_back({token, {}});
    set_reads(stage, seq, reads, draft);
    Changes changes;
    changes.cells = set_row(at + 1, stage.cells, seq,
                            stage.is_view ? emissions_of(row) : unit.cells(), work, draft);
    if (stage.is_view) return changes;
    const Draft::Emissions output = unit.output();
    if (equal(draft.row(stage.outputs(), seq), output)) {
        changes.output = output.empty() && work.moved.contains(seq);
    } else {
        draft.set_row(stage.outputs(), seq, output);
        changes.output = true;
    }
    return changes;
}

/// Without the code, a row that rests on something else by now must go.
Chain::Changes Chain::retract_unit(std::size_t at, Seq seq, Worklist& work, Draft& draft) const {
    set_reads(stages_[at], seq, {}, draft);
    return {.cells = set_row(at + 1, stages_[at].cells, seq, {}, work, draft), .output = false};
}

// All units

namespace {

std::vector<FactId> ids_of(const std::vector<Delta::FactChange>& changes) {
    std::vector<FactId> ids;
    ids.reserve(changes.size());
    for (const auto& change : changes) ids.push_back(change.id);
    return ids;
}

} // namespace

/// Who looks at nothing is told of a message in the same way as who only maps: by `moved`.
void Chain::hand_to_readers(Worklist& work) const {
    for (std::size_t i = transforms_; i < stages_.size(); ++i) {
        for_each(work.moved, [&](Seq seq) { work.add(i, seq); });
    }
}

Result<void> Chain::run_transforms(Worklist& work, const Run& run) {
    const std::vector<FactId> new_facts = ids_of(run.delta->facts);
    while (work.stage < transforms_) {
        SeqBitmap& dirty = work.dirty[work.stage];
        for (Seq seq = dirty.next_from({1}); seq != SeqBitmap::kNone;
             seq = dirty.next_from(seq.next())) {
            if (!run.gone->deleted.contains(seq) &&
                run_unit(work.stage, seq, work, new_facts, *run.world, *run.draft).output) {
                work.moved_out.insert(seq);
            }
            dirty.remove(seq);
            if (run.draft->row_count() >= run.draft_rows_max) SLUICE_TRY(run.save());
        }
        work.next_stage();
    }
    hand_to_readers(work);
    return {};
}

Result<void> Chain::run_readers(Worklist& work, const Run& run) {
    const std::vector<FactId> new_facts = ids_of(run.delta->facts);
    for (; work.stage < stages_.size(); ++work.stage) {
        const Stage& stage = stages_[work.stage];
        SeqBitmap& dirty = work.dirty[work.stage];
        for (Seq seq = dirty.next_from({1}); seq != SeqBitmap::kNone;
             seq = dirty.next_from(seq.next())) {
            if (!run.gone->deleted.contains(seq)) {
                const Changes changes =
                    stage.map != nullptr
                        ? run_unit(work.stage, seq, work, new_facts, *run.world, *run.draft)
                        : retract_unit(work.stage, seq, work, *run.draft);
                run.settled(stage, seq, changes.cells);
            }
            dirty.remove(seq);
            if (run.draft->row_count() >= run.draft_rows_max) SLUICE_TRY(run.save());
        }
    }
    return {};
}

SeqBitmap Chain::retract(const Worklist& planned, Draft& draft) const {
    Worklist work = planned;
    SeqBitmap retracted;
    for (; work.stage < stages_.size(); ++work.stage) {
        for_each(work.dirty[work.stage], [&](Seq seq) {
            retracted.insert(seq);
            wake_gone(work.stage, seq, draft.below(), work);
            for (std::size_t i = work.stage; i < stages_.size(); ++i) {
                for (const ViewId view : stages_[i].views()) {
                    draft.take_away(view, seq);
                }
            }
            for (const ViewId view : read_) draft.take_away(view, seq);
        });
    }
    return retracted;
}

void Chain::forget(Seq seq, Draft& draft) const {
    for (const Stage& stage : stages_) {
        for (const ViewId view : stage.views()) draft.take_away(view, seq);
    }
    for (const ViewId view : read_) draft.take_away(view, seq);
}

} // namespace sluice
