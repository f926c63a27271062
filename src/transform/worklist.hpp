// Which units are still to be run: what big work leaves behind when it is interrupted.
#pragma once
#include "base/seq_bitmap.hpp"

#include <sluice/result.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

void for_each(const SeqBitmap& seqs, const std::function<void(Seq)>& visit);
void insert_all(SeqBitmap& to, const SeqBitmap& from);

/// The transforms are gone through in their order. When `stage` is their number, messages are left
/// whose rows in the views are to be derived: `moved`.
struct Worklist {
    explicit Worklist(std::size_t stage_count = 0) : dirty(stage_count), only_new(stage_count) {}

    std::size_t stage = 0;
    std::vector<SeqBitmap> dirty; ///< By stage: units to be run.
    /// Those of them that only new facts concern, which nothing fitted before.
    std::vector<SeqBitmap> only_new;
    SeqBitmap moved;     ///< What this stage is given of these messages is something else now.
    SeqBitmap moved_out; ///< Those of them, and others, of which it makes something else.

    bool empty() const;
    /// This stage is through: what it moved the next one is given.
    void next_stage();
    /// The unit of stage `at` is to be run, whatever the reason.
    void add(std::size_t at, Seq seq);
    /// ... because there are new facts.
    void add_only_new(std::size_t at, Seq seq);
};

/// As kept in the store while the work lasts. docs/format/transforms.md.
std::string encode(const Worklist& work);
/// `last`: the greatest seq that a message can have. Errors: corrupt.
Result<Worklist> decode_worklist(std::string_view bytes, Seq last);

} // namespace sluice
