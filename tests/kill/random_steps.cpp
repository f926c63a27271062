#include "kill/random_steps.hpp"

#include <algorithm>

namespace sluice::test {
namespace {

constexpr std::size_t kWordSizeBytes = 10;

/// All of one length, so that none begins another.
std::string word_number(std::uint64_t number) {
    const std::string digits = std::to_string(number);
    return 'w' + std::string(kWordSizeBytes - 1 - digits.size(), '0') + digits;
}

std::string fact_number(std::uint64_t number) {
    return "<fact " + std::to_string(number) + '>';
}

} // namespace

std::string_view word_in(std::string_view text) {
    const std::size_t at = text.find('w');
    return at == text.npos ? text : text.substr(at, kWordSizeBytes);
}

std::set<std::string> words_in(std::string_view bytes) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    std::set<std::string> words;
    for (std::size_t at = bytes.find('w'); at != bytes.npos; at = bytes.find('w', at + 1)) {
        const std::string_view word = bytes.substr(at, kWordSizeBytes);
        if (word.size() == kWordSizeBytes && std::all_of(word.begin() + 1, word.end(), is_digit)) {
            words.emplace(word);
        }
    }
    return words;
}

std::string RandomSteps::new_text() {
    const std::string word = word_number(life_ * 10'000 + word_count_++) + '.';
    std::string text;
    // Sometimes so long that it crosses sectors and blocks.
    for (std::uint64_t left = pick(16) == 0 ? 600 : 1 + pick(4); left > 0; --left) text += word;
    return text;
}

steps::Draft RandomSteps::new_message() {
    const std::string text = new_text();
    std::string key = pick(3) == 0 ? "" : '<' + std::string(word_in(text)) + '>';
    return {make_content(random_() >> 16, text), std::move(key)};
}

/// Up to four of the messages that are meant, ascending.
template <typename IsMeant>
std::vector<Seq> RandomSteps::some(const Model& model, const IsMeant& is_meant) {
    std::vector<Seq> all = model.messages();
    std::erase_if(all, [&](Seq seq) { return !is_meant(model.at(seq)); });
    std::vector<Seq> chosen;
    std::sample(all.begin(), all.end(), std::back_inserter(chosen), 1 + pick(4), random_);
    return chosen;
}

/// A change of the past, where there is one to change.
Step RandomSteps::change(const Model& model) {
    const std::uint64_t way = pick(11);
    const auto seqs = some(model, [&](const Model::Entry& entry) {
        if (entry.erased) return false;
        switch (way) {
        case 0:
        case 1:
        case 2: return !entry.held;   // erase
        case 3: return entry.deleted; // restore
        case 4: return !entry.held;   // hold
        case 5: return entry.held;    // release
        default: return !entry.deleted;
        }
    });
    if (seqs.empty()) return steps::append({new_message()});
    switch (way) {
    case 0:
    case 1:
    case 2: return steps::erase(seqs);
    case 3: return steps::restore(seqs);
    case 4: return steps::hold({seqs.front()});
    case 5: return steps::release(seqs);
    case 6:
    case 7: return steps::remove(seqs);
    case 8: return steps::rederive(seqs);
    default: return steps::replace(seqs.front(), new_message().content);
    }
}

/// They keep more than a life appends at once: what is there is not gone with each.
Step RandomSteps::retain(const Model& model) {
    const bool erases = pick(2) == 0;
    const std::string name = erases ? "erase the oldest" : "delete the oldest";
    if (!model.rules.contains(name)) return steps::add_rule(name, 20 + pick(60), erases);
    return pick(4) == 0 ? steps::drop_rule(name) : steps::apply_rule(name);
}

Step RandomSteps::next(const Model& model) {
    const std::string fact = fact_number(pick(5));
    switch (pick(26)) {
    case 0: return steps::add_view(pick(meanings().size()));
    case 1: return steps::add_view(pick(meanings().size()));
    case 2:
        if (model.views.empty()) break;
        return steps::drop_view(
            std::next(model.views.begin(), static_cast<std::ptrdiff_t>(pick(model.views.size())))
                ->first);
    case 3:
    case 4: return steps::put_fact(fact, new_text(), pick(2) == 0);
    case 5:
        if (!model.facts.contains(fact)) break;
        return steps::drop_fact(fact);
    case 6:
    case 7:
        if (!model.values_ever.contains(fact)) break;
        return steps::erase_fact(fact);
    case 8: return pick(3) == 0 ? steps::flush() : steps::merge();
    case 9: {
        std::vector<steps::Draft> messages;
        for (std::uint64_t left = 1 + pick(5); left > 0; --left) messages.push_back(new_message());
        if (!model.keys.empty()) messages.front().key = *model.keys.begin();
        return steps::import(std::move(messages), "a file", random_() >> 40);
    }
    case 10:
    case 11:
    case 12: {
        std::vector<steps::Draft> messages;
        for (std::uint64_t left = pick(6) == 0 ? 60 : 2 + pick(8); left > 0; --left) {
            messages.push_back(new_message());
        }
        return steps::append(std::move(messages));
    }
    case 13:
    case 14:
    case 15:
    case 16: break;
    case 17:
    case 18: return retain(model);
    default: return change(model);
    }
    return steps::append({new_message()});
}

} // namespace sluice::test
