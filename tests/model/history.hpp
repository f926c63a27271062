// A history: operations as numbers, so that any part of one is a history too.
#pragma once
#include "model/model.hpp"
#include "support/simulated_disk.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sluice::test {

enum class Act : std::uint8_t {
    append,
    append_batch,
    offer,
    remove,
    restore,
    rederive,
    replace,
    erase,
    hold,
    release,
    add_view,
    drop_view,
    reopen,
    crash,
    merge,
    flush,
    pin,   ///< Take a snapshot and keep it.
    unpin, ///< Look whether it still shows the same, and let it go.
    put_fact,
    drop_fact,
    erase_fact,
};
std::string_view name_of(Act act);

struct Operation {
    Act act = Act::append;
    std::uint64_t choice = 0; ///< What the act makes of it depends on what there is to choose from.
};
using History = std::vector<Operation>;

History make_history(std::uint64_t seed, std::size_t length);
/// As C++ that can be pasted into a test.
std::string text_of(std::uint64_t seed, const History& history);

/// Lives a history on a database and on the model at once.
class Life {
public:
    /// The seed decides about the sizes of files and the durability.
    explicit Life(std::uint64_t seed);
    ~Life();

    /// Empty, or what differs between database and model after the operation.
    std::string live(const Operation& operation);
    /// Empty, or what is wrong at the end: the views are thrown away and have to come back.
    std::string end();

private:
    struct Pinned;

    void open();
    void close();
    std::string perform(const Operation& operation);
    std::string append(std::uint64_t choice);
    std::string append_batch(std::uint64_t choice);
    std::string offer(std::uint64_t choice);
    std::string change(Act act, std::uint64_t choice);
    std::string replace(std::uint64_t choice);
    std::string erase(std::uint64_t choice);
    std::string put_fact(std::uint64_t choice);
    std::string drop_fact(std::uint64_t choice);
    std::string erase_fact(std::uint64_t choice);
    std::string add_view(std::uint64_t choice);
    std::string drop_view(std::uint64_t choice);
    std::string crash(std::uint64_t choice);
    std::string check_pinned() const;
    std::string check_reader();
    std::string search_needles() const;
    Content new_content(std::uint64_t choice);
    std::string key_of(std::uint64_t choice) const;
    /// Some messages, and a way to say which.
    struct Chosen {
        Selector selector;
        std::vector<Seq> seqs;
    };
    Chosen choose(std::uint64_t choice, bool deleted_too) const;
    void remember();

    Options options_;
    SimulatedDisk disk_;
    std::unique_ptr<Directory> root_;
    std::unique_ptr<Database> database_;
    Model model_;
    /// With less than Durability::every_commit: the model at every seq that a crash may lead to.
    std::map<Seq, Model> moments_;
    Seq durable_;
    std::uint64_t text_count_ = 0;
    std::unique_ptr<Pinned> pinned_;
    /// Reads beside it, in the life of every third seed, and follows after each operation.
    bool has_reader_ = false;
    std::unique_ptr<Database> reader_;
};

} // namespace sluice::test
