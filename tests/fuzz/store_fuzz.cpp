// The files of the views, segments and manifests, overwritten here and there, cut, removed and
// exchanged. As they are found, a view shows the rows that it had when some record was written, or
// none and an error. With their checksums made right, as a forger would, rows may be any; opening,
// reading, merging and purging still end, within what the files hold. The input is a byte, whether
// checksums are made right, then strikes.
//
// Code: store/segment store/segment_format store/segment_cursor store/segment_merge store/manifest
// store/manifest_format store/segment_files store/purge
#include "base/assert.hpp"
#include "base/checksum.hpp"
#include "fuzz/strike.hpp"
#include "store/manifest_format.hpp"
#include "store/segment_store.hpp"
#include "store/store_test_support.hpp"
#include "support/simulated_disk.hpp"
#include "views/search_rows.hpp"

#include <cstddef>
#include <cstdint>
#include <map>

using namespace sluice;

namespace {

constexpr ViewId kPlain{16}, kReduced{17};
constexpr std::uint64_t kRounds = 3, kRowsOfRound = 14;
constexpr Seq kErased{3}, kDeleted{10};

SegmentStoreOptions options() {
    SegmentStoreOptions small;
    small.segment_rows_max = 8;
    small.background = false;
    return small;
}

Gone gone() {
    Gone gone;
    gone.erased.insert(kErased);
    for (const Seq seq : {kErased, kDeleted}) gone.deleted.insert(seq);
    return gone;
}

void add_views(SegmentStore& store) {
    store.add_view({kPlain, nullptr, false});
    store.add_view({kReduced, search_rows::length_reducer(), false});
}

StoreCommit round(std::uint64_t number) {
    StoreCommit commit;
    commit.position = {number * kRowsOfRound};
    commit.attachment = "round " + std::to_string(number);
    for (const ViewId view : {kPlain, kReduced}) {
        StoreCommit::Rows rows{view, {}, {}};
        for (std::uint64_t i = 1; i <= kRowsOfRound; ++i) {
            // A gap in the seqs, and rows that take the place of earlier ones.
            const std::uint64_t seq = i == 1 && number > 1 ? 5 : (number - 1) * kRowsOfRound + i;
            if (seq % 9 == 0) continue;
            rows.batch.begin_row({seq});
            rows.batch.emit("term " + std::to_string(seq % 5), std::string(1, 'a'));
            if (view == kPlain && seq % 3 == 0) rows.batch.emit("more", std::string(seq, 'v'));
        }
        commit.rows.push_back(std::move(rows));
    }
    return commit;
}

/// All that a view shows; nothing if it says that it is damaged. The index of terms of a forged
/// file need not have them.
std::optional<std::string> shown(const StoreSnapshot& snapshot, ViewId view,
                                 bool is_forged = false) {
    std::string text;
    for (const bool reverse : {false, true}) {
        ScanRange range;
        range.reverse = reverse;
        const auto cursor = snapshot.scan(view, range);
        while (cursor->next()) {
            text.append(cursor->term()).append(1, '@').append(std::to_string(cursor->seq().value));
            text.append(1, '=').append(cursor->value()).append(1, ' ');
        }
        if (!cursor->status()) return std::nullopt;
    }
    const auto groups = snapshot.groups(view, {});
    while (groups->next()) {
        text.append(groups->term()).append(groups->partial()).append(1, ' ');
        const std::string_view term = groups->term();
        SLUICE_ASSERT(snapshot.may_have(view, {&term, 1})[0] || is_forged);
        text += std::to_string(snapshot.scan(view, ScanRange::exact(term))->count_rest());
    }
    if (!groups->status()) return std::nullopt;
    for (std::uint64_t seq = 1; seq <= kRounds * kRowsOfRound; ++seq) {
        for (const auto& emission : snapshot.row(view, {seq})) text += emission.term;
    }
    return text;
}

void seal_manifest(std::string& bytes) {
    using namespace manifest_format;
    if (bytes.size() < kFileHeaderSizeBytes) return;
    put_le(bytes.data() + 12, checksum32({bytes.data(), 12}));
    std::size_t at = kFileHeaderSizeBytes;
    while (bytes.size() - at >= kFrameHeaderSizeBytes) {
        char* const frame = bytes.data() + at;
        const auto payload_size = get_le<std::uint32_t>(frame);
        if (payload_size > bytes.size() - at - kFrameHeaderSizeBytes) return;
        put_le(frame + 4, checksum32({frame, 4}));
        put_le(frame + 8, checksum64({frame + kFrameHeaderSizeBytes, payload_size}));
        at += kFrameHeaderSizeBytes + payload_size;
    }
}

void seal(Directory& directory) {
    for (const std::string& name : directory.list().value()) {
        const auto file = directory.open(name, Create::never).value();
        std::string bytes(file->size_bytes(), '\0');
        file->read_at(0, bytes.data(), bytes.size()).value();
        name.starts_with("manifest") ? seal_manifest(bytes) : test::seal_segment(bytes);
        file->write_at(0, bytes).value();
    }
}

struct Made {
    test::SimulatedDisk disk;
    std::map<Seq, std::map<ViewId, std::string>> shown_at{{Seq{}, {{kPlain, ""}, {kReduced, ""}}}};
    Made() {
        const auto directory = disk.root();
        const auto store = SegmentStore::open(*directory, options()).value();
        add_views(*store);
        for (std::uint64_t number = 1; number <= kRounds; ++number) {
            store->commit(round(number), gone()).value();
            store->save().value();
            const auto snapshot = store->snapshot();
            for (const ViewId view : {kPlain, kReduced}) {
                shown_at[snapshot->position()][view] = *shown(*snapshot, view);
            }
        }
    }
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteReader input({reinterpret_cast<const char*>(data), size});
    const bool is_forged = input.le<std::uint8_t>() % 2 == 1;
    static const Made made;
    const auto disk = made.disk.copy_after_power_cut(test::Fate::kept);
    const auto directory = disk->root();
    test::strike_all(*directory, input, 8);
    if (is_forged) seal(*directory);

    const auto opened = SegmentStore::open(*directory, options());
    if (!opened) return 0;
    SegmentStore& store = **opened;
    add_views(store);
    StoreCommit nothing;
    nothing.position = store.snapshot()->position();
    store.commit(std::move(nothing), gone()).value();
    const auto look = [&] {
        const auto snapshot = store.snapshot();
        for (const ViewId view : {kPlain, kReduced}) {
            const auto now = shown(*snapshot, view, is_forged);
            if (is_forged || !now) continue;
            // A record that is gone took the views' names with it: then they are empty.
            SLUICE_ASSERT(*now == made.shown_at.at(snapshot->position()).at(view) || now->empty());
        }
    };
    look();
    static_cast<void>(store.check());
    static_cast<void>(store.purge({&kErased, 1}, {}, std::chrono::milliseconds(0)).has_value());
    static_cast<void>(store.merge_all().has_value());
    look();
    return 0;
}
