#include "views/search_rows.hpp"

#include "base/bytes.hpp"
#include "base/key_format.hpp"

#include <limits>

namespace sluice::search_rows {
namespace {

std::string term_of(std::string_view tag, std::string_view form) {
    std::string term;
    key_format::append_string(term, tag);
    key_format::append_string(term, form);
    return term;
}

class LengthSum final : public Accumulator {
public:
    void clear() override { sum_ = 0; }
    void add_value(std::string_view value) override { sum_ += ByteReader(value).varint(); }
    void add_partial(std::string_view partial) override { sum_ += read_length_sum(partial); }
    std::string partial() const override {
        std::string bytes;
        append_varint(bytes, sum_);
        return bytes;
    }

private:
    std::uint64_t sum_ = 0;
};

class LengthReducer final : public Reducer {
public:
    std::unique_ptr<Accumulator> accumulator() const override {
        return std::make_unique<LengthSum>();
    }
};

} // namespace

std::string length_term() {
    std::string term;
    key_format::append_string(term, "length");
    return term;
}
std::string stem_term(std::string_view stem) {
    return term_of("stem", stem);
}
std::string word_term(std::string_view word) {
    return term_of("word", word);
}
std::string word_term_prefix(std::string_view beginning) {
    std::string term = word_term(beginning);
    term.pop_back(); // The end of the string.
    return term;
}

void append_value(std::string& to, std::uint32_t length,
                  const std::vector<std::uint32_t>& positions) {
    append_varint(to, length);
    std::uint32_t before = 0;
    for (const std::uint32_t position : positions) {
        append_varint(to, position - before);
        before = position;
    }
}

bool read_value(std::string_view bytes, Occurrences& into) {
    constexpr std::uint64_t kMax = std::numeric_limits<std::uint32_t>::max();
    ByteReader reader(bytes);
    const std::uint64_t length = reader.varint();
    into.length = static_cast<std::uint32_t>(length);
    into.positions.clear();
    std::uint64_t position = 0;
    while (reader.ok() && !reader.rest().empty()) {
        const std::uint64_t step = reader.varint();
        if (step > kMax - position) return false;
        position += step;
        into.positions.push_back(static_cast<std::uint32_t>(position));
    }
    return reader.ok() && length <= kMax;
}

void Writer::add_text(std::string_view text) {
    ++position_; // A gap that no phrase crosses.
    for (WordWalk walk(text); walk.next();) {
        forms_.take(walk.word());
        if (forms_.plain().empty()) continue;
        words_[forms_.plain()].push_back(position_);
        if (forms_.has_stems()) stems_[forms_.stem()].push_back(position_);
        ++position_;
        ++length_;
    }
}

void Writer::emit_all(RowBatch& batch, const Places& places, std::uint32_t length,
                      std::string (*term_of)(std::string_view)) {
    std::string value;
    for (const auto& [form, positions] : places) {
        value.clear();
        append_value(value, length, positions);
        batch.emit(term_of(form), value);
    }
}

void Writer::emit_into(RowBatch& batch) {
    if (length_ > 0) {
        std::string value;
        append_value(value, length_, {});
        batch.emit(length_term(), value);
        emit_all(batch, stems_, length_, stem_term);
        emit_all(batch, words_, length_, word_term);
    }
    position_ = length_ = 0;
    stems_.clear();
    words_.clear();
}

std::shared_ptr<const Reducer> length_reducer() {
    static const std::shared_ptr<const Reducer> only = std::make_shared<LengthReducer>();
    return only;
}

std::uint64_t read_length_sum(std::string_view partial) {
    return ByteReader(partial).varint();
}

} // namespace sluice::search_rows
