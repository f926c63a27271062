// Any bytes as one of the small things that files and rows are made of, with a checksum that is
// right where there is one. What is read of them is written so that it reads the same. The input is
// a byte, which of them, then its bytes.
//
// Code: log/change log/ledger facts/facts catalog/catalog catalog/consumer catalog/derivations
// transform/worklist transform/read_token
// store/manifest_format views/aggregate views/exact_sum views/fold views/declared_fold
// views/link_rows scuttlebutt/read_keys
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/checksum.hpp"
#include "base/key_format.hpp"
#include "catalog/catalog.hpp"
#include "catalog/consumer.hpp"
#include "catalog/derivations.hpp"
#include "facts/facts.hpp"
#include "log/ledger.hpp"
#include "scuttlebutt/read_keys.hpp"
#include "store/manifest_format.hpp"
#include "store/memory_store.hpp"
#include "support/simulated_disk.hpp"
#include "transform/read_token.hpp"
#include "transform/worklist.hpp"
#include "views/fold.hpp"
#include "views/link_rows.hpp"
#include "views/search_rows.hpp"
#include "views/view.hpp"

#include <sluice/scuttlebutt.hpp>

#include <cstddef>
#include <cstdint>

using namespace sluice;

namespace {

void manifest_record(std::string_view payload) {
    using namespace manifest_format;
    std::string file = file_header();
    append_le(file, static_cast<std::uint32_t>(payload.size()));
    append_le(file, checksum32({file.data() + kFileHeaderSizeBytes, 4}));
    append_le(file, checksum64(payload));
    file += payload;
    const Frames frames = decode_frames(file);
    if (!frames.last) return;
    const std::string frame = encode_frame(*frames.last);
    const Frames again = decode_frames(file_header() + frame);
    SLUICE_ASSERT(again.last && encode_frame(*again.last) == frame);
}

void change(std::string_view payload) {
    constexpr Seq kAt{1000};
    const auto change = decode_change(payload, kAt);
    if (!change) return;
    const std::string encoded = encode(*change);
    const auto again = decode_change(encoded, kAt);
    SLUICE_ASSERT(again && encode(*again) == encoded);
    SLUICE_ASSERT(again->seqs == change->seqs && again->body == change->body);
    for (const Seq seq : change->seqs) SLUICE_ASSERT(seq < kAt && seq != Seq{});
    Ledger ledger;
    Facts facts;
    for (const Seq at : {kAt, kAt.next()}) {
        ledger.apply(at, *change);
        facts.apply(at, *change);
    }
    SLUICE_ASSERT(ledger.is_change(kAt) && ledger.is_change(kAt.next()));
    for (const auto& [id, fact] : facts.all()) {
        SLUICE_ASSERT(facts.find(id) == &fact && facts.entries_of(id).size() == 2);
    }
}

void worklist(std::string_view bytes) {
    constexpr Seq kLast{100'000};
    const auto work = decode_worklist(bytes, kLast);
    if (!work) return;
    const std::string encoded = encode(*work);
    const auto again = decode_worklist(encoded, kLast);
    SLUICE_ASSERT(again && encode(*again) == encoded && again->empty() == work->empty());
}

void read_token(std::string_view term) {
    const auto read = describe_read(term);
    for_each_prefix(term,
                    [&](std::string_view prefix) { SLUICE_ASSERT(term.starts_with(prefix)); });
    if (!read) return;
    const ReadTokens tokens({read->view, read->collection});
    switch (read->kind) {
    case Read::exact: SLUICE_ASSERT(tokens.exact(read->key) == term); break;
    case Read::presence: SLUICE_ASSERT(tokens.presence(read->key) == term); break;
    case Read::prefix: SLUICE_ASSERT(tokens.prefix(read->key) == term); break;
    case Read::any: SLUICE_ASSERT(tokens.any(read->key) == term); break;
    case Read::seen: SLUICE_ASSERT(tokens.seen(read->owner, read->key) == term); break;
    case Read::seen_there: SLUICE_ASSERT(tokens.seen_there(read->owner, read->key) == term); break;
    case Read::first:
    case Read::last: break; // Of the bound the description does not say all.
    }
}

void key_fact(std::string_view value) {
    scuttlebutt::ReadKey key;
    const bool is_key = scuttlebutt::read_key(value, key);
    Fact fact;
    fact.name.collection = scuttlebutt::kKeysCollection;
    fact.value = value;
    SLUICE_ASSERT(scuttlebutt::read_key_text(fact).has_value() == is_key);
}

/// The first bit says of which version.
void catalog(std::string_view entries) {
    if (entries.empty()) return;
    test::SimulatedDisk disk;
    const auto directory = disk.root();
    std::string file = Catalog::encode({}, 0);
    file.resize(16); // Magic, checksum and version; then the input: next id, count, entries.
    if (entries[0] % 2 == 0) put_le(file.data() + 12, std::uint32_t{1});
    file += entries.substr(1);
    put_le(file.data() + 8, checksum32(std::string_view(file).substr(12)));
    directory->open("catalog", Create::must).value()->write_at(0, file).value();
    auto opened = Catalog::open(*directory);
    if (!opened) return;
    const auto next = opened->take_id(); // Saves it.
    if (!next) return;                   // There is none left.
    auto again = Catalog::open(*directory).value();
    SLUICE_ASSERT(again.entries() == opened->entries());
    const auto after = again.take_id();
    SLUICE_ASSERT(!after || *after == ViewId{next->value + 1});
}

void consumer(std::string_view payload) {
    std::string file = consumers::encode({});
    file.resize(16); // Magic, checksum and version; then the input: places, numbers, filter.
    file += payload;
    put_le(file.data() + 8, checksum32(std::string_view(file).substr(12)));
    const auto decoded = consumers::decode(file, "consumer");
    if (!decoded) return;
    SLUICE_ASSERT(consumers::decode(consumers::encode(*decoded), "consumer").value() == *decoded);
    const std::string text = decoded->position.text();
    SLUICE_ASSERT(FeedPosition::from_text(text).value() == decoded->position);
}

/// What the catalog keeps of them, and a position that somebody typed.
void derivations(std::string_view text) {
    const Derivations read = Derivations::from_text(text);
    SLUICE_ASSERT(Derivations::from_text(read.text()).text() == read.text());
    static_cast<void>(read.behind_since(1));
    const auto position = FeedPosition::from_text(text);
    if (position) SLUICE_ASSERT(FeedPosition::from_text(position->text()).value() == *position);
}

void search_value(std::string_view bytes) {
    search_rows::Occurrences read, again;
    if (!search_rows::read_value(bytes, read)) return;
    std::string encoded;
    search_rows::append_value(encoded, read.length, read.positions);
    SLUICE_ASSERT(search_rows::read_value(encoded, again));
    SLUICE_ASSERT(again.length == read.length && again.positions == read.positions);
}

/// As the value of a row and as a partial. What was folded once, folded alone, is the same: unless
/// that says of a state which no fold writes that only the rows know it.
void partial(std::string_view bytes) {
    static const std::vector<std::shared_ptr<const View>> kViews = [] {
        std::vector<std::shared_ptr<const View>> views;
        for (const char* const definition :
             {R"({"kind":"aggregate","group":[],"value":{"count":true,"sum":"/n","average":"/m"}})",
              R"({"kind":"aggregate","group":[],"value":{"min":"/n","max":"/n"}})",
              R"({"kind":"fold","group":[],"fold":"first","value":"/n"})",
              R"({"kind":"fold","group":[],"fold":"last","value":"/n"})",
              R"({"kind":"fold","group":[],"fold":"set","value":"/n"})",
              R"({"kind":"fold","group":[],"fold":"list","value":"/n"})",
              R"({"kind":"fold","group":[],"fold":"merge","value":"/n"})",
              R"({"kind":"search","text":["/n"]})"}) {
            views.push_back(compile_view(definition).value());
        }
        return views;
    }();
    for (const auto& view : kViews) {
        const auto reducer = reducer_of(*view);
        if (reducer == nullptr) continue;
        for (const bool is_value : {true, false}) {
            const auto first = reducer->accumulator();
            is_value ? first->add_value(bytes) : first->add_partial(bytes);
            const auto fold_alone = [&](const std::string& partial) {
                const auto again = reducer->accumulator();
                again->add_partial(partial);
                return again->partial();
            };
            const std::string once = fold_alone(first->partial());
            SLUICE_ASSERT(once == first->partial() || kind_of(*view) == ViewKind::fold);
            SLUICE_ASSERT(fold_alone(once) == once);
        }
    }
}

void link_term(std::string_view term) {
    constexpr ViewId kLinks{16};
    MemoryStore store;
    store.add_view({kLinks, nullptr, false});
    StoreCommit commit;
    commit.position = {1};
    StoreCommit::Rows rows{kLinks, {}, {}};
    rows.batch.begin_row({1});
    std::string from, to;
    key_format::append_string(from, link_rows::kFrom);
    key_format::append_string(to, link_rows::kTo);
    for (const std::string& side : {from, to}) {
        std::string whole = side;
        rows.batch.emit(whole.append(term));
    }
    commit.rows.push_back(std::move(rows));
    store.commit(std::move(commit), {}).value();
    const auto snapshot = store.snapshot();
    const auto links = link_rows::read(*snapshot, kLinks, {});
    if (!links) {
        SLUICE_ASSERT(links.error().code == Errc::corrupt);
        return;
    }
    for (const Link& link : *links) {
        const auto found = link_rows::read(*snapshot, kLinks, {.from = link.source});
        SLUICE_ASSERT(found && found->size() == links->size());
        const auto walk = link_rows::walk(*snapshot, kLinks, {.start = link.source});
        SLUICE_ASSERT(walk && walk->complete);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using Read = void (*)(std::string_view);
    static constexpr Read kReads[] = {manifest_record, change,   worklist,     read_token,
                                      key_fact,        catalog,  search_value, partial,
                                      link_term,       consumer, derivations};
    if (size == 0) return 0;
    kReads[data[0] % std::size(kReads)]({reinterpret_cast<const char*>(data + 1), size - 1});
    return 0;
}
