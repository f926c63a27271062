// What code emits for one message, made into rows of its view.
#pragma once
#include "base/memory.hpp"
#include "views/compiled_view.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// What one message gives to the groups of one aggregate. The store keeps one value for a term in a
/// row, so several contributions to one group become one before they are emitted.
class Contributions {
public:
    void clear() {
        items_.clear();
        bytes_.clear();
    }
    void add(std::string_view group, const Tally& tally) {
        const std::size_t begin = bytes_.size();
        bytes_ += group;
        const std::size_t middle = bytes_.size();
        tally.append_to(bytes_);
        items_.push_back({begin, middle, bytes_.size()});
    }
    void emit_into(RowBatch& batch, const TallyShape& shape);

private:
    struct Item {
        std::size_t begin;
        std::size_t middle;
        std::size_t end;
    };
    std::string_view group(const Item& item) const {
        return std::string_view(bytes_).substr(item.begin, item.middle - item.begin);
    }
    std::string_view tally(const Item& item) const {
        return std::string_view(bytes_).substr(item.middle, item.end - item.middle);
    }

    std::string bytes_;
    std::vector<Item> items_;
};

/// What one message gives to the groups of one fold: all its values under a group are one row.
class FoldContributions {
public:
    void clear() { rows_.clear(); }
    void add(std::string_view group, Seq seq, std::string_view value) {
        append_fold_value(rows_[std::string(group)], seq, value);
    }
    void emit_into(RowBatch& batch) const {
        for (const auto& [group, value] : rows_) batch.emit(group, value);
    }

private:
    std::map<std::string, std::string> rows_;
};

/// The Emit of one call of one view function.
class RowEmit final : public Emit {
public:
    RowEmit(const View& view, Seq seq, RowBatch& batch, Contributions& contributions,
            FoldContributions& folded)
        : view_(view), seq_(seq), batch_(batch), contributions_(contributions), folded_(folded),
          tally_(view.shape) {}

    void operator()(const Key& key) override;
    void operator()(const Key& group, std::string_view value) override;
    void operator()(const Key& group, const Value& value) override;
    void operator()(const Key& group, std::int64_t value) override;
    void operator()(const Key& group, double value) override;

private:
    bool is_fold() const { return view_.definition.kind == ViewKind::fold; }
    void check_takes_values() const;
    void add_number(std::string_view json_number);
    void add_bounds(std::string_view element);
    void add(const Key& group);

    const View& view_;
    Seq seq_;
    RowBatch& batch_;
    Contributions& contributions_;
    FoldContributions& folded_;
    Tally tally_;
};

/// Runs code of applications. Not thread-safe.
class CodeRows {
public:
    /// Calls `code` with an Emit whose rows go to the row that `batch` has begun. False if it
    /// threw, whatever it was: then nothing is in the row.
    template <typename Code> bool emit(const View& view, Seq seq, RowBatch& batch, Code&& code) {
        contributions_.clear();
        folded_.clear();
        RowEmit emit(view, seq, batch, contributions_, folded_);
        // The one place where code of a view runs that is not ours: what it throws costs this
        // message's row of this view, and nothing else.
        if (!run_foreign([&] { code(emit); })) {
            batch.discard_row();
            return false;
        }
        if (kind_of(view) == ViewKind::aggregate) contributions_.emit_into(batch, view.shape);
        if (kind_of(view) == ViewKind::fold) folded_.emit_into(batch);
        return true;
    }

private:
    Contributions contributions_;
    FoldContributions folded_;
};

} // namespace sluice
