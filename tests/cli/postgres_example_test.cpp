// examples/postgres with a real server: the table is the view, through deletes, edits and restarts
// of everybody.
#include "sandbox.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <random>

namespace sluice::test {
namespace {

/// A server of its own in the sandbox, on a socket there and no port.
class PostgresServer {
public:
    explicit PostgresServer(const Sandbox& box) : box_(box) {
        // A server does not run as root.
        const bool is_root = box.run("test \"$(id -u)\" = 0").status == 0;
        const std::string as = is_root ? "runuser -u postgres -- " : "";
        std::filesystem::create_directory(box.path("pg"));
        if (is_root) {
            box.ok("chmod 755 . && chown postgres pg");
        }
        box.write("pg-run", "cd pg\nPATH=$PATH:$(echo /usr/lib/postgresql/*/bin)\nexec " + as +
                                "env PATH=\"$PATH\" \"$@\"\n");
        box.ok("bash pg-run initdb -D data -A trust -U postgres --no-sync");
        std::filesystem::create_directory(box.path("bin"));
        std::filesystem::create_symlink(SLUICE_PROGRAM, box.path("bin/sluice"));
        box.write(
            "env",
            "export PATH=$PWD/bin:$PATH PGHOST=$PWD/pg PGUSER=postgres PGDATABASE=postgres\n");
    }
    ~PostgresServer() { box_.run("bash pg-run pg_ctl -D data -m immediate -w stop"); }
    PostgresServer(const PostgresServer&) = delete;
    PostgresServer& operator=(const PostgresServer&) = delete;

    /// Retries, because what was killed holds its memory for a moment longer.
    void start() const {
        box_.ok(
            "for i in $(seq 50); do bash pg-run pg_ctl -D data -l log -w start -o "
            "\"-k $PWD/pg -c listen_addresses= -c fsync=off -c shared_buffers=1MB\" >pg-out 2>&1 "
            "&& exit 0; sleep 0.1; done; cat pg-out pg/log; exit 1");
    }
    void kill() const { box_.ok("kill -9 $(head -n 1 pg/data/postmaster.pid)"); }

private:
    const Sandbox& box_;
};

TEST(PostgresExample, KeepsATableEqualToAViewThroughDeletesEditsAndRestarts) {
    const Sandbox box;
    if (box.run(
               "PATH=$PATH:$(echo /usr/lib/postgresql/*/bin); command -v initdb && command -v psql")
            .status != 0) {
        GTEST_SKIP() << "PostgreSQL is not installed";
    }
    if (box.run("test \"$(id -u)\" = 0 && ! runuser -u postgres -- true").status == 0) {
        GTEST_SKIP() << "there is no user postgres to run a server as";
    }
    const PostgresServer server(box);
    server.start();
    const std::string follow = std::string(SLUICE_SOURCE_DIR) + "/examples/postgres/follow.sh";
    const std::string follow_once = ". ./env; " + follow + " db by_type --once";
    box.ok("sluice init db");
    box.ok(R"(sluice view add db by_type --json '{"kind":"index","key":["/type","/n"]}')");

    std::mt19937 random(4);
    const auto pick = [&](unsigned below) { return static_cast<int>(random() % below); };
    int last = 1;
    const auto message = [&] {
        // What text in a table cannot hold is in some.
        return R"({"type":"note","n":)" + std::to_string(pick(9)) +
               (pick(3) == 0 ? R"(,"text":"\u0000 \\ \" ' \u2028"})" : R"(,"text":"a"})");
    };
    for (int round = 0; round < 8; ++round) {
        std::string lines;
        for (int i = 0; i < 6; ++i) lines += message() + '\n';
        box.write("lines", lines);
        box.ok("sluice append db <lines");
        last += 6;
        const std::string some = std::to_string(1 + pick(static_cast<unsigned>(last)));
        box.run("sluice delete db --seq " + some);
        box.run("sluice replace db " + some + " --json '" + R"({"type":"note","n":77})" + "'");
        box.run("sluice restore db --seq " + std::to_string(1 + pick(6)));
        if (round == 4) box.run("sluice erase db --yes --seq " + some);
        switch (round % 4) {
        case 0: box.ok(follow_once); break;
        case 1: // The consumer dies, somewhere.
            box.run(". ./env; timeout -s KILL 0.1 " + follow + " db by_type");
            break;
        case 2: // The server dies while it is told.
            box.run("(sleep 0.05; kill -9 $(head -n 1 pg/data/postmaster.pid)) & " + follow_once +
                    "; wait");
            server.start();
            break;
        default: break; // Nobody follows.
        }
    }
    server.kill();
    server.start();
    box.ok(follow_once);
    box.ok(follow_once); // With nothing to tell.
    box.write("table.sql", R"(SELECT '{"key":' || each.value || ',"seq":' || seq || ',"value":')"
                           R"( || messages.value || '}')"
                           " FROM messages, json_array_elements(rows) each");
    box.ok(". ./env; psql -XAt -v ON_ERROR_STOP=1 -f table.sql >unsorted && LC_ALL=C sort unsorted "
           ">table");
    box.ok("sluice read db by_type --values --json | LC_ALL=C sort >view");
    EXPECT_EQ(box.read("table"), box.read("view"));
    EXPECT_GT(lines_of(box.read("view")).size(), 20u);
}

} // namespace
} // namespace sluice::test
