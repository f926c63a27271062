#include "transform/worklist.hpp"

#include "base/bytes.hpp"

#include <utility>

namespace sluice {

void for_each(const SeqBitmap& seqs, const std::function<void(Seq)>& visit) {
    for (Seq seq = seqs.next_from({0}); seq != SeqBitmap::kNone; seq = seqs.next_from(seq.next())) {
        visit(seq);
    }
}

void insert_all(SeqBitmap& to, const SeqBitmap& from) {
    for_each(from, [&](Seq seq) { to.insert(seq); });
}

bool Worklist::empty() const {
    if (moved.size() > 0 || moved_out.size() > 0) return false;
    for (std::size_t i = stage; i < dirty.size(); ++i) {
        if (dirty[i].size() > 0) return false;
    }
    return true;
}

void Worklist::next_stage() {
    ++stage;
    moved = std::exchange(moved_out, {});
    if (stage < dirty.size()) for_each(moved, [&](Seq seq) { add(stage, seq); });
}

void Worklist::add(std::size_t at, Seq seq) {
    dirty[at].insert(seq);
    only_new[at].remove(seq);
}

void Worklist::add_only_new(std::size_t at, Seq seq) {
    if (dirty[at].insert(seq)) only_new[at].insert(seq);
}

namespace {

void append(std::string& to, const SeqBitmap& seqs) {
    append_varint(to, seqs.size());
    Seq before;
    for_each(seqs, [&](Seq seq) {
        append_varint(to, seq.value - before.value);
        before = seq;
    });
}

/// Not well-formed, or of other messages than those up to `last`: false. A bitmap takes memory for
/// the greatest seq that it has, so that is looked at first.
bool take_seqs(ByteReader& from, Seq last, SeqBitmap& seqs) {
    Seq seq;
    for (std::uint64_t left = from.varint(); left > 0; --left) {
        const std::uint64_t step = from.varint(); // 0 at the end of the bytes.
        if (step == 0 || step > last.value - seq.value) return false;
        seq.value += step;
        seqs.insert(seq);
    }
    return from.ok();
}

} // namespace

std::string encode(const Worklist& work) {
    std::string bytes;
    append_varint(bytes, work.dirty.size());
    append_varint(bytes, work.stage);
    for (std::size_t i = work.stage; i < work.dirty.size(); ++i) {
        append(bytes, work.dirty[i]);
        append(bytes, work.only_new[i]);
    }
    append(bytes, work.moved);
    append(bytes, work.moved_out);
    return bytes;
}

Result<Worklist> decode_worklist(std::string_view bytes, Seq last) {
    ByteReader from(bytes);
    constexpr std::uint64_t kStagesMax = 1000;
    const std::uint64_t stage_count = from.varint();
    if (stage_count > kStagesMax) return Error{Errc::corrupt, "a worklist of too many stages"};
    Worklist work(stage_count);
    work.stage = from.varint();
    bool is_good = true;
    for (std::size_t i = work.stage; i < stage_count && is_good; ++i) {
        is_good = take_seqs(from, last, work.dirty[i]) && take_seqs(from, last, work.only_new[i]);
    }
    is_good = is_good && take_seqs(from, last, work.moved) && take_seqs(from, last, work.moved_out);
    if (!is_good || !from.done() || work.stage > stage_count) {
        return Error{Errc::corrupt, "a worklist that is not well-formed"};
    }
    return work;
}

} // namespace sluice
