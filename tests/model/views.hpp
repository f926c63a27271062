// The views that histories and crashes are tried with, each beside its plain meaning.
#pragma once
#include "model/content.hpp"

#include <sluice/view.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sluice::test {

/// What one message gives to a view.
struct Emission {
    Key key;
    std::optional<std::size_t> number = std::nullopt; ///< Which of scalars(), of an aggregate.
};

/// What a view is, and so how it is held against its meaning.
enum class Kind : std::uint8_t { index, aggregate, fold, links, search };

/// One meaning of a view, and what a test expects of it.
struct Meaning {
    std::string name; ///< Several meanings of one name are versions of that view.
    Kind kind = Kind::index;
    std::string definition; ///< JSON.
    std::string app;        ///< Not empty: written in code.
    std::uint32_t version = 1;
    ViewFunction function;
    std::function<std::vector<Emission>(const Content&)> emissions;
    /// Of a fold: the answer for the contents of one group, the oldest first.
    std::function<std::string(const std::vector<Content>&)> answer = {};
    std::shared_ptr<const Fold> fold = {};

    bool is_code() const { return !app.empty(); }
    CodeView code() const;
};

const std::vector<Meaning>& meanings();

} // namespace sluice::test
