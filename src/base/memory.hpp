// When there is no memory left, or no code any more.
#pragma once
#include <sluice/result.hpp>
#include <sluice/view.hpp>

#include <cerrno>
#include <new>
#include <system_error>

namespace sluice {

/// Short enough to be made without memory.
inline Error out_of_memory() {
    return {Errc::io, "out of memory", ENOMEM};
}

/// What `call` answers; or, where the system had no memory or no thread for it, or an application
/// no code any more, that.
template <typename Call> auto or_out_of_memory(const Call& call) -> decltype(call()) {
    try {
        return call();
    } catch (const std::bad_alloc&) {
        return out_of_memory();
    } catch (const std::system_error& error) {
        return Error{Errc::io, "no thread", error.code().value()};
    } catch (const CodeGone& gone) {
        return Error{Errc::ended, gone.what()};
    }
}

/// Runs code that is not ours; false if it threw, and what that costs is for the caller to say.
/// Running out of memory passes, and that the code is gone: they fail the call that we are in.
/// Counted as the code's own fault, they would mark for long what was only lacking for a moment.
template <typename Code> bool run_foreign(const Code& code) {
    try {
        code();
        return true;
    } catch (const std::bad_alloc&) {
        throw;
    } catch (const CodeGone&) {
        throw;
    } catch (...) {
        return false;
    }
}

} // namespace sluice
