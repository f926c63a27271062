// What a database should answer, from nothing but a list of structs. Shares no code with the engine
// but the type of keys.
#pragma once
#include "model/content.hpp"
#include "model/views.hpp"

#include <sluice/database.hpp>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace sluice::test {

class Model {
public:
    struct Version {
        Seq seq;
        Content content;
    };
    struct Entry {
        bool is_change = false;
        std::string key;
        std::vector<Version> versions; ///< Oldest first. Of a message.
        bool deleted = false;          ///< Deleted or erased.
        bool erased = false;
        bool held = false;
        std::vector<Seq> turns; ///< The changes that had it mapped again.
    };
    /// Of retention.
    struct Rule {
        std::uint64_t keep_last = 0;
        bool erases = false;
    };
    struct OpenView {
        std::size_t meaning = 0; ///< Which of meanings().
        bool loaded = true;
    };

    // What a database is told.

    Seq append(const Content& content, const std::string& key = {});
    Seq remove(const std::vector<Seq>& seqs);
    Seq restore(const std::vector<Seq>& seqs);
    Seq rederive(const std::vector<Seq>& seqs);
    Seq replace(Seq seq, const Content& content);
    Seq hold(const std::vector<Seq>& seqs, bool held);
    /// The erase entry and, unless a snapshot is in the way, the receipt.
    Seq erase(const std::vector<Seq>& seqs, bool finished);
    void finish_erasures();
    Seq change(); ///< One that concerns no message.
    Seq mark_import(const std::string& fingerprint, std::uint64_t offset);
    Seq put_fact(const std::string& name, const std::string& value, bool is_secret = false);
    /// With transforms in use, the receipt for what a secret opened follows.
    Seq drop_fact(const std::string& name);
    Seq erase_fact(const std::string& name); ///< The erase entry; the receipt follows.
    void apply_rule(const std::string& name);
    void open_again(); ///< Code is not loaded now, and unfinished erasures are finished.

    void add_view(std::size_t meaning) { views[meanings()[meaning].name] = {meaning, true}; }
    void drop_view(const std::string& name) { views.erase(name); }

    // What it should say.

    Seq last() const { return {entries.size()}; }
    Entry& at(Seq seq) { return entries.at(seq.value - 1); }
    const Entry& at(Seq seq) const { return entries.at(seq.value - 1); }
    bool is_live(Seq seq) const { return !at(seq).is_change && !at(seq).deleted; }
    std::vector<Seq> messages() const;
    enum class KeyState : std::uint8_t { free, live, gone };
    KeyState state_of(const std::string& key) const;
    /// The message that a key names: a live one before a deleted one, a newer before an older.
    std::optional<Seq> named_by(const std::string& key) const;
    /// Texts of all versions of erased messages, their keys, and values of erased facts: nothing
    /// may contain them.
    std::vector<std::string> needles() const;

    /// Empty if the database says the same; else the first difference.
    std::string difference(const Database& database) const;
    /// The part of it that is cheap to ask after every step of a long history.
    std::string difference_of_views(const Snapshot& snapshot,
                                    const std::vector<ViewInfo>& infos) const;

    std::vector<Entry> entries; ///< By seq - 1.
    std::set<std::string> keys; ///< All that were ever offered.
    std::set<std::string> refused;
    std::map<std::string, OpenView> views;
    std::map<std::string, Rule> rules;
    std::map<std::string, std::uint64_t> imported; ///< How far, by fingerprint.
    std::map<std::string, std::string> facts;
    std::map<std::string, std::vector<std::string>> values_ever; ///< Of facts that are not erased.
    std::vector<std::string> erased_values;
    std::set<std::string> secrets; ///< Facts with a secret value since they were dropped last.
    bool has_transforms = false;   ///< That make nothing of these messages.
    std::size_t unfinished = 0;    ///< Erasures without a receipt.

private:
    std::string difference_of_log(const Snapshot& snapshot) const;
    std::string difference_of_entry(const Result<Record>& answer, Seq seq) const;
};

/// Everything that a snapshot shows of these views; nothing of one that cannot be read.
std::string shown_by(const Snapshot& snapshot, const std::vector<ViewInfo>& infos);

} // namespace sluice::test
