// Random histories of a database with transforms and views that read: messages, edits, keys, blocks
// and blobs in any order, crashes, programs that lack the code of transforms or views.
#pragma once
#include "database/database_test_support.hpp"
#include "model/toy_transforms.hpp"

#include <functional>
#include <random>

namespace sluice::test {

class TransformLife {
public:
    explicit TransformLife(std::uint64_t seed);

    /// One random act. What it was.
    std::string act();
    /// A program that has all code opens the database.
    void open_with_all_code();

    std::size_t pick(std::size_t below) { return random_() % below; }
    DatabaseOnDisk& on() { return on_; }
    /// Called before the database is closed, whichever way.
    std::function<void()> before_closing = [] {};
    /// Called before something is destroyed in files that others may read.
    std::function<void()> before_destroying = [] {};

private:
    template <typename T> T one_of(std::initializer_list<T> list) {
        return list.begin()[pick(list.size())];
    }
    std::string name(const char* letter, std::size_t below) {
        return letter + std::to_string(1 + pick(below));
    }
    std::string text() { return "words of message " + std::to_string(random_()); }
    void all_code() { on_.options.transforms = toy_transforms(); }
    void use_all() { on_.database->use_transforms(toy_transform_names()).value(); }
    void load_readers();
    std::string message();
    FactName fact();
    Seqs some_messages();

    std::mt19937_64 random_;
    DatabaseOnDisk on_;
    std::uint64_t key_count_ = 0;
    std::uint32_t version_ = 1; ///< Of `company`.
};

} // namespace sluice::test
