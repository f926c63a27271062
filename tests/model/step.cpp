#include "model/step.hpp"

#include <memory>
#include <utility>

namespace sluice::test::steps {
namespace {

template <typename T> Result<void> whether(const Result<T>& done) {
    if (!done) return done.error();
    return {};
}

/// Everything is made beforehand: what the call allocates is the database's alone.
struct Batch {
    explicit Batch(std::vector<Draft> the_drafts) : drafts(std::move(the_drafts)) {
        for (const Draft& draft : drafts) bodies.push_back(draft.content.body());
        for (std::size_t i = 0; i < drafts.size(); ++i) {
            messages.push_back({bodies[i], drafts[i].key});
        }
    }
    std::vector<Draft> drafts;
    std::vector<std::string> bodies;
    std::vector<NewMessage> messages; ///< Of the strings above.
};

FactName fact_name(const std::string& name) {
    return {"facts", Key(name)};
}

} // namespace

Step append(std::vector<Draft> messages) {
    const auto batch = std::make_shared<const Batch>(std::move(messages));
    return {batch->drafts.size() == 1 ? "append" : "append a batch",
            [batch](Model& model) {
                for (const Draft& draft : batch->drafts) model.append(draft.content, draft.key);
            },
            [batch](Database& database) { return whether(database.append(batch->messages)); }};
}

Step import(std::vector<Draft> messages, const std::string& fingerprint, std::uint64_t offset) {
    const auto batch = std::make_shared<const Batch>(std::move(messages));
    return {
        "import a batch",
        [=](Model& model) {
            for (const Draft& draft : batch->drafts) {
                const bool is_free =
                    draft.key.empty() || model.state_of(draft.key) == Model::KeyState::free;
                if (!is_free) continue;
                model.append(draft.content, draft.key);
            }
            model.mark_import(fingerprint, offset);
        },
        [=](Database& database) {
            return whether(database.offer(batch->messages, {}, ImportMark{fingerprint, offset}));
        }};
}

Step replace(Seq seq, const Content& content) {
    return {"replace", [=](Model& model) { model.replace(seq, content); },
            [seq, body = content.body()](Database& database) {
                return whether(database.replace(seq, body));
            }};
}

Step remove(const std::vector<Seq>& seqs) {
    return {"delete", [=](Model& model) { model.remove(seqs); },
            [selector = Selector(seqs)](Database& database) {
                return whether(database.delete_messages(selector));
            }};
}

Step restore(const std::vector<Seq>& seqs) {
    return {"restore", [=](Model& model) { model.restore(seqs); },
            [selector = Selector(seqs)](Database& database) {
                return whether(database.restore(selector));
            }};
}

Step rederive(const std::vector<Seq>& seqs) {
    return {"derive again", [=](Model& model) { model.rederive(seqs); },
            [selector = Selector(seqs)](Database& database) {
                return whether(database.rederive(selector));
            }};
}

Step hold(const std::vector<Seq>& seqs) {
    return {"hold", [=](Model& model) { model.hold(seqs, true); },
            [selector = Selector(seqs)](Database& database) {
                return whether(database.hold(selector));
            }};
}

Step release(const std::vector<Seq>& seqs) {
    return {"release", [=](Model& model) { model.hold(seqs, false); },
            [selector = Selector(seqs)](Database& database) {
                return whether(database.release(selector));
            }};
}

Step erase(const std::vector<Seq>& seqs) {
    return {"erase", [=](Model& model) { model.erase(seqs, true); },
            [selector = Selector(seqs)](Database& database) {
                return whether(database.erase(selector));
            }};
}

Step put_fact(const std::string& name, const std::string& value, bool is_secret) {
    const auto bytes = std::make_shared<const std::string>(value);
    return {is_secret ? "put a secret fact" : "put a fact",
            [=](Model& model) { model.put_fact(name, *bytes, is_secret); },
            [bytes, fact = NewFact{fact_name(name), *bytes, is_secret}](Database& database) {
                return whether(database.put_fact(fact));
            }};
}

Step drop_fact(const std::string& name) {
    return {
        "drop a fact", [=](Model& model) { model.drop_fact(name); },
        [fact = fact_name(name)](Database& database) { return whether(database.drop_fact(fact)); }};
}

Step erase_fact(const std::string& name) {
    return {"erase a fact", [=](Model& model) { model.erase_fact(name); },
            [fact = fact_name(name)](Database& database) {
                return whether(database.erase_fact(fact));
            }};
}

Step add_view(std::size_t index) {
    const Meaning& meaning = meanings()[index];
    return {"add a view", [=](Model& model) { model.add_view(index); },
            [&meaning, code = meaning.code()](Database& database) {
                return meaning.is_code() ? database.add_view(meaning.name, code)
                                         : database.add_view(meaning.name, meaning.definition);
            }};
}

Step drop_view(const std::string& name) {
    return {"drop a view", [=](Model& model) { model.drop_view(name); },
            [=](Database& database) { return database.drop_view(name); }};
}

Step add_rule(const std::string& name, std::uint64_t keep_last, bool erases) {
    RetentionRule rule{.name = name};
    rule.keep_last = keep_last;
    if (erases) rule.action = RetentionRule::Action::erase;
    return {"add a rule",
            [=](Model& model) {
                model.rules[name] = {keep_last, erases};
            },
            [rule](Database& database) { return database.add_retention(rule); }};
}

Step apply_rule(const std::string& name) {
    return {"apply a rule", [=](Model& model) { model.apply_rule(name); },
            [options = RetentionOptions{.rule = name}](Database& database) {
                return whether(database.apply_retention(options));
            }};
}

Step drop_rule(const std::string& name) {
    return {"drop a rule", [=](Model& model) { model.rules.erase(name); },
            [=](Database& database) { return database.drop_retention(name); }};
}

Step merge() {
    return {"merge", [](Model&) {}, [](Database& database) { return database.merge_views(); }};
}

Step flush() {
    return {"flush", [](Model&) {}, [](Database& database) { return database.flush(); }};
}

} // namespace sluice::test::steps
