#include "model/history.hpp"

#include <algorithm>
#include <array>
#include <random>

namespace sluice::test {
namespace {

struct Weight {
    Act act;
    unsigned weight;
    std::string_view name;
};
constexpr std::array kWeights = {
    Weight{Act::append, 14, "append"},
    Weight{Act::append_batch, 8, "append_batch"},
    Weight{Act::offer, 6, "offer"},
    Weight{Act::remove, 10, "remove"},
    Weight{Act::restore, 6, "restore"},
    Weight{Act::replace, 9, "replace"},
    Weight{Act::rederive, 3, "rederive"},
    Weight{Act::erase, 7, "erase"},
    Weight{Act::hold, 3, "hold"},
    Weight{Act::release, 2, "release"},
    Weight{Act::add_view, 10, "add_view"},
    Weight{Act::drop_view, 2, "drop_view"},
    Weight{Act::reopen, 5, "reopen"},
    Weight{Act::crash, 6, "crash"},
    Weight{Act::merge, 3, "merge"},
    Weight{Act::flush, 2, "flush"},
    Weight{Act::pin, 4, "pin"},
    Weight{Act::unpin, 3, "unpin"},
    Weight{Act::put_fact, 6, "put_fact"},
    Weight{Act::drop_fact, 2, "drop_fact"},
    Weight{Act::erase_fact, 3, "erase_fact"},
};

std::string refusal(const std::string& what, const Error& error) {
    return what + " answered " + std::string(name_of(error.code)) + ": " + error.context;
}

template <typename T>
std::string expect_refused(const Result<T>& result, Errc code, const std::string& what) {
    if (result) return what + " was not refused";
    return result.error().code == code ? "" : refusal(what, result.error());
}

std::string key_number(std::uint64_t choice) {
    return "<key " + std::to_string(choice % 13) + '>';
}

} // namespace

std::string_view name_of(Act act) {
    for (const Weight& each : kWeights) {
        if (each.act == act) return each.name;
    }
    return "unknown";
}

History make_history(std::uint64_t seed, std::size_t length) {
    std::mt19937_64 random(seed);
    std::vector<Act> wheel;
    for (const Weight& each : kWeights) wheel.insert(wheel.end(), each.weight, each.act);
    History history;
    while (history.size() < length) {
        const Act act = wheel[random() % wheel.size()];
        history.push_back({act, random() >> 16});
    }
    return history;
}

std::string text_of(std::uint64_t seed, const History& history) {
    std::string text = "replay(" + std::to_string(seed) + ", {";
    for (const Operation& operation : history) {
        text += "\n    {Act::" + std::string(name_of(operation.act)) + ", " +
                std::to_string(operation.choice) + "u},";
    }
    return text + "\n});";
}

struct Life::Pinned {
    Snapshot snapshot;
    std::vector<ViewInfo> infos;
    std::string shown;
};

Life::Life(std::uint64_t seed) : root_(disk_.root()) {
    options_.background = false;
    options_.log_segment_size_bytes = std::array{2048u, 4096u, 8192u}[seed % 3];
    options_.view_segment_rows_max = std::array{16u, 32u, 64u}[seed / 3 % 3];
    options_.view_memory_bytes_max = std::array{1024u, 4096u, 65536u}[seed / 9 % 3];
    options_.erase_patience = std::chrono::milliseconds(1);
    options_.durability = seed % 4 == 3 ? Durability::none : Durability::every_commit;
    has_reader_ = seed % 3 == 2;
    Database::create(*root_).value();
    open();
    remember();
}

Life::~Life() = default;

void Life::open() {
    database_ = Database::open(*root_, options_).value();
}

void Life::close() {
    pinned_.reset();
    database_.reset();
}

void Life::remember() {
    if (options_.durability == Durability::every_commit) return;
    moments_.insert_or_assign(model_.last(), model_);
}

std::string Life::live(const Operation& operation) {
    std::string wrong = perform(operation);
    if (wrong.empty()) wrong = model_.difference(*database_);
    if (wrong.empty()) wrong = check_pinned();
    if (wrong.empty() && has_reader_) wrong = check_reader();
    remember();
    return wrong;
}

std::string Life::end() {
    close();
    const auto views = root_->subdirectory("views", Create::if_missing).value();
    for (const std::string& name : views->list().value()) views->remove(name).value();
    open();
    model_.open_again();
    const std::string wrong = model_.difference(*database_);
    return wrong.empty() ? search_needles() : "without its views: " + wrong;
}

std::string Life::perform(const Operation& operation) {
    const std::uint64_t choice = operation.choice;
    switch (operation.act) {
    case Act::append: return append(choice);
    case Act::append_batch: return append_batch(choice);
    case Act::offer: return offer(choice);
    case Act::remove:
    case Act::restore:
    case Act::rederive:
    case Act::hold:
    case Act::release: return change(operation.act, choice);
    case Act::replace: return replace(choice);
    case Act::erase: return erase(choice);
    case Act::add_view: return add_view(choice);
    case Act::drop_view: return drop_view(choice);
    case Act::crash: return crash(choice);
    case Act::reopen:
        close();
        durable_ = model_.last();
        open();
        model_.open_again();
        return search_needles();
    case Act::merge: {
        const auto merged = database_->merge_views();
        return merged ? "" : refusal("merging", merged.error());
    }
    case Act::flush: {
        const auto flushed = database_->flush();
        durable_ = model_.last();
        return flushed ? "" : refusal("flushing", flushed.error());
    }
    case Act::pin: {
        Snapshot snapshot = database_->snapshot();
        std::vector<ViewInfo> infos = database_->views();
        std::string shown = shown_by(snapshot, infos);
        pinned_ = std::make_unique<Pinned>(
            Pinned{std::move(snapshot), std::move(infos), std::move(shown)});
        return {};
    }
    case Act::unpin: pinned_.reset(); return {};
    case Act::put_fact: return put_fact(choice);
    case Act::drop_fact: return drop_fact(choice);
    case Act::erase_fact: return erase_fact(choice);
    }
    return "an unknown act";
}

// P3
std::string Life::check_pinned() const {
    if (!pinned_) return {};
    const std::string now = shown_by(pinned_->snapshot, pinned_->infos);
    return now == pinned_->shown ? "" : "a snapshot changed from " + pinned_->shown + " to " + now;
}

// P2 and P3 across processes. A reader has the code of no view that is written in code.
std::string Life::check_reader() {
    if (reader_) {
        if (const auto followed = reader_->refresh(); !followed) {
            return refusal("following", followed.error());
        }
    } else {
        Options options = options_;
        options.read_only = true;
        auto opened = Database::open(*root_, options);
        if (!opened) return refusal("opening to read", opened.error());
        reader_ = *std::move(opened);
    }
    Model seen = model_;
    for (auto& [name, view] : seen.views) view.loaded = !meanings()[view.meaning].is_code();
    const std::string wrong = seen.difference(*reader_);
    return wrong.empty() ? "" : "beside the writer: " + wrong;
}

// P6
std::string Life::search_needles() const {
    for (const std::string& needle : model_.needles()) {
        for (const auto& found : disk_.find(needle)) {
            return "erased text is in " + found.where + ": " + needle.substr(0, 20);
        }
    }
    return {};
}

/// Text that no other message has; sometimes so long that it crosses sectors and blocks.
Content Life::new_content(std::uint64_t choice) {
    const std::string word = "text" + std::to_string(1000 + text_count_++) + '.';
    std::string text = word;
    for (std::uint64_t left = choice % 23 == 0 ? 200 : choice % 5; left > 0; --left) text += word;
    return make_content(choice, text);
}

std::string Life::key_of(std::uint64_t choice) const {
    return choice % 3 == 0 ? std::string() : key_number(choice);
}

std::string Life::append(std::uint64_t choice) {
    const Content content = new_content(choice);
    const std::string key = key_of(choice / 7);
    const std::string body = content.body();
    AppendOptions how;
    how.readmit = choice % 4 == 0;
    const auto appended = database_->append(NewMessage{body, key}, how);
    const auto state = key.empty() ? Model::KeyState::free : model_.state_of(key);
    if (state == Model::KeyState::live) return expect_refused(appended, Errc::exists, "append");
    if (state == Model::KeyState::gone && !how.readmit) {
        return expect_refused(appended, Errc::refused, "append");
    }
    if (!appended) return refusal("append", appended.error());
    return model_.append(content, key) == *appended ? "" : "append answered another seq";
}

std::string Life::append_batch(std::uint64_t choice) {
    std::vector<Content> contents;
    std::vector<std::string> bodies;
    for (std::uint64_t left = 1 + choice % 9; left > 0; --left) {
        contents.push_back(new_content(choice / 3 + left * 7919));
        bodies.push_back(contents.back().body());
    }
    std::vector<NewMessage> messages;
    for (const std::string& body : bodies) messages.push_back({.body = body});
    const auto appended = database_->append(messages);
    if (!appended) return refusal("append", appended.error());
    if (*appended != model_.last().next()) return "append answered another seq";
    for (const Content& content : contents) model_.append(content);
    return {};
}

std::string Life::offer(std::uint64_t choice) {
    std::vector<Content> contents;
    std::vector<std::string> bodies, keys;
    for (std::uint64_t i = 0; i < 1 + choice % 4; ++i) {
        contents.push_back(new_content(choice / 5 + i * 31));
        bodies.push_back(contents.back().body());
        keys.push_back(key_of(choice / 11 + i * 17));
    }
    std::vector<NewMessage> messages;
    for (std::size_t i = 0; i < bodies.size(); ++i) messages.push_back({bodies[i], keys[i]});
    AppendOptions how;
    how.readmit = choice % 3 == 0;
    const bool marks = choice % 2 == 0;
    const std::uint64_t offset = choice % 1000;
    const auto offered = database_->offer(
        messages, how, marks ? std::optional(ImportMark{"a file", offset}) : std::nullopt);
    if (!offered) return refusal("offer", offered.error());

    Seq first;
    for (std::size_t i = 0; i < contents.size(); ++i) {
        const auto state = keys[i].empty() ? Model::KeyState::free : model_.state_of(keys[i]);
        Offered expected = Offered::appended;
        if (state == Model::KeyState::live) expected = Offered::exists;
        if (state == Model::KeyState::gone && !how.readmit) expected = Offered::refused;
        if (offered->outcomes.at(i) != expected) return "offer gave a message another outcome";
        if (expected != Offered::appended) continue;
        const Seq seq = model_.append(contents[i], keys[i]);
        if (first == Seq{}) first = seq;
    }
    if (offered->first != first) return "offer answered another seq";
    if (marks) {
        model_.mark_import("a file", offset);
        if (database_->imported_up_to("a file") != offset) return "the import mark is not there";
    }
    return {};
}

Life::Chosen Life::choose(std::uint64_t choice, bool deleted_too) const {
    Chosen chosen;
    const auto messages = model_.messages();
    const auto take_if = [&](const auto& is_meant) {
        for (const Seq seq : messages) {
            const Model::Entry& entry = model_.at(seq);
            if (!entry.erased && (deleted_too || !entry.deleted) && is_meant(entry)) {
                chosen.seqs.push_back(seq);
            }
        }
    };
    const std::uint64_t way = choice % 8;
    choice /= 8;
    if (way == 0) {
        const std::string author = std::array{"ada", "bo", "cy"}[choice % 3];
        const std::string type = std::array{"post", "vote", "odd"}[choice / 3 % 3];
        chosen.selector = SelectWhere{"/author = \"" + author + "\" and /type = \"" + type + "\""};
        take_if([&](const Model::Entry& entry) {
            const Content& content = entry.versions.back().content;
            return content.is_json && content.author == author && content.type == type;
        });
    } else if (way == 1 && model_.views.contains("by tag")) {
        chosen.selector = SelectView{"by tag", Key("blue")};
        deleted_too = false; // A view has rows of live messages only.
        take_if([&](const Model::Entry& entry) {
            const Content& content = entry.versions.back().content;
            return content.is_json && std::count(content.tags.begin(), content.tags.end(), "blue");
        });
    } else if (way == 2) {
        const std::string key = key_number(choice);
        if (model_.named_by(key)) {
            chosen.selector = SelectKeys{{key}};
            take_if([&](const Model::Entry& entry) { return entry.key == key; });
        } else {
            chosen.selector = std::vector<Seq>{};
        }
    } else {
        std::vector<Seq> some;
        for (std::uint64_t left = 1 + choice % 4; left > 0 && !messages.empty(); --left) {
            choice = choice / 4 + 1000003 * left;
            some.push_back(messages[choice % messages.size()]);
        }
        std::sort(some.begin(), some.end());
        some.erase(std::unique(some.begin(), some.end()), some.end());
        chosen.selector = some;
        for (const Seq seq : some) {
            const Model::Entry& entry = model_.at(seq);
            if (!entry.erased && (deleted_too || !entry.deleted)) chosen.seqs.push_back(seq);
        }
    }
    return chosen;
}

std::string Life::change(Act act, std::uint64_t choice) {
    Chosen chosen = choose(choice, act != Act::remove && act != Act::rederive);
    const auto keep_if = [&](const auto& is_meant) {
        std::erase_if(chosen.seqs, [&](Seq seq) { return !is_meant(model_.at(seq)); });
    };
    if (act == Act::restore) keep_if([](const Model::Entry& entry) { return entry.deleted; });
    if (act == Act::hold) keep_if([](const Model::Entry& entry) { return !entry.held; });
    if (act == Act::release) keep_if([](const Model::Entry& entry) { return entry.held; });

    const auto changed = act == Act::remove     ? database_->delete_messages(chosen.selector)
                         : act == Act::restore  ? database_->restore(chosen.selector)
                         : act == Act::rederive ? database_->rederive(chosen.selector)
                         : act == Act::hold     ? database_->hold(chosen.selector)
                                                : database_->release(chosen.selector);
    if (!changed) return refusal(std::string(name_of(act)), changed.error());
    if (changed->seqs != chosen.seqs) return std::string(name_of(act)) + " took other messages";
    if (chosen.seqs.empty()) return changed->at == Seq{} ? "" : "a change of nothing has an entry";
    const Seq at = act == Act::remove     ? model_.remove(chosen.seqs)
                   : act == Act::restore  ? model_.restore(chosen.seqs)
                   : act == Act::rederive ? model_.rederive(chosen.seqs)
                                          : model_.hold(chosen.seqs, act == Act::hold);
    return changed->at == at ? "" : "a change answered another seq";
}

std::string Life::replace(std::uint64_t choice) {
    const auto messages = model_.messages();
    if (messages.empty()) return {};
    const Seq seq = messages[choice % messages.size()];
    const Content content = new_content(choice / 3);
    const auto changed = database_->replace(seq, content.body());
    if (!model_.is_live(seq)) return expect_refused(changed, Errc::not_found, "replace");
    if (!changed) return refusal("replace", changed.error());
    return model_.replace(seq, content) == changed->at ? "" : "replace answered another seq";
}

std::string Life::erase(std::uint64_t choice) {
    const Chosen chosen = choose(choice, true);
    const auto changed = database_->erase(chosen.selector);
    const auto is_held = [&](Seq seq) { return model_.at(seq).held; };
    if (std::any_of(chosen.seqs.begin(), chosen.seqs.end(), is_held)) {
        return expect_refused(changed, Errc::held, "erase");
    }
    if (!changed && changed.error().code == Errc::busy && (pinned_ || reader_)) {
        const Seq at = model_.erase(chosen.seqs, false);
        if (at != database_->last()) return "an unfinished erasure has another seq";
        const std::string wrong = model_.difference(*database_);
        if (!wrong.empty()) return "while it is pinned: " + wrong;
        pinned_.reset();
        if (reader_) reader_->refresh().value(); // Lets go of the files from before.
        const auto resumed = database_->resume_erasures();
        if (!resumed) return refusal("resume_erasures", resumed.error());
        model_.finish_erasures();
    } else {
        if (!changed) return refusal("erase", changed.error());
        if (changed->seqs != chosen.seqs) return "erase took other messages";
        if (chosen.seqs.empty()) return {};
        if (!changed->receipt || !changed->receipt->finished()) return "erase gave no receipt";
        if (model_.erase(chosen.seqs, true) != changed->at) return "erase answered another seq";
    }
    durable_ = model_.last();
    return search_needles();
}

namespace {

std::string fact_number(std::uint64_t choice) {
    return "<fact " + std::to_string(choice % 5) + '>';
}

FactName fact_name(const std::string& name) {
    return {"facts", Key(name)};
}

} // namespace

std::string Life::put_fact(std::uint64_t choice) {
    const std::string name = fact_number(choice);
    const auto known = model_.facts.find(name);
    const bool again = known != model_.facts.end() && choice % 7 == 0;
    const std::string value = again ? known->second : new_content(choice / 7).text;
    const auto put = database_->put_fact({fact_name(name), value});
    if (!put) return refusal("put_fact", put.error());
    const Seq at = again ? Seq{} : model_.put_fact(name, value);
    return put->at == at ? "" : "put_fact answered another seq";
}

std::string Life::drop_fact(std::uint64_t choice) {
    const std::string name = fact_number(choice);
    const auto dropped = database_->drop_fact(fact_name(name));
    if (!model_.facts.contains(name)) {
        return expect_refused(dropped, Errc::not_found, "drop_fact");
    }
    if (!dropped) return refusal("drop_fact", dropped.error());
    return dropped->at == model_.drop_fact(name) ? "" : "drop_fact answered another seq";
}

std::string Life::erase_fact(std::uint64_t choice) {
    const std::string name = fact_number(choice);
    reader_.reset();
    const auto erased = database_->erase_fact(fact_name(name));
    if (!model_.values_ever.contains(name)) {
        return expect_refused(erased, Errc::not_found, "erase_fact");
    }
    if (!erased) return refusal("erase_fact", erased.error());
    if (erased->at != model_.erase_fact(name)) return "erase_fact answered another seq";
    durable_ = model_.last();
    return search_needles();
}

std::string Life::add_view(std::uint64_t choice) {
    const std::size_t index = choice % meanings().size();
    const Meaning& meaning = meanings()[index];
    const auto added = meaning.is_code() ? database_->add_view(meaning.name, meaning.code())
                                         : database_->add_view(meaning.name, meaning.definition);
    model_.add_view(index);
    return added ? "" : refusal("add_view", added.error());
}

std::string Life::drop_view(std::uint64_t choice) {
    const std::string& name = meanings()[choice % meanings().size()].name;
    const auto dropped = database_->drop_view(name);
    if (!model_.views.contains(name)) return expect_refused(dropped, Errc::not_found, "drop_view");
    model_.drop_view(name);
    return dropped ? "" : refusal("drop_view", dropped.error());
}

std::string Life::crash(std::uint64_t choice) {
    reader_.reset(); // It dies, too.
    disk_.cut_power(kEveryFate[choice % std::size(kEveryFate)], choice);
    close();
    root_ = disk_.root();
    open();
    if (options_.durability != Durability::every_commit) {
        // What is gone is the end of the log, and of it whole operations.
        const Seq last = database_->snapshot().position();
        const auto moment = moments_.find(last);
        if (last < durable_) return "entries that were flushed are lost";
        if (moment == moments_.end()) return "half of an operation is left";
        auto views = std::move(model_.views);
        model_ = moment->second;
        model_.views = std::move(views);
        moments_.erase(std::next(moment), moments_.end());
    }
    model_.open_again();
    durable_ = model_.last();
    return search_needles();
}

} // namespace sluice::test
