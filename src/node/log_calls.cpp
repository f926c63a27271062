// Appending, and reading the log.
#include "node/calls.hpp"
#include "node/messages.hpp"

namespace sluice::node {
namespace {

/// Messages that JavaScript hands over: their bytes are kept here until they are in the log.
struct HandedMessages {
    std::vector<std::string> bodies;
    std::vector<std::string> keys; ///< As many, or none.

    std::vector<NewMessage> messages() const {
        std::vector<NewMessage> messages;
        messages.reserve(bodies.size());
        for (std::size_t i = 0; i < bodies.size(); ++i) {
            messages.push_back({bodies[i], keys.empty() ? std::string_view() : keys[i]});
        }
        return messages;
    }
};

HandedMessages handed_messages(const Napi::Value& bodies, const Napi::Value& keys) {
    HandedMessages handed{strings_of(bodies), {}};
    if (!keys.IsUndefined()) handed.keys = strings_of(keys);
    return handed;
}

AppendOptions append_options_of(const Napi::Value& readmit) {
    AppendOptions options;
    options.readmit = readmit.ToBoolean();
    options.wait_until_durable = false; // The worker syncs, once for all that wait.
    return options;
}

/// (database, bodies, keys, readmit) -> the first seq
Napi::Value append(const Napi::CallbackInfo& info) {
    return work_later(
        info,
        [handed = handed_messages(info[1], info[2]), options = append_options_of(info[3])](
            Database& database) { return database.append(handed.messages(), options); },
        itself, Sync::shared);
}

std::string_view name_of(Offered outcome) {
    switch (outcome) {
    case Offered::appended: return "appended";
    case Offered::exists: return "exists";
    case Offered::refused: return "refused";
    case Offered::kept_out: return "kept_out";
    }
    return "refused";
}

/// (database, bodies, keys, readmit) -> {first, outcomes}
Napi::Value offer(const Napi::CallbackInfo& info) {
    return work_later(
        info,
        [handed = handed_messages(info[1], info[2]), options = append_options_of(info[3])](
            Database& database) { return database.offer(handed.messages(), options); },
        [](Napi::Env env, const Offer& offer) {
            std::vector<std::string> outcomes;
            for (const Offered each : offer.outcomes) outcomes.emplace_back(name_of(each));
            return JsObject(env).set("first", offer.first).set("outcomes", outcomes).value();
        },
        Sync::shared);
}

/// (database) -> undefined
Napi::Value flush(const Napi::CallbackInfo& info) {
    return work_later(
        info, [](Database& database) { return database.flush(); }, nothing);
}

/// (database, seq or key, stored) -> a message, or undefined
Napi::Value get(const Napi::CallbackInfo& info) {
    const auto open = database_of(info);
    const Snapshot snapshot = open->database().snapshot();
    const bool is_stored = info[2].ToBoolean();
    const auto get = [&](Seq seq) { return is_stored ? snapshot.get(seq) : snapshot.seen(seq); };
    auto record = info[1].IsNumber() ? get(entry_of(info[1])) : snapshot.get(bytes_of(info[1]));
    const bool is_other = info[1].IsString() && record && !is_stored;
    if (is_other) record = get(record->seq);
    if (!record && record.error().code == Errc::not_found) return info.Env().Undefined();
    if (!record) throw_js(info.Env(), record.error());
    return to_js(info.Env(), *record);
}

/// (database) -> the last seq
Napi::Value last(const Napi::CallbackInfo& info) {
    return to_js(info.Env(), database_of(info)->database().last());
}

/// A walk through the log.
struct LogReader final : Part {
    LogReader(std::shared_ptr<OpenDatabase> from, LogRange range)
        : open(std::move(from)), snapshot(open->database().snapshot()),
          cursor(snapshot->log(range)) {
        open->add(*this);
    }
    ~LogReader() override { open->remove(*this); }
    void drop() override {
        cursor.reset();
        snapshot.reset();
    }

    std::shared_ptr<OpenDatabase> open;
    std::optional<Snapshot> snapshot;
    std::optional<LogCursor> cursor;
    std::optional<Error> failed;
};

/// (database, {from, to, reverse, changes, stored}) -> a reader
Napi::Value read_log(const Napi::CallbackInfo& info) {
    const Members members(info[1]);
    LogRange range;
    bool is_stored = false;
    members.read("reverse", range.reverse);
    if (range.reverse) range.from = {};
    members.read("from", range.from);
    if (!members.get("to").IsUndefined()) range.to = seq_of(members.get("to"));
    members.read("changes", range.include_changes);
    members.read("stored", is_stored);
    range.seen = !is_stored;
    return part_of(info.Env(), std::make_shared<LogReader>(database_of(info), range));
}

struct LogPiece {
    MessageBatch messages;
    bool is_last = false;
};

/// (database, reader, count, bytes) -> {messages, done}
Napi::Value next_messages(const Napi::CallbackInfo& info) {
    const auto reader = part_at<LogReader>(info, 1);
    return read_later(
        info,
        [reader, count = seq_of(info[2]).value,
         bytes = seq_of(info[3]).value](Database&) -> Result<LogPiece> {
            LogPiece piece;
            while (piece.messages.count() < count && piece.messages.size_bytes() < bytes) {
                if (reader->failed) return *std::exchange(reader->failed, std::nullopt);
                auto record = reader->cursor->next();
                if (!record) {
                    // What came before it is told first.
                    reader->failed = record.error();
                    if (piece.messages.count() > 0) break;
                    continue;
                }
                if (!*record) {
                    piece.is_last = true;
                    reader->drop();
                    break;
                }
                piece.messages.add(**record);
            }
            return piece;
        },
        [](Napi::Env env, LogPiece& piece) {
            return JsObject(env)
                .set("messages", piece.messages.take(env))
                .set("done", piece.is_last)
                .value();
        });
}

} // namespace

void add_log_calls(Napi::Env env, Napi::Object& exports) {
    exports.Set("append", Napi::Function::New(env, append));
    exports.Set("offer", Napi::Function::New(env, offer));
    exports.Set("flush", Napi::Function::New(env, flush));
    exports.Set("get", Napi::Function::New(env, get));
    exports.Set("last", Napi::Function::New(env, last));
    exports.Set("readLog", Napi::Function::New(env, read_log));
    exports.Set("endLog", Napi::Function::New(env, end_part<LogReader>));
    exports.Set("nextMessages", Napi::Function::New(env, next_messages));
}

} // namespace sluice::node
