#include "transform/plain_chain.hpp"

#include "base/memory.hpp"

#include <stdexcept>

namespace sluice {

class PlainChain::Answers final : public Context {
public:
    explicit Answers(const PlainChain& chain) : chain_(chain) {}

    std::optional<Cell> get(const Source& source, const Key& key) override {
        for (const Cell& cell : prefix(source, key)) {
            if (cell.encoded_key == key.encoded()) return cell;
        }
        return std::nullopt;
    }
    bool has(const Source& source, const Key& key) override { return get(source, key).has_value(); }
    std::optional<Cell> first(const Source& source, const Key& key) override {
        const auto cells = prefix(source, key);
        return cells.empty() ? std::nullopt : std::optional(cells.front());
    }
    std::optional<Cell> last(const Source& source, const Key& key) override {
        const auto cells = prefix(source, key);
        return cells.empty() ? std::nullopt : std::optional(cells.back());
    }
    std::vector<Cell> prefix(const Source& source, const Key& key) override {
        std::vector<Cell> found;
        if (source.kind() == Source::Kind::facts) {
            for (const auto& [id, fact] : chain_.facts_.all()) {
                if (id.collection == source.name() && id.key.starts_with(key.encoded())) {
                    found.push_back({id.key, fact.value, {}});
                }
            }
            return found;
        }
        const auto& all = source.kind() == Source::Kind::rows ? chain_.rows_ : chain_.cells_;
        const auto cells = all.find(source.name());
        if (cells == all.end()) throw std::logic_error("a function reads what is not before it");
        for (const auto& [at, value] : cells->second) {
            if (at.first.starts_with(key.encoded())) found.push_back({at.first, value, at.second});
        }
        return found;
    }
    std::optional<Cell> find_any(const Source& source, const Key& key,
                                 const std::function<bool(const Cell&)>& fits) override {
        for (const Cell& cell : prefix(source, key)) {
            if (fits(cell)) return cell;
        }
        return std::nullopt;
    }

private:
    const PlainChain& chain_;
};

class PlainChain::Making final : public Incoming, public Transformed {
public:
    Making(const Message& message, std::string_view body) : message_(message), body_(body) {}
    Seq seq() const override { return message_.seq; }
    std::string_view key() const override { return message_.key; }
    std::string_view body() const override { return body_; }
    const Value* json() const override { return parser_.parse(body_); }
    void set_body(std::string body) override {
        if (body.size() > Chain::kBodySizeBytesMax) throw std::length_error("too long");
        made = std::move(body);
    }
    void hide() override { hidden = true; }
    void emit(const Key& key, std::string_view value) override {
        cells[key.encoded()] = std::string(value);
    }

    std::optional<std::string> made;
    bool hidden = false;
    std::map<std::string, std::string> cells;

private:
    const Message& message_;
    std::string_view body_;
    mutable JsonParser parser_;
};

void PlainChain::run(const std::vector<Message>& messages) {
    for (const Message& message : messages) bodies_[message.seq] = message.body;
    for (std::size_t i = 0; i < stages_.size(); ++i) {
        Cells cells; // Nobody sees them before all messages have given theirs.
        for (const Message& message : messages) {
            std::optional<std::string>& body = bodies_[message.seq];
            if (!body) continue;
            Making making(message, *body);
            Answers answers(*this);
            RowBatch& outputs = made_[i].outputs;
            outputs.begin_row(message.seq);
            if (!run_foreign([&] { stages_[i].run(answers, making, making); })) {
                outputs.emit("x");
                body.reset();
                continue;
            }
            made_[i].cells.begin_row(message.seq);
            for (const auto& [key, value] : making.cells) {
                made_[i].cells.emit(key, value);
                cells[{key, message.seq}] = value;
            }
            if (making.hidden) {
                outputs.emit("h");
                body.reset();
            } else if (making.made && *making.made != *body) {
                outputs.emit("b", *making.made);
                body = std::move(making.made);
            }
        }
        cells_[stages_[i].name] = std::move(cells);
    }
}

std::unique_ptr<Context> PlainChain::answers() const {
    return std::make_unique<Answers>(*this);
}

std::optional<std::string_view> PlainChain::body_of(Seq seq) const {
    const auto found = bodies_.find(seq);
    if (found == bodies_.end() || !found->second) return std::nullopt;
    return *found->second;
}

} // namespace sluice
