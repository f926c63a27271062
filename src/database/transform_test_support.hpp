// Transforms of a few lines, on messages of a few words, that tell on what they were run.
#pragma once
#include "database/database_test_support.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>

namespace sluice::test {

// {"text":...}                says something
// {"box":"k1","inner":{...}}  says what is inside, for those who have the key k1
// {"edit":"m1","text":...}    gives the message with the key m1 another text; the newest one wins
// {"blob":"b1"}               says what the blob b1 says; the blob "bad" makes the function throw
// {"author":"bo",...}         says nothing while bo is blocked

inline std::string says(const std::string& text) {
    return R"({"text":")" + text + "\"}";
}
inline std::string boxed(const std::string& key, const std::string& inner) {
    return R"({"box":")" + key + R"(","inner":)" + inner + "}";
}
inline std::string edits(const std::string& target, const std::string& text) {
    return R"({"edit":")" + target + R"(","text":")" + text + "\"}";
}
inline constexpr const char* kSaid = R"({"kind":"index","key":["/text"]})";

/// The messages on which each transform was run since this was cleared last, in the order of
/// running.
using Runs = std::map<std::string, Seqs>;

/// A text; empty if there is none.
inline std::string member(const Value* json, std::string_view name) {
    const Value* const value = json == nullptr ? nullptr : json->find(name);
    return value == nullptr ? "" : std::string(value->as_string().value_or(""));
}
inline std::string member(const Incoming& message, std::string_view name) {
    return member(message.json(), name);
}
inline std::string member(const Message& message, std::string_view name) {
    return member(message.json, name);
}

inline Transform counted(Runs& runs, const std::string& name, TransformFunction run,
                         std::uint32_t version = 1) {
    return {name, version,
            [&runs, name, run = std::move(run)](Context& context, const Incoming& message,
                                                Transformed& made) {
                runs[name].push_back(message.seq());
                run(context, message, made);
            }};
}

inline void unbox(Context& context, const Incoming& message, Transformed& made) {
    const std::string box = member(message, "box");
    if (box.empty()) return;
    const auto key = context.find_any(Source::facts("keys"), Key{},
                                      [&](const Cell& cell) { return cell.key() == Key(box); });
    if (!key) return;
    const std::string body(message.body());
    const std::size_t inner = body.find('{', 1);
    made.set_body(body.substr(inner, body.size() - inner - 1));
}

inline void block(Context& context, const Incoming& message, Transformed& made) {
    const std::string author = member(message, "author");
    if (!author.empty() && context.has(Source::facts("blocks"), Key(author))) made.hide();
}

inline void show_blob(Context& context, const Incoming& message, Transformed& made) {
    const std::string name = member(message, "blob");
    if (name.empty()) return;
    const auto blob = context.get(Source::facts("blobs"), Key(name));
    if (!blob) return;
    if (blob->value == "bad") throw std::runtime_error("a bad blob");
    made.set_body(says(std::string(blob->value)));
}

inline void link_edit(Context&, const Incoming& message, Transformed& made) {
    const std::string target = member(message, "edit");
    if (!target.empty()) made.emit(Key(target), member(message, "text"));
}

/// links, edits: the last edit of a message is what it says.
inline void add_edits(Transforms& all, Runs& runs) {
    const Source links = all.add(counted(runs, "links", link_edit));
    all.add(counted(runs, "edits",
                    [links](Context& context, const Incoming& message, Transformed& made) {
                        if (message.key().empty()) return;
                        const auto newest = context.last(links, Key(message.key()));
                        if (newest) made.set_body(says(std::string(newest->value)));
                    }));
}

/// unbox, block, blobs, links, edits.
inline Transforms few_transforms(Runs& runs) {
    Transforms all;
    all.add(counted(runs, "unbox", unbox));
    all.add(counted(runs, "block", block));
    all.add(counted(runs, "blobs", show_blob));
    add_edits(all, runs);
    return all;
}

// What a box holds is in the log as it stands. What these say is there the wrong way round, so that
// it is in rows only; any key turns it, and one for another message edits that.
inline std::string sealed(const std::string& text, const std::string& target = {}) {
    return R"({"sealed":")" + std::string(text.rbegin(), text.rend()) + R"(","for":")" + target +
           "\"}";
}

inline void unseal(Context& context, const Incoming& message, Transformed& made) {
    const std::string text = member(message, "sealed");
    if (text.empty()) return;
    const auto key =
        context.find_any(Source::facts("keys"), Key{}, [](const Cell&) { return true; });
    if (!key) return;
    made.set_body(edits(member(message, "for"), std::string(text.rbegin(), text.rend())));
}

/// unseal, links, edits.
inline Transforms sealed_transforms(Runs& runs) {
    Transforms all;
    all.add(counted(runs, "unseal", unseal));
    add_edits(all, runs);
    return all;
}

inline const FactName kKey1{"keys", Key("k1")};
inline const FactName kKey2{"keys", Key("k2")};

/// A database in which a chain is in use, with the view "said".
struct Transforming : DatabaseOnDisk {
    Transforming() : Transforming(few_transforms) {}
    template <typename Make>
    explicit Transforming(Make make, const Options& the_options = small_files())
        : DatabaseOnDisk(the_options) {
        all = make(runs);
        options.transforms = all;
        reopen();
        database->add_view("said", kSaid).value();
        use_all();
        runs.clear();
    }
    void use_all() { database->use_transforms(options.transforms.names()).value(); }
    void reopen_without_code() {
        options.transforms = {};
        reopen();
    }
    /// Of one transform, from the next opening on.
    void lose_code_of(const std::string& name) {
        options.transforms = {};
        for (const Transform& each : all.list()) {
            if (each.name != name) options.transforms.add(each);
        }
    }
    void reopen_with_code() {
        options.transforms = all;
        reopen();
    }
    std::string said() const { return rows("said"); }
    void put(const FactName& name, const std::string& value = "v", bool is_secret = false) {
        database->put_fact({name, value, is_secret}).value();
    }
    /// Which messages the transform was run on since runs_of() was asked last.
    Seqs runs_of(const std::string& transform) { return std::exchange(runs[transform], {}); }
    void expect_nowhere(const std::string& needle) const {
        for (const auto& found : disk.find(needle))
            ADD_FAILURE() << needle << " in " << found.where;
        for (const auto& found : disk.find_on_device(needle)) {
            ADD_FAILURE() << needle << " on the device, in " << found.where;
        }
    }

    Runs runs;
    Transforms all;
};

} // namespace sluice::test
