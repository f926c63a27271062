// Folds: the values of a group, made into one answer by code of the application's own.
#pragma once
#include <sluice/seq.hpp>

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

/// What a fold's state can do decides where it is kept and what reading a group costs
/// (docs/design/views.md).
enum class FoldTier : std::uint8_t {
    steps,    ///< Only steps: reading a group visits each of its values.
    combines, ///< Combines with what follows it: kept with the rows, as long as they are in order.
    order_free, ///< Combines in any order: always kept with the rows.
};

/// The state of one group while its values are folded. One thread at a time.
///
/// Nothing here may throw or depend on anything but what was added. A state that throws makes its
/// group answer null.
class FoldState {
public:
    virtual ~FoldState() = default;
    /// One value of the group: the bytes that the function emitted, or the JSON text of the Value
    /// or number. In the order of seqs, and within a message as they were emitted; with order_free
    /// in any order.
    virtual void add(Seq seq, std::string_view value) = 0;
    virtual std::string to_json() const = 0; ///< The answer.

    // Asked unless the tier is `steps`.

    /// Adding values a, then combining with the state of b, must give the state of a, b: to the
    /// bit, so not with floating-point numbers. `later` is of the same type.
    virtual void combine(const FoldState& later) = 0;
    virtual std::string encoded() const = 0;
};

class Fold {
public:
    virtual ~Fold() = default;
    virtual FoldTier tier() const = 0;
    virtual std::unique_ptr<FoldState> begin() const = 0; ///< The state of no values.
    /// What encoded() gave; null pointer if `bytes` are none.
    virtual std::unique_ptr<FoldState> decode(std::string_view bytes) const = 0;
};

/// A type that can be a fold's state:
///     struct Longest {
///         std::string text;
///         void add(Seq, std::string_view value) { if (value.size() > text.size()) text = value; }
///         std::string to_json() const { return std::to_string(text.size()); }
///     };
template <typename State>
concept FoldSteps = std::default_initializable<State> &&
    requires(State& state, const State& done, Seq seq, std::string_view value) {
    state.add(seq, value);
    { done.to_json() } -> std::convertible_to<std::string>;
};

template <typename State>
concept FoldCombines = FoldSteps<State> &&
    requires(State& state, const State& other, std::string_view bytes) {
    state.combine(other);
    { other.encoded() } -> std::convertible_to<std::string>;
    { State::decode(bytes) } -> std::same_as<std::optional<State>>;
};

/// Order-free is what says so with `static constexpr bool kOrderFree = true`, and what has an
/// inverse, `remove(seq, value)`: who can take out any value at any time cannot depend on the
/// order. The inverse is not called: nothing is ever subtracted from what is kept
/// (docs/decisions/0009).
template <typename State>
concept FoldOrderFree = FoldCombines<State> &&(
    requires { requires State::kOrderFree; } ||
    requires(State & state, Seq seq, std::string_view value) { state.remove(seq, value); });

/// The fold of a type, in the best tier that it can do: `view.fold = fold_of<Longest>();`
template <FoldSteps State> std::shared_ptr<const Fold> fold_of() {
    class Box final : public FoldState {
    public:
        explicit Box(State state) : state_(std::move(state)) {}
        void add(Seq seq, std::string_view value) override { state_.add(seq, value); }
        std::string to_json() const override { return state_.to_json(); }
        void combine([[maybe_unused]] const FoldState& later) override {
            if constexpr (FoldCombines<State>)
                state_.combine(static_cast<const Box&>(later).state_);
        }
        std::string encoded() const override {
            if constexpr (FoldCombines<State>) return state_.encoded();
            return {};
        }

    private:
        State state_;
    };
    class TypedFold final : public Fold {
    public:
        FoldTier tier() const override {
            if constexpr (FoldOrderFree<State>) return FoldTier::order_free;
            if constexpr (FoldCombines<State>) return FoldTier::combines;
            return FoldTier::steps;
        }
        std::unique_ptr<FoldState> begin() const override { return std::make_unique<Box>(State{}); }
        std::unique_ptr<FoldState> decode([[maybe_unused]] std::string_view bytes) const override {
            if constexpr (FoldCombines<State>) {
                if (auto state = State::decode(bytes)) {
                    return std::make_unique<Box>(*std::move(state));
                }
            }
            return nullptr;
        }
    };
    return std::make_shared<const TypedFold>();
}

} // namespace sluice
