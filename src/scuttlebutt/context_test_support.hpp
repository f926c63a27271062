// Runs transforms over messages and facts as their contract says, in the plainest way: each
// transform over all messages, before the next.
#pragma once
#include "base/json.hpp"

#include <sluice/fact.hpp>
#include <sluice/transform.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::scuttlebutt::test {

class World {
public:
    void put(const NewFact& fact) {
        facts_[fact.name.collection][{fact.name.key.encoded(), 0}] = std::string(fact.value);
    }
    void drop(const FactName& name) { facts_[name.collection].erase({name.key.encoded(), 0}); }
    Seq append(std::string body) {
        bodies_.emplace_back(std::move(body));
        return Seq{bodies_.size()};
    }
    void remove(Seq seq) { bodies_[seq.value - 1].reset(); }

    /// What views see of each message, by seq from 1; nothing for one that is gone or hidden.
    std::vector<std::optional<std::string>> derive(const Transforms& transforms) {
        auto bodies = bodies_;
        cells_.clear();
        for (const Transform& transform : transforms.list()) {
            for (std::size_t i = 0; i < bodies.size(); ++i) {
                if (!bodies[i]) continue;
                const std::string before = *bodies[i];
                const Seq seq{i + 1};
                Reader reader(*this);
                Writer writer(bodies[i], cells_[transform.name], seq);
                transform.run(reader, One(seq, before, parser_.parse(before)), writer);
            }
        }
        return bodies;
    }
    /// How many reads derive() made, and how many cells it offered to find_any().
    std::size_t reads = 0;
    std::size_t tries = 0;

private:
    using Cells = std::map<std::pair<std::string, std::uint64_t>, std::string>;

    class One final : public Incoming {
    public:
        One(Seq seq, std::string_view body, const Value* json)
            : seq_(seq), body_(body), json_(json) {}
        Seq seq() const override { return seq_; }
        std::string_view key() const override { return {}; }
        std::string_view body() const override { return body_; }
        const Value* json() const override { return json_; }

    private:
        Seq seq_;
        std::string_view body_;
        const Value* json_;
    };

    class Reader final : public Context {
    public:
        explicit Reader(World& world) : world_(world) {}
        std::optional<Cell> get(const Source& source, const Key& key) override {
            for (const Cell& cell : prefix(source, key)) {
                if (cell.encoded_key == key.encoded()) return cell;
            }
            return std::nullopt;
        }
        bool has(const Source& source, const Key& key) override {
            return get(source, key).has_value();
        }
        std::vector<Cell> prefix(const Source& source, const Key& prefix) override {
            ++world_.reads;
            const Cells& cells = source.kind() == Source::Kind::facts
                                     ? world_.facts_[source.name()]
                                     : world_.cells_[source.name()];
            std::vector<Cell> found;
            for (auto at = cells.lower_bound({prefix.encoded(), 0});
                 at != cells.end() && at->first.first.starts_with(prefix.encoded()); ++at) {
                found.push_back({at->first.first, at->second, Seq{at->first.second}});
            }
            return found;
        }
        std::optional<Cell> first(const Source& source, const Key& key) override {
            const auto all = prefix(source, key);
            return all.empty() ? std::nullopt : std::optional(all.front());
        }
        std::optional<Cell> last(const Source& source, const Key& key) override {
            const auto all = prefix(source, key);
            return all.empty() ? std::nullopt : std::optional(all.back());
        }
        std::optional<Cell> find_any(const Source& source, const Key& key,
                                     const std::function<bool(const Cell&)>& fits) override {
            for (const Cell& cell : prefix(source, key)) {
                ++world_.tries;
                if (fits(cell)) return cell;
            }
            return std::nullopt;
        }

    private:
        World& world_;
    };

    class Writer final : public Transformed {
    public:
        Writer(std::optional<std::string>& body, Cells& cells, Seq seq)
            : body_(body), cells_(cells), seq_(seq) {}
        void set_body(std::string body) override { body_ = std::move(body); }
        void hide() override { body_.reset(); }
        void emit(const Key& key, std::string_view value) override {
            cells_[{key.encoded(), seq_.value}] = std::string(value);
        }

    private:
        std::optional<std::string>& body_;
        Cells& cells_;
        Seq seq_;
    };

    JsonParser parser_;
    std::map<std::string, Cells> facts_;
    std::map<std::string, Cells> cells_;
    std::vector<std::optional<std::string>> bodies_;
};

} // namespace sluice::scuttlebutt::test
