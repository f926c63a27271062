// The plain definition of a Store: ordered maps, copied whole for every snapshot. Tests compare the
// segment store with it; where the two differ, this one is right.
#pragma once
#include "store/store.hpp"

#include <map>
#include <mutex>

namespace sluice {

class MemoryStore final : public Store {
public:
    struct View {
        ViewSpec spec;
        Seq since;
        std::map<std::string, std::map<Seq, std::string>, std::less<>> rows; ///< Term, seq, value.
    };

    void add_view(const ViewSpec& view) override;
    Result<void> drop_view(ViewId view) override;
    Result<void> commit(StoreCommit commit, const Gone& gone) override;
    std::shared_ptr<const StoreSnapshot> snapshot() const override;

private:
    mutable std::mutex mutex_;
    Seq position_;
    Gone gone_;
    std::string attachment_;
    std::map<ViewId, View> views_;
};

} // namespace sluice
