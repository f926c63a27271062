#include "transform/chain.hpp"

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/memory.hpp"
#include "base/try.hpp"

#include <algorithm>
#include <stdexcept>

namespace sluice {

Chain::Chain(std::vector<Stage> stages) : stages_(std::move(stages)) {
    for (const Stage& stage : stages_) outputs_.push_back(stage.outputs());
}

bool Chain::is_loaded() const {
    return std::all_of(stages_.begin(), stages_.end(),
                       [](const Stage& stage) { return stage.run != nullptr; });
}

std::string Chain::signature() const {
    constexpr char kFormatVersion = 1; // Of tokens, outputs and worklists.
    std::string signature(1, kFormatVersion);
    for (const Stage& stage : stages_) {
        append_le(signature, stage.cells.value);
        append_le(signature, stage.version);
    }
    return signature;
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

void Chain::wake_gone(std::size_t stage, Seq owner, const StoreSnapshot& rows,
                      Worklist& work) const {
    const ReadTokens source({stages_[stage].cells});
    wake(stage + 1, source, source.made_wrong_by_gone(owner), rows,
         [&](std::size_t reader, Seq seq) { work.add(reader, seq); });
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
    for (const Seq seq : delta.gone) {
        for (std::size_t i = 0; i < stages_.size(); ++i) wake_gone(i, seq, rows, work);
    }
    for (const auto* const seqs : {&delta.fresh, &delta.again}) {
        for (const Seq seq : *seqs) {
            work.moved.insert(seq);
            if (!stages_.empty()) work.add(0, seq);
        }
    }
    return work;
}

void Chain::wake_readers(std::size_t stage, Seq owner, const Draft::Emissions& before,
                         const Draft::Emissions& after, Worklist& work, const Draft& draft) {
    if (stage + 1 == stages_.size() || (before.empty() && after.empty())) return;
    const ReadTokens source({stages_[stage].cells});
    const auto add = [&](const Ranges& ranges) {
        wake(stage + 1, source, ranges, draft.below(),
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

/// Whether later stages are given something else of the message now.
bool Chain::run_unit(std::size_t at, Seq seq, Worklist& work, std::span<const FactId> new_facts,
                     const World& world, Draft& draft) {
    const Stage& stage = stages_[at];
    const Made given = made_of(seq, draft, outputs().first(at));
    auto message = given.is_shown() ? world.stored(seq) : std::nullopt;
    if (message && given.kind == Made::Kind::body) message->body = given.body;

    TrackedContext context({world.facts, &draft, [&](const Source& source) {
                                for (std::size_t i = 0; i < at; ++i) {
                                    const bool is_it = source.kind() == Source::Kind::cells &&
                                                       source.name() == stages_[i].name;
                                    if (is_it) return stages_[i].cells;
                                }
                                throw std::logic_error("a transform reads what is not before it");
                            }});
    Unit unit(seq, message.value_or(Stored{}), parser_);
    const Draft::Emissions old_reads = draft.row(stage.reads(), seq);
    if (message) {
        if (work.only_new[at].contains(seq)) {
            TrackedContext::OnlyNew only_new{new_facts, {}};
            for (const auto& token : old_reads) only_new.tokens.emplace(token.term);
            context.set_only_new(std::move(only_new));
        }
        // Code that is not ours: whatever it throws costs this message, until what it read changes.
        if (!run_foreign([&] { stage.run(context, unit, unit); })) unit.fail();
    }

    Draft::Emissions reads;
    for (const std::string& token : context.tokens()) reads.push_back({token, {}});
    if (!equal(old_reads, reads)) {
        for (auto each = unread_.lower_bound({stage.reads().value, {}});
             each != unread_.end() && each->first == stage.reads().value;) {
            const bool is_read = std::any_of(reads.begin(), reads.end(), [&](const auto& token) {
                return token.term.starts_with(each->second);
            });
            each = is_read ? unread_.erase(each) : std::next(each);
        }
        draft.set_row(stage.reads(), seq, reads);
    }
    const Draft::Emissions old_cells = draft.row(stage.cells, seq);
    const Draft::Emissions cells = unit.cells();
    if (!equal(old_cells, cells)) {
        wake_readers(at, seq, old_cells, cells, work, draft);
        draft.set_row(stage.cells, seq, cells);
    }
    const Draft::Emissions old_output = draft.row(stage.outputs(), seq);
    const Draft::Emissions output = unit.output();
    if (equal(old_output, output)) return output.empty() && work.moved.contains(seq);
    draft.set_row(stage.outputs(), seq, output);
    return true;
}

Result<void> Chain::run(Worklist& work, const Delta& delta, const World& world, Draft& draft,
                        const Gone& gone, std::size_t draft_rows_max,
                        const std::function<Result<void>()>& save) {
    std::vector<FactId> new_facts;
    for (const auto& change : delta.facts) new_facts.push_back(change.id);
    while (work.stage < stages_.size()) {
        SeqBitmap& dirty = work.dirty[work.stage];
        for (Seq seq = dirty.next_from({1}); seq != SeqBitmap::kNone;
             seq = dirty.next_from(seq.next())) {
            if (!gone.deleted.contains(seq) &&
                run_unit(work.stage, seq, work, new_facts, world, draft)) {
                work.moved_out.insert(seq);
            }
            dirty.remove(seq);
            if (draft.row_count() >= draft_rows_max) SLUICE_TRY(save());
        }
        work.next_stage();
    }
    return {};
}

SeqBitmap Chain::retract(const Worklist& planned, Draft& draft) const {
    Worklist work = planned;
    SeqBitmap retracted;
    for (; work.stage < stages_.size(); ++work.stage) {
        for_each(work.dirty[work.stage], [&](Seq seq) {
            retracted.insert(seq);
            for (std::size_t i = work.stage; i < stages_.size(); ++i) {
                wake_gone(i, seq, draft.below(), work);
                for (const ViewId view : stages_[i].views()) {
                    if (!draft.row(view, seq).empty()) draft.set_row(view, seq, {});
                }
            }
        });
    }
    return retracted;
}

} // namespace sluice
