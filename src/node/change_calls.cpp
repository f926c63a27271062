// Changing the past.
#include "node/calls.hpp"

namespace sluice::node {
namespace {

using ChangeFunction = Result<Changed> (Database::*)(const Selector&, const ChangeOptions&);

/// (database, selector, options) -> what it did
template <ChangeFunction change> Napi::Value change_selected(const Napi::CallbackInfo& info) {
    return work_later(
        info,
        [selector = selector_of(info[1]), options = change_options_of(info[2])](
            Database& database) { return (database.*change)(selector, options); },
        itself);
}

/// (database, seq, body, options) -> what it did
Napi::Value replace(const Napi::CallbackInfo& info) {
    return work_later(
        info,
        [seq = entry_of(info[1]), body = bytes_of(info[2]), options = change_options_of(info[3])](
            Database& database) { return database.replace(seq, body, options); },
        itself);
}

/// (database, selector, whether deleted ones too) -> seqs
Napi::Value select(const Napi::CallbackInfo& info) {
    return read_later(
        info,
        [selector = selector_of(info[1]), deleted_too = info[2].ToBoolean().Value()](
            Database& database) { return database.select(selector, deleted_too); },
        itself);
}

/// (database) -> receipts
Napi::Value receipts(const Napi::CallbackInfo& info) {
    return read_later(
        info,
        [](Database& database) -> Result<std::vector<Receipt>> { return database.receipts(); },
        itself);
}

} // namespace

void add_change_calls(Napi::Env env, Napi::Object& exports) {
    exports.Set("delete", Napi::Function::New(env, change_selected<&Database::delete_messages>));
    exports.Set("restore", Napi::Function::New(env, change_selected<&Database::restore>));
    exports.Set("erase", Napi::Function::New(env, change_selected<&Database::erase>));
    exports.Set("rederive", Napi::Function::New(env, change_selected<&Database::rederive>));
    exports.Set("hold", Napi::Function::New(env, change_selected<&Database::hold>));
    exports.Set("release", Napi::Function::New(env, change_selected<&Database::release>));
    exports.Set("replace", Napi::Function::New(env, replace));
    exports.Set("select", Napi::Function::New(env, select));
    exports.Set("receipts", Napi::Function::New(env, receipts));
}

} // namespace sluice::node
