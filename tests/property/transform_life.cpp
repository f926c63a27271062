// Random histories of a database with transforms and views that read.
#include "property/transform_life.hpp"

namespace sluice::test {
namespace {

/// Counts the letters of what the message says, in code.
CodeView letters() {
    CodeView view;
    view.app = "letters";
    view.definition = R"({"kind":"aggregate","value":{"count":true,"sum":true}})";
    view.map = [](const Message& message, Emit& emit) {
        emit(Key("letters"), static_cast<std::int64_t>(message.body.size()));
    };
    return view;
}

std::string author_of(const Message& message) {
    const Value* const author = message.json == nullptr ? nullptr : message.json->find("author");
    return author == nullptr ? "" : std::string(author->as_string().value_or(""));
}

/// Of each message its author with the number of messages that by_author, or whatever has its name,
/// has of that author, and the first of any. Throws for those who wrote exactly three.
CodeView company(const Database& database, std::uint32_t version) {
    CodeView view;
    view.app = "readers";
    view.version = version;
    const Source others = database.rows_of("by_author").value();
    const Source shown = database.rows_of("shown").value();
    view.reads = {others, shown};
    view.map_reading = [others, shown, version](Context& context, const Message& message,
                                                Emit& emit) {
        const std::string author = author_of(message);
        if (author.empty()) return;
        const std::size_t count = context.prefix(others, Key(author)).size();
        if (count == 3) throw std::runtime_error("three is a crowd");
        const auto last = context.last(shown, Key{});
        emit(Key(author, count, last ? last->encoded_key.substr(0, 40) : "none", version));
    };
    return view;
}

/// Reads facts, cells of a transform and the rows of company.
CodeView gossip(const Database& database, const Source& edits) {
    CodeView view;
    view.app = "readers";
    view.definition = R"({"kind":"aggregate","value":{"count":true,"max":true}})";
    const Source company = database.rows_of("company").value();
    view.reads = {company};
    view.map_reading = [edits, company](Context& context, const Message& message, Emit& emit) {
        const std::string author = author_of(message);
        const auto first = context.first(company, Key(author));
        const bool is_blocked = context.has(Source::facts("blocks"), Key("bo"));
        emit(Key(author, is_blocked), static_cast<std::int64_t>(first ? first->owner.value : 0));
        // Throws where the transform is not in use.
        if (context.get(edits, Key("m3", "ada", 1))) emit(Key("edited"));
    };
    return view;
}

} // namespace

TransformLife::TransformLife(std::uint64_t seed) : random_(seed) {
    on_.options = small_files();
    on_.options.view_segment_rows_max = pick(2) == 0 ? 4 : 64;
    on_.options.view_memory_bytes_max = pick(2) == 0 ? 512 : 65536;
    all_code();
    on_.reopen();
    on_.database->add_view("by_author", kByAuthor).value();
    on_.database->add_view("counts", kCounts).value();
    on_.database->add_view("edited", R"({"kind":"index","key":["/edited","/shows","/ranked"]})")
        .value();
    on_.database->add_view("shown", R"({"kind":"index","key":["/shows"]})").value();
    if (pick(2) == 0) use_all();
}

void TransformLife::open_with_all_code() {
    before_closing();
    all_code();
    on_.reopen();
    on_.database->add_view("letters", letters()).value();
    load_readers();
}

void TransformLife::load_readers() {
    static_cast<void>(on_.database->add_view("company", company(*on_.database, version_)));
    if (!on_.database->rows_of("company")) return;
    static_cast<void>(on_.database->add_view("gossip", gossip(*on_.database, toy_edit_links())));
}

std::string TransformLife::message() {
    const std::string author = R"("author":")" + one_of<std::string>({"ada", "bo"}) + "\"";
    switch (pick(6)) {
    case 0:
        return "{" + author + R"(,"edit":")" + name("m", 8) + R"(","n":)" +
               std::to_string(pick(3)) + R"(,"text":")" + text() + "\"}";
    case 1: return "{" + author + R"(,"blob":")" + name("b", 3) + "\"}";
    case 2: return "{" + author + R"(,"rank":true})";
    case 3:
        return R"({"box":")" + name("k", 3) + R"(","inner":{)" + author + R"(,"edit":")" +
               name("m", 8) + R"(","n":1,"text":")" + text() + "\"}}";
    case 4:
        return R"({"box":")" + name("k", 3) + R"(","inner":{)" + author + R"(,"n":4,"text":")" +
               text() + "\"}}";
    default:
        return "{" + author + R"(,"n":)" + std::to_string(pick(5)) + R"(,"text":")" + text() +
               "\"}";
    }
}

FactName TransformLife::fact() {
    switch (pick(3)) {
    case 0: return {"keys", Key(name("k", 3))};
    case 1: return {"blocks", Key(one_of<std::string>({"ada", "bo"}))};
    default: return {"blobs", Key(name("b", 3))};
    }
}

Seqs TransformLife::some_messages() {
    Seqs seqs;
    const std::uint64_t last = on_.database->last().value;
    for (std::size_t i = 0; i <= pick(3) && last > 0; ++i) {
        const Seq seq{1 + pick(last)};
        const auto record = on_.database->snapshot().get(seq);
        if (record && record->state != Record::State::change) seqs.push_back(seq);
    }
    return seqs;
}

std::string TransformLife::act() {
    Database& database = *on_.database;
    switch (pick(24)) {
    default: {
        std::vector<std::string> bodies;
        std::vector<std::string> keys;
        for (std::size_t i = 0; i <= pick(6); ++i) {
            bodies.push_back(message());
            keys.push_back(pick(3) == 0 ? "" : "m" + std::to_string(++key_count_));
        }
        std::vector<NewMessage> batch;
        for (std::size_t i = 0; i < bodies.size(); ++i) batch.push_back({bodies[i], keys[i]});
        database.append(batch).value();
        return "append";
    }
    case 0: database.delete_messages(some_messages()).value(); return "delete";
    case 1: database.restore(some_messages()).value(); return "restore";
    case 2:
        if (pick(4) == 0) {
            database.rederive(some_messages()).value();
            return "derive again";
        }
        for (const Seq seq : some_messages()) {
            static_cast<void>(database.replace(seq, message()).has_value());
        }
        return "replace";
    case 3:
        before_destroying();
        database.erase(some_messages()).value();
        return "erase";
    case 4:
    case 5:
    case 6: {
        const FactName name = fact();
        const std::string value = pick(8) == 0 ? "bad" : text();
        database.put_fact({name, value, name.collection == "keys"}).value();
        return "put fact " + name.collection;
    }
    case 7:
        before_destroying();
        static_cast<void>(database.drop_fact(fact()).has_value());
        return "drop fact";
    case 8:
        before_destroying();
        static_cast<void>(database.erase_fact(fact()).has_value());
        return "erase fact";
    case 9:
        if (pick(3) == 0) {
            on_.options.transforms = {};
        } else {
            all_code();
        }
        before_closing();
        on_.reopen();
        return "reopen";
    case 10:
    case 11:
        before_closing();
        on_.crash(one_of({Fate::lost, Fate::kept, Fate::torn}), random_());
        return "crash";
    case 12: database.merge_views().value(); return "merge";
    case 13: {
        if (pick(2) == 0 && !on_.options.transforms.list().empty()) {
            use_all();
        } else { // Maybe one that others wait for, without the code of those.
            const auto names = toy_transform_names();
            static_cast<void>(database.drop_transform(names[pick(names.size())]).has_value());
        }
        return "change the chain";
    }
    case 14:
        static_cast<void>(database.add_view("letters", letters()).has_value());
        return "load code";
    case 15:
    case 16: load_readers(); return "load readers";
    case 17:
        if (pick(3) == 0) ++version_;
        load_readers();
        return "load readers, maybe newer ones";
    case 18:
        switch (pick(4)) {
        case 0: static_cast<void>(database.drop_view("gossip")); break;
        case 1: static_cast<void>(database.drop_view("company")); break;
        case 2: static_cast<void>(database.add_view("by_author", kByAuthor)); break;
        default:
            static_cast<void>(
                database.add_view("by_author", R"({"kind":"index","key":["/author"]})"));
        }
        return "change what is read";
    }
}

} // namespace sluice::test
