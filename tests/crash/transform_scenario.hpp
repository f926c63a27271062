// A life of a database whose messages are read with facts and with each other: transforms and views
// that read come and go, and each step may fail anywhere.
#pragma once
#include "crash/judge.hpp"
#include "database/transform_test_support.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sluice::test {

class TransformScenario {
public:
    /// On an empty directory.
    explicit TransformScenario(std::unique_ptr<Directory> root);

    /// Tells all steps, or up to the first that fails.
    Result<void> tell();

    std::string step;                   ///< The one under way.
    std::unique_ptr<Database> database; ///< Null while it is closed.
    /// Held while the database is at work on a step, and at no other time.
    std::function<std::shared_ptr<void>()> meanwhile;

    /// Opens what a fault left, with all code. It must show what it showed before the step under
    /// way or what the step was to make of it, and what verify() computes; nothing that is gone may
    /// be anywhere; and it must go on from there.
    Verdict judge(const Place& place) const;

private:
    /// What a database shows that is opened behind a step, and what must be nowhere then.
    struct State {
        std::string shown;
        std::vector<std::string> gone;
    };
    /// Of a life in which nothing failed. The first is that before all steps.
    static const std::vector<State>& expected();

    template <typename Do>
    Result<void> perform(const std::string& name, Do act,
                         const std::vector<std::string>& gone = {});
    Result<void> reopen(const Options& options);
    /// One, as often as it takes to fill several parts.
    Result<void> append_sealed_edits();

    std::unique_ptr<Directory> root_;
    Runs runs_;
    Transforms code_;
    std::size_t steps_done_ = 0;
    std::function<void()> behind_step_;
    std::vector<std::string> gone_;
};

} // namespace sluice::test
