// blob add, get, list, rm, gc: files that messages refer to, kept beside the log by their hash.
#include "base/json.hpp"
#include "base/try.hpp"
#include "cli/motive.hpp"
#include "cli/program.hpp"
#include "io/file.hpp"

#include <sluice/scuttlebutt.hpp>

#include <cerrno>
#include <fstream>
#include <iostream>
#include <set>

namespace sluice::cli {
namespace {

using namespace scuttlebutt;

constexpr const char* kBlobs = "scuttlebutt.blobs";

/// `blobs` in the directory of the database.
Result<std::unique_ptr<BlobStore>> open_blobs(const DatabaseArgument& database) {
    SLUICE_TRY_ASSIGN(const auto root, open_directory(database.path(), Create::never));
    SLUICE_TRY_ASSIGN(auto folder, root->subdirectory("blobs", Create::if_missing));
    return BlobStore::open(std::move(folder));
}

Result<BlobId> blob_id(const std::string& text) {
    if (const auto id = BlobId::parse(text)) return *id;
    return Error{Errc::invalid_argument, "this is no id of a blob: those look like &...=.sha256"};
}

/// First nobody sees it, then it is not there: a crash in between leaves what gc takes away.
Result<Changed> remove_blob(Database& database, BlobStore& blobs, const BlobId& id,
                            const ChangeOptions& options) {
    auto changed = database.erase_fact(blob_name(id), options);
    if (!changed && changed.error().code != Errc::not_found) return changed;
    SLUICE_TRY_ASSIGN(const bool was_there, blobs.remove(id));
    if (!was_there && !changed) {
        return Error{Errc::not_found, "there is no blob " + id.text()};
    }
    return changed ? *changed : Changed{};
}

struct BlobAdd {
    static CommandText text() {
        return {"add",
                "Keep a file as a blob, and show it in the messages that refer to it",
                "Prints its id, which is the hash of its bytes. With --id it must be that one.",
                {"sluice blob add db note.json"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        app.add_option("FILE", file, "The file; - for standard input")->required();
        app.add_option("--id", id, "What its id must be")->type_name("ID");
        motive.describe(app);
    }
    Result<void> run(Session& session) const {
        std::ifstream opened;
        if (file != "-") {
            opened.open(file, std::ios::binary);
            if (!opened) {
                return Error{errno == ENOENT ? Errc::not_found : Errc::io, "opening " + file,
                             errno};
            }
        }
        std::istream& from = file == "-" ? std::cin : opened;
        std::string piece(std::size_t{1} << 20, '\0');
        const BlobStore::Pieces next = [&]() -> Result<std::string_view> {
            from.read(piece.data(), static_cast<std::streamsize>(piece.size()));
            if (from.bad()) return Error{Errc::io, "cannot read " + file, errno};
            return std::string_view(piece).substr(0, static_cast<std::size_t>(from.gcount()));
        };
        // The database first: its lock is the blobs' lock too.
        SLUICE_TRY_ASSIGN(const auto open, database.open(session));
        SLUICE_TRY_ASSIGN(const auto blobs, open_blobs(database));
        BlobId kept;
        if (id.empty()) {
            SLUICE_TRY_ASSIGN(kept, blobs->put(next));
        } else {
            SLUICE_TRY_ASSIGN(kept, blob_id(id));
            if (const auto put = blobs->put(kept, next); !put) {
                return Error{put.error().code, file + ": " + put.error().context,
                             put.error().os_errno};
            }
        }
        SLUICE_TRY_ASSIGN(const auto bytes, blobs->get(kept));
        ProgressLine progress;
        const std::string transform = kBlobs;
        SLUICE_TRY(open->use_transforms(std::span(&transform, 1), progress.function()));
        const PreparedFact fact = blob_fact(kept, bytes.value());
        SLUICE_TRY_ASSIGN(const Changed changed,
                          open->put_fact(fact.fact(), motive.options(progress)));
        if (session.out.json) {
            session.out.line(to_json(changed).add("blob", kept.text()));
        } else {
            session.out.line(kept.text());
            session.note(look_different_text(changed.seqs.size()));
        }
        return {};
    }

    DatabaseArgument database;
    std::string file, id;
    Motive motive;
};

struct BlobGet {
    static CommandText text() {
        return {
            "get",
            "Write a blob to standard output",
            "Its bytes as they were added, checked against the id.",
            {"sluice blob get db '&47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=.sha256' > file"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        app.add_option("ID", id, "The blob")->required();
    }
    Result<void> run(Session& session) const {
        SLUICE_TRY_ASSIGN(const BlobId wanted, blob_id(id));
        SLUICE_TRY_ASSIGN(const auto open, database.open_to_read(session));
        SLUICE_TRY_ASSIGN(const auto blobs, open_blobs(database));
        SLUICE_TRY_ASSIGN(const bool is_there,
                          blobs->read(wanted, [&](std::string_view piece) -> Result<void> {
                              session.out.write(piece);
                              return {};
                          }));
        if (!is_there) return Error{Errc::not_found, "there is no blob " + wanted.text()};
        return {};
    }

    DatabaseArgument database;
    std::string id;
};

struct BlobList {
    static CommandText text() {
        return {"list", "List the blobs", "Their ids and sizes.", {"sluice blob list db"}};
    }
    void describe(CLI::App& app) { database.describe(app); }
    Result<void> run(Session& session) const {
        SLUICE_TRY_ASSIGN(const auto open, database.open_to_read(session));
        SLUICE_TRY_ASSIGN(const auto blobs, open_blobs(database));
        SLUICE_TRY_ASSIGN(const auto ids, blobs->list());
        using Align = Table::Align;
        Table table(session.out, {Align::right, Align::left});
        for (const BlobId& id : ids) {
            SLUICE_TRY_ASSIGN(const auto size, blobs->size_bytes(id));
            if (session.out.json) {
                JsonObject object;
                session.out.line(object.add("blob", id.text()).add("size_bytes", size.value_or(0)));
            } else {
                table.row({size_text(size.value_or(0)), id.text()});
            }
        }
        table.finish();
        return {};
    }

    DatabaseArgument database;
};

struct BlobRemove {
    static CommandText text() {
        return {"rm",
                "Destroy a blob",
                "Messages that refer to it show it as absent, and no file holds its bytes.",
                {"sluice blob rm db '&47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=.sha256' --yes"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        app.add_option("ID", id, "The blob")->required();
        app.add_flag("--yes", yes, "Needed, because it cannot be undone");
        motive.describe(app);
    }
    Result<void> run(Session& session) const {
        if (!yes) throw UsageError{"destroying a blob cannot be undone: say --yes"};
        SLUICE_TRY_ASSIGN(const BlobId wanted, blob_id(id));
        SLUICE_TRY_ASSIGN(const auto open, database.open(session));
        SLUICE_TRY_ASSIGN(const auto blobs, open_blobs(database));
        ProgressLine progress;
        SLUICE_TRY_ASSIGN(const Changed changed,
                          remove_blob(*open, *blobs, wanted, motive.options(progress)));
        if (session.out.json) {
            session.out.line(to_json(changed));
        } else {
            session.out.line("destroyed the blob");
        }
        return {};
    }

    DatabaseArgument database;
    std::string id;
    bool yes = false;
    Motive motive;
};

struct BlobCollect {
    static CommandText text() {
        return {"gc",
                "Destroy the blobs that no live message refers to",
                "Messages count as views see them: what a private message refers to is kept only "
                "while a key opens it. --dry-run only lists the blobs.",
                {"sluice blob gc db --dry-run", "sluice blob gc db --yes"}};
    }
    void describe(CLI::App& app) {
        database.describe(app);
        app.add_flag("--dry-run", dry_run, "List them and destroy nothing");
        app.add_flag("--yes", yes, "Needed, because it cannot be undone");
        motive.describe(app);
    }
    Result<void> run(Session& session) const {
        if (!yes && !dry_run) {
            throw UsageError{"destroying blobs cannot be undone: say --yes, or --dry-run first"};
        }
        SLUICE_TRY_ASSIGN(const auto open, database.open(session));
        SLUICE_TRY_ASSIGN(const auto blobs, open_blobs(database));
        SLUICE_TRY_ASSIGN(const auto kept, blobs->list());
        std::set<std::string> unused;
        for (const BlobId& id : kept) unused.insert(id.text());
        for (const Fact& fact : open->facts(kBlobsCollection)) {
            if (const auto id = id_of(fact)) unused.insert(*id);
        }
        ProgressLine progress;
        SLUICE_TRY(forget_used(*open, unused, progress.function()));
        for (const std::string& id : unused) {
            if (!dry_run) {
                const auto removed =
                    remove_blob(*open, *blobs, *BlobId::parse(id), motive.options(progress));
                if (!removed) return removed.error();
            }
            if (session.out.json) {
                JsonObject object;
                session.out.line(object.add("blob", id).add_bool("destroyed", !dry_run));
            } else {
                session.out.line(id);
            }
        }
        session.note((dry_run ? "would destroy " : "destroyed ") +
                     count_text(unused.size(), "blob", "blobs"));
        return {};
    }

    static std::optional<std::string> id_of(const Fact& fact) {
        JsonParser parser;
        const std::string json = fact.name.key.to_json();
        const Value* const key = parser.parse(json);
        if (key == nullptr || key->elements().size() != 1) return std::nullopt;
        const auto text = key->elements().front().as_string();
        const auto id = text ? BlobId::parse(*text) : std::nullopt;
        return id ? std::optional(id->text()) : std::nullopt;
    }
    static Result<void> forget_used(const Database& database, std::set<std::string>& unused,
                                    const ProgressFunction& tell) {
        const Snapshot snapshot = database.snapshot();
        LogCursor log = snapshot.log({.seen = true});
        JsonParser parser;
        while (!unused.empty()) {
            SLUICE_TRY_ASSIGN(const auto record, log.next());
            if (!record) break;
            if (tell && record->seq.value % 4096 == 0) {
                tell({"looking for blobs", record->seq.value, snapshot.position().value});
            }
            const Message message{record->seq, record->key, record->body,
                                  parser.parse(record->body)};
            for (const std::string& id : blobs_named_by(message)) unused.erase(id);
        }
        return {};
    }

    DatabaseArgument database;
    bool dry_run = false, yes = false;
    Motive motive;
};

} // namespace

void add_blob_commands(Program& program) {
    program.begin_group("Scuttlebutt");
    CLI::App& blob = program.add_app(
        program.app(), {"blob",
                        "Add, get, list and destroy blobs",
                        "Files that messages refer to by the hash of their bytes. Messages show "
                        "which of them are there.",
                        {}});
    blob.require_subcommand(1);
    program.add<BlobAdd>(blob);
    program.add<BlobGet>(blob);
    program.add<BlobList>(blob);
    program.add<BlobRemove>(blob);
    program.add<BlobCollect>(blob);
}

} // namespace sluice::cli
