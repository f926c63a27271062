#include "cli/exit_status.hpp"

namespace sluice::cli {

const std::vector<ExitStatusMeaning>& exit_status_meanings() {
    static const std::vector<ExitStatusMeaning> meanings = {
        {kExitOk, "done"},
        {kExitDifferences, "verify or check found something wrong, or repair left some of it"},
        {kExitUsage, "the command line makes no sense"},
        {exit_status_of(Errc::io), "io: the operating system refused"},
        {exit_status_of(Errc::no_space), "no_space: the device is full"},
        {exit_status_of(Errc::corrupt), "corrupt: damaged, and the message says where"},
        {exit_status_of(Errc::not_found), "not_found: no such entry, key, view, file or database"},
        {exit_status_of(Errc::busy),
         "busy: another process has the database, or reads what is erased"},
        {exit_status_of(Errc::invalid_argument), "invalid_argument: asked for what cannot be"},
        {exit_status_of(Errc::unsupported_version), "unsupported_version: made by a newer sluice"},
        {exit_status_of(Errc::exists), "exists: the name or application key is taken"},
        {exit_status_of(Errc::held), "held: a legal hold forbids it"},
        {exit_status_of(Errc::refused),
         "refused: the application key was deleted or erased, or a file is a link"},
        {exit_status_of(Errc::latched), "latched: an earlier write failed"},
        {exit_status_of(Errc::read_only), "read_only: opened to read, and asked to write"},
        {exit_status_of(Errc::ended), "ended: an erasure elsewhere did not wait for this reader"},
        {kExitInterrupted, "interrupted by Ctrl-C; import goes on when it is run again"},
        {kExitPipeClosed, "whoever read the output has closed it"},
    };
    return meanings;
}

} // namespace sluice::cli
