// The plain definition of a chain: each transform over all messages, one after the other, with
// cells in an ordered map and nothing remembered; then each view that reads in the same way. What
// Chain keeps right must equal what this computes.
#pragma once
#include "transform/chain.hpp"

#include <map>
#include <memory>

namespace sluice {

/// Keeps all cells in memory, and all bodies that are not as they were stored.
class PlainChain {
public:
    struct Message {
        Seq seq;
        std::string key;
        std::string body;
    };
    PlainChain(std::span<const Chain::Stage> transforms, const Facts& facts)
        : stages_(transforms), facts_(facts), made_(transforms.size()) {}

    /// All messages that are live, ascending.
    void run(const std::vector<Message>& messages);

    struct StageRows {
        RowBatch cells;
        RowBatch outputs;
    };
    /// What the store is to have of each stage.
    const std::vector<StageRows>& made() const { return made_; }
    /// None if no view sees the message.
    std::optional<std::string_view> body_of(Seq seq) const;

    /// A row of a view, for what reads it.
    void add_row(const std::string& view, std::string_view term, Seq seq) {
        rows_[view][{std::string(term), seq}];
    }
    /// A view that is read, also if it has no rows.
    void add_view(const std::string& view) { rows_[view]; }
    /// Answers from what was computed and added so far.
    std::unique_ptr<Context> answers() const;

private:
    class Answers;
    class Making;
    using Cells = std::map<std::pair<std::string, Seq>, std::string>;

    std::span<const Chain::Stage> stages_;
    const Facts& facts_;
    std::map<std::string, Cells> cells_; ///< By the name of the transform.
    std::map<std::string, Cells> rows_;  ///< By the name of the view.
    std::map<Seq, std::optional<std::string>> bodies_;
    std::vector<StageRows> made_;
};

} // namespace sluice
