// Opening and closing.
#include "node/calls.hpp"

#include <sluice/scuttlebutt.hpp>

namespace sluice::node {
namespace {

struct Wish {
    std::string path;
    double id = 0;
    bool creates = true;
    bool is_scuttlebutt = false;
    Options options;
    ProgressFunction progress;
};

Wish wish_of(const Napi::CallbackInfo& info) {
    const Members members(info[2]);
    Wish wish;
    wish.path = bytes_of(info[0]);
    wish.id = info[1].As<Napi::Number>().DoubleValue();
    members.read("create", wish.creates);
    members.read("scuttlebutt", wish.is_scuttlebutt);
    members.read("readOnly", wish.options.read_only);
    members.read("syncIntervalMs", wish.options.sync_interval);
    members.read("erasePatienceMs", wish.options.erase_patience);
    members.read("viewMemoryBytesMax", wish.options.view_memory_bytes_max);
    std::string durability = "every-commit";
    members.read("durability", durability);
    if (durability == "interval") wish.options.durability = Durability::interval;
    if (durability == "none") wish.options.durability = Durability::none;
    if (wish.is_scuttlebutt) {
        wish.options.transforms = scuttlebutt::transforms();
        wish.options.keep_out = scuttlebutt::is_of_blocked_feed;
    }
    wish.progress = progress_of(members.get("call"));
    return wish;
}

using Opened = Result<std::unique_ptr<Database>>;

Opened open_or_create(const Wish& wish) {
    auto opened = Database::open(wish.path, wish.options, wish.progress);
    const bool is_missing = !opened && opened.error().code == Errc::not_found;
    if (is_missing && wish.creates && !wish.options.read_only) {
        const auto created = Database::create(wish.path);
        opened = Database::open(wish.path, wish.options, wish.progress);
        // Where it could not be made, somebody else may have done so meanwhile.
        const bool is_still_missing = !opened && opened.error().code == Errc::not_found;
        if (!created && is_still_missing) return created.error();
    }
    if (!opened || !wish.is_scuttlebutt || wish.options.read_only) return opened;
    const auto used = (*opened)->use_transforms(wish.options.transforms.names(), wish.progress);
    if (!used) return used.error();
    return opened;
}

/// One call of open(). Deletes itself.
class Opening final : public Napi::AsyncWorker {
public:
    explicit Opening(const Napi::CallbackInfo& info)
        : AsyncWorker(info.Env()), wish_(wish_of(info)),
          promise_(Napi::Promise::Deferred::New(info.Env())) {}
    Napi::Value promise() const { return promise_.Promise(); }

private:
    void Execute() override {
        opened_ = or_error([&] { return open_or_create(wish_); });
    }
    void OnOK() override {
        settle(Env(), promise_, *opened_,
               [this](Napi::Env env, std::unique_ptr<Database>& database) {
                   const auto open = std::make_shared<OpenDatabase>(
                       env, wish_.id, std::move(database), wish_.options);
                   Addon::of(env).databases.emplace(wish_.id, open);
                   return part_of(env, open);
               });
    }

    Wish wish_;
    Napi::Promise::Deferred promise_;
    std::optional<Opened> opened_;
};

/// (path, id, options) -> the handle of a database
Napi::Value open(const Napi::CallbackInfo& info) {
    auto* const opening = new Opening(info);
    opening->Queue();
    return opening->promise();
}

/// (database) -> undefined, when its files are free
Napi::Value close(const Napi::CallbackInfo& info) {
    const auto open = database_of(info);
    const auto promise = Napi::Promise::Deferred::New(info.Env());
    open->close([open, promise](Napi::Env env, const Result<void>&) {
        open->close_now(); // Its thread.
        promise.Resolve(env.Undefined());
    });
    return promise.Promise();
}

/// (): from here on the process does not end for want of anything to do, until as many letDie().
void keep_alive(const Napi::CallbackInfo& info) {
    Addon::of(info.Env()).js.begin_work();
}
void let_die(const Napi::CallbackInfo& info) {
    Addon::of(info.Env()).js.end_work();
}

/// (database): from here on Hooks::on_entry is called.
void watch(const Napi::CallbackInfo& info) {
    database_of(info)->watch();
}

} // namespace

void add_open_calls(Napi::Env env, Napi::Object& exports) {
    exports.Set("open", Napi::Function::New(env, open));
    exports.Set("close", Napi::Function::New(env, close));
    exports.Set("keepAlive", Napi::Function::New(env, keep_alive));
    exports.Set("letDie", Napi::Function::New(env, let_die));
    exports.Set("watch", Napi::Function::New(env, watch));
}

} // namespace sluice::node
