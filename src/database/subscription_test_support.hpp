// Who follows a subscription, for tests.
#pragma once
#include <sluice/subscription.hpp>

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <tuple>

namespace sluice::test {

/// Applies differences as the header says, and does not bear one row twice or a row too few.
class Replica {
public:
    explicit Replica(Subscription subscription) : subscription_(std::move(subscription)) {}

    /// Takes all that there is. How many differences there were.
    std::size_t take() {
        std::size_t count = 0;
        while (const auto difference = subscription_.next().value()) {
            apply(*difference);
            ++count;
        }
        return count;
    }
    /// The next one, which must be there; like `-["ada",1]=1 +["ada",2]=1`.
    std::string next() {
        const auto difference = subscription_.next().value();
        if (!difference) return "nothing";
        apply(*difference);
        std::string text = difference->is_fresh ? "fresh" : "";
        const auto add = [&](char sign, const ViewRow& row) {
            text += (text.empty() ? "" : " ") + std::string(1, sign) + text_of(row);
        };
        for (const ViewRow& row : difference->gone) add('-', row);
        for (const ViewRow& row : difference->added) add('+', row);
        return text;
    }
    void apply(const Difference& difference) {
        EXPECT_GE(difference.at, at_);
        at_ = difference.at;
        if (difference.is_fresh) rows_.clear();
        for (const ViewRow& row : difference.gone) {
            EXPECT_EQ(rows_.erase({row.key, row.seq, row.value}), 1u) << "-" << text_of(row);
        }
        for (const ViewRow& row : difference.added) {
            EXPECT_TRUE(rows_.emplace(row.key, row.seq, row.value).second) << "+" << text_of(row);
        }
    }
    /// As DatabaseOnDisk::rows().
    std::string rows() const {
        std::string text;
        for (const auto& [key, seq, value] : rows_) {
            text += (text.empty() ? "" : " ") + text_of({key, seq, value});
        }
        return text;
    }
    Subscription& subscription() { return subscription_; }

private:
    static std::string text_of(const ViewRow& row) {
        std::string text = row.key.to_json() + row.value;
        if (row.seq != Seq{}) text += '=' + std::to_string(row.seq.value);
        return text;
    }

    Subscription subscription_;
    std::set<std::tuple<Key, Seq, std::string>> rows_;
    Seq at_;
};

} // namespace sluice::test
