// Reads flumelog-offset files, the logs of FlumeDB and of Scuttlebutt's first generation.
#pragma once
#include "import/byte_source.hpp"
#include "import/flumelog_offset_format.hpp"
#include "import/record_source.hpp"

namespace sluice {

/// Every byte of every frame is checked: both lengths, the end, and the limit of a body. That is
/// more than flumedb does, which looks at the end of the file only.
class FlumelogOffsetSource final : public RecordSource {
public:
    /// Finds the width of the file by its first frame. An empty file is a log without records.
    /// Errors: corrupt (the first frame is damaged or cut off); io.
    static Result<FlumelogOffsetSource> open(ByteSource bytes);

    ForeignFormat format() const override { return ForeignFormat::flumelog_offset; }
    Result<std::optional<ForeignRecord>> next() override;
    std::uint64_t offset() const override { return offset_; }
    Result<void> seek(std::uint64_t offset) override;
    std::uint64_t size_bytes() const override { return bytes_.size_bytes(); }

    flumelog_offset::Width width() const { return width_; }

private:
    explicit FlumelogOffsetSource(ByteSource bytes) : bytes_(std::move(bytes)) {}
    Result<void> find_width();
    Result<bool> frame_ends_at(std::uint64_t end, flumelog_offset::Width width);
    Result<bool> looks_cut_off(bool incomplete);
    Error explain(std::string_view how, bool incomplete);

    ByteSource bytes_;
    std::uint64_t offset_ = 0;
    flumelog_offset::Width width_ = flumelog_offset::Width::bits32;
};

} // namespace sluice
