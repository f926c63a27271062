// The inside of View, for what runs it.
#pragma once
#include "views/aggregate.hpp"
#include "views/definition.hpp"
#include "views/fold.hpp"
#include "views/view.hpp"

#include <memory>
#include <optional>

namespace sluice {

class View {
public:
    Definition definition;
    bool is_code = false;
    ViewFunction function = {}; ///< Of a code view; empty if it is not loaded, or reads.
    std::function<void(std::span<const Message>)> before = {}; ///< CodeView::before_map.
    ReadingViewFunction reading = {}; ///< Of one that reads; empty if it is not loaded.
    TallyShape shape{definition.members};
    std::shared_ptr<const Fold> fold = {}; ///< Of a fold; null pointer if its code is not loaded.
    std::shared_ptr<const Reducer> reducer = {};
};

} // namespace sluice
