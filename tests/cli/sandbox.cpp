#include "sandbox.hpp"

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace sluice::test {
namespace {

/// Replaces this process, a child, by a shell.
[[noreturn]] void become_shell(const std::string& line) {
    ::execl("/bin/bash", "bash", "-c", line.c_str(), static_cast<char*>(nullptr));
    ::_exit(126);
}

int shell_status(int status) {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

} // namespace

Sandbox::Sandbox() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-cli-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    folder_ = name;
}

Sandbox::~Sandbox() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

void Sandbox::write(const std::string& name, std::string_view content) const {
    std::ofstream(path(name), std::ios::binary) << content;
}

std::string Sandbox::read(const std::string& name) const {
    std::ostringstream content;
    content << std::ifstream(path(name), std::ios::binary).rdbuf();
    return content.str();
}

Ran Sandbox::run(const std::string& line) const {
    const pid_t child = ::fork();
    if (child == 0) {
        if (::chdir(folder_.c_str()) != 0) ::_exit(126);
        become_shell("sluice() { " SLUICE_PROGRAM " \"$@\"; }\n{ " + line +
                     "\n} </dev/null >.out 2>.err");
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return {shell_status(status), read(".out"), read(".err")};
}

std::string Sandbox::ok(const std::string& line) const {
    const Ran ran = run(line);
    EXPECT_EQ(ran.status, 0) << line << "\n" << ran.err;
    return ran.out;
}

Ran Sandbox::run_and_signal(const std::string& arguments, int signal, const std::string& name,
                            std::uint64_t bytes) const {
    const pid_t child = ::fork();
    if (child == 0) {
        if (::chdir(folder_.c_str()) != 0) ::_exit(126);
        become_shell("exec " SLUICE_PROGRAM " " + arguments + " </dev/null >.out 2>.err");
    }
    int status = 0;
    pid_t ended = 0;
    while (ended == 0 && size_of(name) < bytes) {
        ::usleep(50);
        ended = ::waitpid(child, &status, WNOHANG);
    }
    if (ended == 0) {
        ::kill(child, signal);
        ::waitpid(child, &status, 0);
    }
    return {shell_status(status), read(".out"), read(".err")};
}

std::uint64_t Sandbox::size_of(const std::string& name) const {
    std::uint64_t bytes = 0;
    std::error_code vanished; // Files come and go while another process works on them.
    std::filesystem::recursive_directory_iterator file(folder_ / name, vanished);
    for (const std::filesystem::recursive_directory_iterator end; !vanished && file != end;
         file.increment(vanished)) {
        std::error_code no_file;
        const std::uint64_t size = file->file_size(no_file);
        if (!no_file) bytes += size;
    }
    return bytes;
}

std::string Sandbox::all_bytes(const std::string& name) const {
    std::ostringstream content;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ / name)) {
        if (!entry.is_regular_file() || entry.file_size() == 0) continue;
        content << std::ifstream(entry.path(), std::ios::binary).rdbuf() << '\0';
    }
    return content.str();
}

bool Sandbox::holds(const std::string& name, std::string_view needle) const {
    return all_bytes(name).find(needle) != std::string::npos;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

} // namespace sluice::test
