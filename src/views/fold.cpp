#include "views/fold.hpp"

#include "base/bytes.hpp"
#include "base/memory.hpp"
#include "base/try.hpp"

#include <algorithm>
#include <utility>

namespace sluice {
namespace {

bool add_row_to(FoldState& state, std::string_view row_value) {
    ByteReader reader(row_value);
    const Seq seq{reader.varint()};
    return run_foreign([&] {
        while (reader.ok() && !reader.rest().empty()) {
            const std::string_view value = reader.sized();
            if (reader.ok()) state.add(seq, value);
        }
    });
}

/// How a partial begins.
enum class Mark : char {
    none = 0,   ///< No values.
    run = 1,    ///< Then the first and the last seq as varints, and the encoded state.
    mixed = 2,  ///< The values of several files in turn: only the rows say it.
    failed = 3, ///< The state threw.
};

/// One partial, taken apart.
struct Run {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::unique_ptr<FoldState> state;
};

class FoldAccumulator final : public Accumulator {
public:
    explicit FoldAccumulator(std::shared_ptr<const Fold> fold)
        : fold_(std::move(fold)), any_order_(fold_->tier() == FoldTier::order_free) {}

    void clear() override {
        mark_ = Mark::none;
        joined_ = {};
        open_ = {};
    }

    void add_value(std::string_view value) override {
        if (mark_ != Mark::none) return;
        const std::uint64_t seq = ByteReader(value).varint();
        if (open_.state && !any_order_ && seq <= open_.last) join(std::move(open_));
        if (!open_.state) {
            open_ = {seq, seq, nullptr};
            if (!run_foreign([&] { open_.state = fold_->begin(); })) return fail();
        }
        open_.first = std::min(open_.first, seq);
        open_.last = std::max(open_.last, seq);
        if (!add_row_to(*open_.state, value)) fail();
    }

    void add_partial(std::string_view partial) override {
        if (mark_ == Mark::failed || partial.empty()) return;
        const auto mark = static_cast<Mark>(partial.front());
        if (mark == Mark::failed || (mark == Mark::mixed && mark_ == Mark::none)) mark_ = mark;
        if (mark != Mark::run || mark_ != Mark::none) return;
        ByteReader reader(partial.substr(1));
        Run run;
        run.first = reader.varint();
        run.last = reader.varint();
        const bool is_read =
            reader.ok() && run_foreign([&] { run.state = fold_->decode(reader.rest()); });
        if (is_read && run.state) {
            join(std::move(run));
        } else {
            mark_ = Mark::mixed; // Not what this fold writes: the rows know better.
        }
    }

    std::string partial() const override {
        if (open_.state) join(std::move(open_));
        std::string bytes;
        if (mark_ == Mark::none && joined_.state) {
            bytes.push_back(static_cast<char>(Mark::run));
            append_varint(bytes, joined_.first);
            append_varint(bytes, joined_.last);
            if (run_foreign([&] { bytes += joined_.state->encoded(); })) return bytes;
            fail();
        }
        return std::string(1, static_cast<char>(mark_));
    }

private:
    void fail() const { mark_ = Mark::failed; }
    /// Combines with what was joined, in front or behind. What stands between the two may still
    /// come; then it overlaps with what they make together.
    void join(Run run) const {
        if (mark_ != Mark::none) return;
        if (!joined_.state) {
            joined_ = std::move(run);
            return;
        }
        if (!any_order_ && run.first <= joined_.last && joined_.first <= run.last) {
            mark_ = Mark::mixed;
            return;
        }
        if (run.last < joined_.first) std::swap(joined_, run);
        if (!run_foreign([&] { joined_.state->combine(*run.state); })) return fail();
        joined_.first = std::min(joined_.first, run.first);
        joined_.last = std::max(joined_.last, run.last);
    }

    std::shared_ptr<const Fold> fold_;
    bool any_order_;
    // Asking for the partial joins what is open; that changes nothing that can be seen.
    mutable Mark mark_ = Mark::none;
    mutable Run joined_; ///< Has a state if anything was joined.
    mutable Run open_;   ///< Rows that came in order.
};

class FoldReducer final : public Reducer {
public:
    explicit FoldReducer(std::shared_ptr<const Fold> fold) : fold_(std::move(fold)) {}
    std::unique_ptr<Accumulator> accumulator() const override {
        return std::make_unique<FoldAccumulator>(fold_);
    }

private:
    std::shared_ptr<const Fold> fold_;
};

} // namespace

void append_fold_value(std::string& row_value, Seq seq, std::string_view value) {
    if (row_value.empty()) append_varint(row_value, seq.value);
    append_sized(row_value, value);
}

std::shared_ptr<const Reducer> fold_reducer(std::shared_ptr<const Fold> fold) {
    if (fold == nullptr || fold->tier() == FoldTier::steps) return nullptr;
    return std::make_shared<FoldReducer>(std::move(fold));
}

PlainFold::PlainFold(const Fold& fold) {
    static_cast<void>(run_foreign([&] { state_ = fold.begin(); }));
}

void PlainFold::add_row(std::string_view row_value) {
    if (state_ && !add_row_to(*state_, row_value)) state_ = nullptr;
}

std::string PlainFold::to_json() const {
    std::string json = "null";
    if (state_ && !run_foreign([&] { json = state_->to_json(); })) json = "null";
    return json;
}

Result<std::string> fold_answer(const Fold& fold, std::string_view partial,
                                const std::function<std::unique_ptr<Cursor>()>& rows) {
    if (!partial.empty() && static_cast<Mark>(partial.front()) == Mark::failed) {
        return std::string("null");
    }
    if (!partial.empty() && static_cast<Mark>(partial.front()) == Mark::run) {
        ByteReader reader(partial.substr(1));
        reader.varint();
        reader.varint();
        std::string json;
        std::unique_ptr<FoldState> state;
        if (reader.ok() && run_foreign([&] { state = fold.decode(reader.rest()); }) && state) {
            return run_foreign([&] { json = state->to_json(); }) ? json : std::string("null");
        }
    }
    PlainFold plain(fold);
    const auto cursor = rows();
    while (cursor->next()) plain.add_row(cursor->value());
    SLUICE_TRY(cursor->status());
    return plain.to_json();
}

} // namespace sluice
