// Adding, dropping and reading views.
#include "node/calls.hpp"
#include "node/messages.hpp"
#include "node/view_function.hpp"

namespace sluice::node {
namespace {

/// (database, [[name, definition]], app, call) -> undefined
Napi::Value add_views(const Napi::CallbackInfo& info) {
    std::vector<Database::NewView> views;
    const auto list = info[1].As<Napi::Array>();
    for (std::uint32_t i = 0; i < list.Length(); ++i) {
        const auto pair = strings_of(list.Get(i));
        views.push_back({pair.at(0), pair.at(1), bytes_of(info[2])});
    }
    return work_later(
        info,
        [views, progress = progress_of(info[3])](Database& database) {
            return database.add_views(views, progress);
        },
        nothing);
}

/// (database, name, {app, version, definition, readOn}, number of the function, call) -> undefined
Napi::Value add_code_view(const Napi::CallbackInfo& info) {
    const Members members(info[2]);
    CodeView view;
    members.read("app", view.app);
    members.read("version", view.version);
    members.read("definition", view.definition);
    bool reads_on = false;
    members.read("readOn", reads_on);
    view.when_behind = reads_on ? WhenBehind::read_on : WhenBehind::wait;
    set_function(view, Addon::of(info.Env()), info[3].As<Napi::Number>().DoubleValue());
    return work_later(
        info,
        [name = bytes_of(info[1]), view, progress = progress_of(info[4])](Database& database) {
            return database.add_view(name, view, progress);
        },
        nothing);
}

/// (database, name) -> undefined
Napi::Value drop_view(const Napi::CallbackInfo& info) {
    return work_later(
        info, [name = bytes_of(info[1])](Database& database) { return database.drop_view(name); },
        nothing);
}

/// (database, call) -> undefined
Napi::Value wait_for_views(const Napi::CallbackInfo& info) {
    return work_later(
        info,
        [progress = progress_of(info[1])](Database& database) {
            return database.wait_for_views(progress);
        },
        nothing);
}

Napi::Value view_to_js(Napi::Env env, const ViewInfo& view) {
    return JsObject(env)
        .set("name", view.name)
        .set("kind", view.kind)
        .set("app", view.app)
        .set("version", view.version)
        .set("definition", view.definition)
        .set("loaded", view.loaded)
        .set("since", view.since)
        .set("rows", view.rows)
        .set("segments", view.segments)
        .set("bytes", view.bytes)
        .set("errors", view.errors)
        .set("state", name_of(view.state))
        .set("pending", view.pending)
        .value();
}

/// (database) -> views
Napi::Value views(const Napi::CallbackInfo& info) {
    return read_later(
        info, [](Database& database) -> Result<std::vector<ViewInfo>> { return database.views(); },
        [](Napi::Env env, const std::vector<ViewInfo>& all) {
            return list_to_js(env, all, view_to_js);
        });
}

Napi::Value app_to_js(Napi::Env env, const AppInfo& app) {
    std::vector<std::string> names;
    for (const ViewInfo& view : app.views) names.push_back(view.name);
    return JsObject(env)
        .set("name", app.name)
        .set("views", names)
        .set("opened", app.opened_ms)
        .value();
}

/// (database) -> [{name, views, opened}]
Napi::Value apps(const Napi::CallbackInfo& info) {
    return read_later(
        info, [](Database& database) -> Result<std::vector<AppInfo>> { return database.apps(); },
        [](Napi::Env env, const std::vector<AppInfo>& all) {
            return list_to_js(env, all, app_to_js);
        });
}

/// (database, app, whether only to say) -> {dropped, kept}
Napi::Value forget_app(const Napi::CallbackInfo& info) {
    return work_later(
        info,
        [app = bytes_of(info[1]), dry_run = info[2].ToBoolean().Value()](Database& database) {
            return database.forget_app(app, {.dry_run = dry_run});
        },
        [](Napi::Env env, const Forgotten& forgotten) {
            return JsObject(env)
                .set("dropped", forgotten.dropped)
                .set("kept", forgotten.kept)
                .value();
        });
}

/// Whether rows come with their messages.
enum class WithMessages : std::uint8_t {
    no,
    yes,
    if_rows, ///< Groups come without.
};

/// A walk through a view. Begun by the first call, on the thread that makes it.
struct ViewReader final : Part {
    ViewReader(std::shared_ptr<OpenDatabase> from, std::string view, ReadOptions read,
               WithMessages messages_too)
        : open(std::move(from)), snapshot(open->database().snapshot()), name(std::move(view)),
          options(std::move(read)), with_messages(messages_too) {
        open->add(*this);
    }
    ~ViewReader() override { open->remove(*this); }
    void drop() override {
        cursor.reset();
        snapshot.reset();
    }
    /// Errors: as Snapshot::read().
    Result<void> begin() {
        if (cursor) return {};
        auto begun = snapshot->read(name, options);
        if (!begun) return begun.error();
        cursor.emplace(*std::move(begun));
        return {};
    }

    /// Whether the row that the cursor is at comes with one.
    bool has_message() const {
        const bool is_group = cursor->seq() == Seq{};
        return with_messages == WithMessages::yes ||
               (with_messages == WithMessages::if_rows && !is_group);
    }

    std::shared_ptr<OpenDatabase> open;
    std::optional<Snapshot> snapshot;
    std::optional<ViewCursor> cursor;
    std::string name;
    ReadOptions options;
    WithMessages with_messages;
};

/// (database, name, read options, WithMessages) -> a reader
Napi::Value read_view(const Napi::CallbackInfo& info) {
    return part_of(info.Env(), std::make_shared<ViewReader>(
                                   database_of(info), bytes_of(info[1]), read_options_of(info[2]),
                                   static_cast<WithMessages>(seq_of(info[3]).value)));
}

/// Rows on their way: keys and values as one JSON text each.
struct ViewPiece {
    std::string keys;
    std::vector<double> seqs;
    std::string values; ///< Of groups.
    MessageBatch messages;
    bool is_last = false;

    void add(const ViewCursor& cursor) {
        keys += seqs.empty() ? "[" : ",";
        keys += cursor.key().to_json();
        const std::string value = cursor.value();
        values += seqs.empty() ? "[" : ",";
        values += value.empty() ? "null" : value;
        has_values = has_values || !value.empty();
        seqs.push_back(static_cast<double>(cursor.seq().value));
    }
    std::size_t size_bytes() const { return keys.size() + values.size() + messages.size_bytes(); }
    Napi::Value take(Napi::Env env, bool with_messages) {
        JsObject object(env);
        object.set("keys", seqs.empty() ? std::string("[]") : keys + ']');
        object.set("seqs", seqs).set("done", is_last);
        if (has_values) object.set("values", values + ']');
        if (with_messages) object.set("messages", messages.take(env));
        return object.value();
    }

private:
    bool has_values = false;
};

constexpr std::size_t kPieceBytesMax = 4 * 1024 * 1024;

/// (database, reader, count) -> {keys, seqs, values, messages, done}
Napi::Value next_rows(const Napi::CallbackInfo& info) {
    const auto reader = part_at<ViewReader>(info, 1);
    return read_later(
        info,
        [reader, count = seq_of(info[2]).value](Database&) -> Result<ViewPiece> {
            ViewPiece piece;
            if (const auto begun = reader->begin(); !begun) return begun.error();
            while (piece.seqs.size() < count && piece.size_bytes() < kPieceBytesMax) {
                if (!reader->cursor->next()) {
                    if (const auto status = reader->cursor->status(); !status) {
                        return status.error();
                    }
                    piece.is_last = true;
                    reader->drop();
                    break;
                }
                piece.add(*reader->cursor);
                if (!reader->has_message()) continue;
                const auto message = reader->cursor->message();
                if (!message) return message.error();
                piece.messages.add(*message);
            }
            return piece;
        },
        [reader](Napi::Env env, ViewPiece& piece) {
            return piece.take(env, reader->with_messages != WithMessages::no);
        });
}

/// (database, name, read options) -> how many rows
Napi::Value count_rows(const Napi::CallbackInfo& info) {
    return read_later(
        info,
        [name = bytes_of(info[1]),
         options = read_options_of(info[2])](Database& database) -> Result<std::uint64_t> {
            const Snapshot snapshot = database.snapshot();
            auto cursor = snapshot.read(name, options);
            if (!cursor) return cursor.error();
            const std::uint64_t count = cursor->count_rest();
            if (const auto status = cursor->status(); !status) return status.error();
            return count;
        },
        [](Napi::Env env, std::uint64_t count) { return to_js(env, count); });
}

} // namespace

void add_view_calls(Napi::Env env, Napi::Object& exports) {
    exports.Set("addViews", Napi::Function::New(env, add_views));
    exports.Set("addCodeView", Napi::Function::New(env, add_code_view));
    exports.Set("dropView", Napi::Function::New(env, drop_view));
    exports.Set("waitForViews", Napi::Function::New(env, wait_for_views));
    exports.Set("views", Napi::Function::New(env, views));
    exports.Set("apps", Napi::Function::New(env, apps));
    exports.Set("forgetApp", Napi::Function::New(env, forget_app));
    exports.Set("readView", Napi::Function::New(env, read_view));
    exports.Set("endView", Napi::Function::New(env, end_part<ViewReader>));
    exports.Set("nextRows", Napi::Function::New(env, next_rows));
    exports.Set("countRows", Napi::Function::New(env, count_rows));
}

} // namespace sluice::node
