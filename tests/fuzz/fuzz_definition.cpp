// A definition is refused, or has a canonical text that compiles to the same view.
#include "base/assert.hpp"
#include "views/view.hpp"

#include <cstddef>
#include <cstdint>

using namespace sluice;

namespace {

std::string rows_of(const std::shared_ptr<const View>& view, std::string_view body) {
    Mapper mapper({view});
    std::vector<RowBatch> batches(1);
    mapper.map(Seq{1}, "", body, body.size(), batches);
    std::string all;
    for (const RowBatch::Row& row : batches[0].rows()) {
        for (std::size_t i = 0; i < row.emission_count; ++i) {
            const auto [term, value] = batches[0].emission(row.first_emission + i);
            all += Key::from_encoded(term).value().to_json() + aggregate_to_json(*view, 1, value);
        }
    }
    return all;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // Up to the first new line the definition, behind it the message.
    const std::string_view all(reinterpret_cast<const char*>(data), size);
    const std::size_t end = std::min(all.find('\n'), size);
    const std::string_view definition = all.substr(0, end);
    const std::string_view body = all.substr(std::min(end + 1, size));

    static_cast<void>(compile_unloaded_view(definition));
    const auto view = compile_view(definition);
    if (!view) {
        SLUICE_ASSERT(view.error().code == Errc::invalid_argument);
        return 0;
    }
    const std::string& canonical = canonical_definition(**view);
    // Half of a surrogate pair reads as U+FFFD; but then the text is canonical all the same.
    const auto again = compile_view(canonical);
    SLUICE_ASSERT(again && canonical_definition(**again) == canonical);
    SLUICE_ASSERT(rows_of(*again, body) == rows_of(*view, body));
    return 0;
}
