// A life of a database in a few dozen steps, each of which the power, the disk or the memory may
// fail in.
#pragma once
#include "crash/judge.hpp"
#include "io/file.hpp"
#include "model/step.hpp"

#include <functional>
#include <memory>
#include <string>

namespace sluice::test {

class Scenario {
public:
    /// On an empty directory.
    explicit Scenario(std::unique_ptr<Directory> root);

    /// Tells all steps, or up to the first that fails.
    Result<void> tell();

    // Around the step under way: before it, and what it promises to leave.
    std::string step;
    Model before;
    Model after;
    std::unique_ptr<Database> database; ///< Null while it is closed.

    /// Held while the database is at work on a step, and at no other time.
    std::function<std::shared_ptr<void>()> meanwhile;

    static Options options();
    /// Holds what a fault left against the model.
    Verdict judge(const Place& place) const;

private:
    Result<void> perform(const Step& next);
    Result<void> append(std::size_t count);
    Result<void> append_batch(std::size_t count);
    Result<void> import(std::size_t count);
    Result<void> replace(Seq seq, const std::string& text);
    Result<void> reopen();

    std::string next_text();
    std::vector<steps::Draft> new_messages(std::size_t count);

    std::unique_ptr<Directory> root_;
    std::uint64_t message_count_ = 0;
};

} // namespace sluice::test
