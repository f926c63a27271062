// The Context of one unit: answers what is asked, and remembers what was.
#pragma once
#include "facts/facts.hpp"
#include "transform/draft.hpp"
#include "transform/read_token.hpp"

#include <sluice/transform.hpp>

#include <deque>
#include <set>
#include <span>

namespace sluice {

/// Where cells of earlier transforms and rows of views are. Throws std::logic_error where a
/// function asks for what it may not see.
using FindSource = std::function<ViewId(const Source&)>;

class TrackedContext final : public Context {
public:
    /// All borrowed for the context's life.
    struct World {
        const Facts* facts;
        const Draft* rows;
        FindSource find_source;
    };
    explicit TrackedContext(World world) : world_(std::move(world)) {}

    /// find_any() tries these facts only, where these tokens say that none of the others fits.
    struct OnlyNew {
        std::span<const FactId> facts;
        std::set<std::string, std::less<>> tokens;
    };
    void set_only_new(OnlyNew only_new) { only_new_ = std::move(only_new); }

    std::optional<Cell> get(const Source& source, const Key& key) override;
    bool has(const Source& source, const Key& key) override;
    std::vector<Cell> prefix(const Source& source, const Key& prefix) override;
    std::optional<Cell> first(const Source& source, const Key& prefix) override;
    std::optional<Cell> last(const Source& source, const Key& prefix) override;
    std::optional<Cell> find_any(const Source& source, const Key& prefix,
                                 const std::function<bool(const Cell&)>& fits) override;

    /// What was read, each once, ascending.
    const std::set<std::string, std::less<>>& tokens() const { return tokens_; }

private:
    using Visit = std::function<bool(const Cell&)>;
    void scan(const Source& source, const ScanRange& range, const Visit& visit);
    std::optional<Cell> first_of(const Source& source, const ScanRange& range);
    SourceId id_of(const Source& source) const;
    Cell keep(const Cell& cell);
    /// Notes that this cell was found.
    void note_found(const ReadTokens& make, const Cell& cell);
    bool is_only_new(const ReadTokens& make, std::string_view prefix,
                     const std::string& missed) const;

    World world_;
    std::optional<OnlyNew> only_new_;
    std::set<std::string, std::less<>> tokens_;
    std::deque<std::string> kept_; ///< What cells point to.
};

} // namespace sluice
