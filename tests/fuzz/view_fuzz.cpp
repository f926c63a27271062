// A line with a definition, then a message. A definition that compiles is its own canonical form's
// canonical form, both give the same rows, and what a view gets does not depend on its neighbours.
//
// Code: views/definition views/definition_parts views/mapper views/code_rows views/view
#include "base/assert.hpp"
#include "views/view.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace {

using sluice::RowBatch;

std::string rows_of(const RowBatch& batch) {
    std::string text;
    for (const RowBatch::Row& row : batch.rows()) {
        for (std::size_t i = 0; i < row.emission_count; ++i) {
            const auto emission = batch.emission(row.first_emission + i);
            text.append(emission.term).append("\0", 1).append(emission.value).append("\0", 1);
        }
    }
    return text;
}

std::string map_one(const std::shared_ptr<const sluice::View>& view, std::string_view body) {
    std::array<RowBatch, 1> batch;
    sluice::Mapper({view}).map({1}, "", body, batch);
    return rows_of(batch[0]);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto kNeighbour =
        sluice::compile_view(R"({"kind":"aggregate","group":["/a"],"value":{"sum":"/b"}})").value();
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const std::size_t line = input.find('\n');
    const std::string_view body = line == std::string_view::npos ? "" : input.substr(line + 1);

    (void)map_one(kNeighbour, body);
    const auto view = sluice::compile_view(input.substr(0, line));
    if (!view) return 0;
    const std::string& canonical = sluice::canonical_definition(**view);
    const auto again = sluice::compile_view(canonical);
    SLUICE_ASSERT(again && sluice::canonical_definition(**again) == canonical);

    const std::string alone = map_one(*view, body);
    SLUICE_ASSERT(map_one(*again, body) == alone);
    std::array<RowBatch, 2> batches;
    sluice::Mapper({*view, kNeighbour}).map({1}, "", body, batches);
    SLUICE_ASSERT(rows_of(batches[0]) == alone);
    SLUICE_ASSERT(rows_of(batches[1]) == map_one(kNeighbour, body));
    return 0;
}
