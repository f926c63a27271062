// A view as the engine runs it: compiled from its definition, or wrapped around a function.
#pragma once
#include "base/pointer.hpp"
#include "store/store.hpp"

#include <sluice/result.hpp>
#include <sluice/view.hpp>

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace sluice {

enum class ViewKind : std::uint8_t { index, aggregate, fold, links, search };
std::string_view name_of(ViewKind kind);
/// Whether readers see rows, each of one message, or groups of them.
constexpr bool shows_rows(ViewKind kind) {
    return kind != ViewKind::aggregate && kind != ViewKind::fold;
}

class View;
class CodeRows;

/// Compiles a declared definition (docs/design/views.md), such as
///   {"kind":"index","where":{"/value/content/type":"post"},"key":["/value/author"]}
///   {"kind":"index","each":"/value/content/mentions","key":["/link"]}
///   {"kind":"aggregate","group":["/value/author"],"value":{"count":true,"sum":"/value/n"}}
///   {"kind":"fold","group":["/value/author"],"fold":"last","value":"/value/content/name"}
///   {"kind":"links","source":"/value/author","target":"/value/content/contact","relation":"knows"}
///   {"kind":"search","text":["/value/content/text"],"language":"english"}
/// Errors: invalid_argument, naming the part that is wrong and what it may be.
Result<std::shared_ptr<const View>> compile_view(std::string_view definition_json);

/// Errors: invalid_argument.
Result<std::shared_ptr<const View>> compile_view(const CodeView& view);

/// For a code view whose function is not loaded: reads and retracts, but cannot map.
Result<std::shared_ptr<const View>> compile_unloaded_view(std::string_view definition_json);

/// Facts about a compiled view. Immutable.
ViewKind kind_of(const View& view);
/// Whether a Mapper maps for it. For a view that reads only ReadingMapper does.
bool can_map(const View& view);
/// The views that this one reads, sorted by name; null pointer for one that only maps.
const std::vector<std::string>* reads_of(const View& view);
/// Whether its code is here, or it needs none.
bool is_loaded(const View& view);
/// The definition with its white space and member order made canonical: equal text, equal view.
const std::string& canonical_definition(const View& view);
/// Null for an index and links; for a fold that only steps; and for an aggregate that counts every
/// message at most once in a group: there the number of rows says it all.
std::shared_ptr<const Reducer> reducer_of(const View& view);
/// What an aggregate answers for one group: {"count":3,"sum":12.5}, members in the order count,
/// sum, average, min, max.
std::string aggregate_to_json(const View& view, std::uint64_t row_count, std::string_view partial);

/// How a fold's values are folded; null pointer if its code is not loaded.
std::shared_ptr<const Fold> fold_of(const View& view);
/// What a search view looks into, and in which language ("" for none).
const std::vector<Pointer>& texts_of(const View& view);
const std::string& language_of(const View& view);

/// Maps messages to rows for many views, parsing each message once. Not thread-safe: one per
/// thread.
class Mapper {
public:
    explicit Mapper(std::vector<std::shared_ptr<const View>> views);
    ~Mapper();
    Mapper(Mapper&&) noexcept;
    Mapper& operator=(Mapper&&) noexcept;

    /// Begins a row in each of `batches` (as many as views, in their order) and emits into it. A
    /// body that is not JSON gives rows to code views only. Views that cannot map get none. What a
    /// view gets does not depend on which others there are.
    void map(Seq seq, std::string_view key, std::string_view body, std::span<RowBatch> batches);

    /// Views with CodeView::before_map are given many messages at once, so their rows may come
    /// later than map() returns: all are in `batches`, which map() was called with, behind this.
    void settle(std::span<RowBatch> batches);
    /// Forgets the messages whose rows have not come.
    void discard_unsettled();

    /// Messages for which each view's function threw since this was last asked, in the order of the
    /// views. Empty: none.
    std::vector<std::uint64_t> take_errors();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Maps messages for one view that reads. Not thread-safe.
class ReadingMapper {
public:
    explicit ReadingMapper(std::shared_ptr<const View> view);
    ~ReadingMapper();

    /// Emits into the row that `batch` has begun; nothing, and false, if the function threw.
    bool map(Context& context, const Message& message, RowBatch& batch);

private:
    std::shared_ptr<const View> view_;
    std::unique_ptr<CodeRows> rows_;
};

} // namespace sluice
