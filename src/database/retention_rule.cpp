#include "database/retention_rule.hpp"

#include "base/json.hpp"
#include "base/json_text.hpp"
#include "base/key_format.hpp"
#include "base/try.hpp"
#include "transform/worklist.hpp"
#include "views/value_json.hpp"

#include <chrono>
#include <cmath>

namespace sluice {
namespace {

Error wrong(const std::string& what) {
    return {Errc::invalid_argument, "retention rule: " + what};
}

/// Digits at `at`, as many as `count`, and moves behind them.
std::optional<int> take_digits(std::string_view text, std::size_t& at, std::size_t count) {
    if (at + count > text.size()) return std::nullopt;
    int value = 0;
    for (const std::size_t end = at + count; at < end; ++at) {
        if (text[at] < '0' || text[at] > '9') return std::nullopt;
        value = value * 10 + (text[at] - '0');
    }
    return value;
}

bool take(std::string_view text, std::size_t& at, std::string_view any_of) {
    if (at >= text.size() || any_of.find(text[at]) == any_of.npos) return false;
    ++at;
    return true;
}

/// Milliseconds; what is finer is cut off.
std::optional<int> take_fraction(std::string_view text, std::size_t& at) {
    if (!take(text, at, ".")) return 0;
    int ms = 0;
    std::size_t digits = 0;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, ++digits) {
        if (digits < 3) ms = ms * 10 + (text[at] - '0');
    }
    if (digits == 0) return std::nullopt;
    for (; digits < 3; ++digits) ms *= 10;
    return ms;
}

/// How far the clock of the text is ahead of UTC.
std::optional<std::chrono::minutes> take_zone(std::string_view text, std::size_t& at) {
    using namespace std::chrono;
    if (take(text, at, "Zz")) return minutes(0);
    const bool is_behind = at < text.size() && text[at] == '-';
    if (!take(text, at, "+-")) return std::nullopt;
    const auto hour = take_digits(text, at, 2);
    if (!hour || *hour > 23 || !take(text, at, ":")) return std::nullopt;
    const auto minute = take_digits(text, at, 2);
    if (!minute || *minute > 59) return std::nullopt;
    const minutes ahead = hours(*hour) + minutes(*minute);
    return is_behind ? -ahead : ahead;
}

/// 2026-11-23T06:41:23.5+01:00, by RFC 3339.
std::optional<std::int64_t> parse_date_and_time(std::string_view text) {
    using namespace std::chrono;
    std::size_t at = 0;
    const auto y = take_digits(text, at, 4);
    if (!y || !take(text, at, "-")) return std::nullopt;
    const auto m = take_digits(text, at, 2);
    if (!m || !take(text, at, "-")) return std::nullopt;
    const auto d = take_digits(text, at, 2);
    if (!d || !take(text, at, "Tt ")) return std::nullopt;
    const auto hour = take_digits(text, at, 2);
    if (!hour || *hour > 23 || !take(text, at, ":")) return std::nullopt;
    const auto minute = take_digits(text, at, 2);
    if (!minute || *minute > 59 || !take(text, at, ":")) return std::nullopt;
    const auto second = take_digits(text, at, 2);
    if (!second || *second > 60) return std::nullopt; // 60 is a leap second.
    const auto fraction = take_fraction(text, at);
    if (!fraction) return std::nullopt;
    const auto ahead = take_zone(text, at);
    const year_month_day date{year(*y), month(static_cast<unsigned>(*m)),
                              day(static_cast<unsigned>(*d))};
    if (!ahead || at != text.size() || !date.ok()) return std::nullopt;
    const auto time = sys_days(date) + hours(*hour) + minutes(*minute) + seconds(*second) +
                      milliseconds(*fraction) - *ahead;
    return duration_cast<milliseconds>(time.time_since_epoch()).count();
}

std::optional<std::int64_t> parse_number_of_time(double number) {
    constexpr double kMsFrom = 1e11; // Seconds until the year 5138, ms from 1973 on.
    const double ms = number < kMsFrom ? number * 1000 : number;
    if (!(ms < 9e15)) return std::nullopt; // NaN as well.
    return static_cast<std::int64_t>(std::floor(ms));
}

void append_member(std::string& json, std::string_view name, std::string_view text) {
    if (text.empty()) return;
    json += ",\"" + std::string(name) + "\":";
    append_json_string(json, text);
}

void append_member(std::string& json, std::string_view name, std::optional<std::uint64_t> number) {
    if (number) json += ",\"" + std::string(name) + "\":" + std::to_string(*number);
}

std::string text_in(const Value& object, std::string_view name) {
    const Value* const found = object.find(name);
    return found == nullptr ? std::string() : std::string(found->as_string().value_or(""));
}

std::optional<std::uint64_t> number_in(const Value& object, std::string_view name) {
    const Value* const found = object.find(name);
    const auto number = found == nullptr ? std::nullopt : found->as_int64();
    if (!number || *number < 0) return std::nullopt;
    return static_cast<std::uint64_t>(*number);
}

Result<void> check_limits(const RetentionRule& rule) {
    const int limits =
        (rule.older_than ? 1 : 0) + (rule.keep_last ? 1 : 0) + (rule.keep_bytes ? 1 : 0);
    if (limits != 1) return wrong("it needs one limit: an age, a count or a size");
    if (rule.older_than && rule.time.empty()) {
        return wrong("an age needs to know where in a message its time stands: messages have no "
                     "time of the engine's own");
    }
    if (rule.older_than && !rule.per.empty()) return wrong("an age is the same in every group");
    constexpr std::chrono::hours kAgeMax{24 * 366 * 1000};
    if (rule.older_than && (rule.older_than->count() <= 0 || *rule.older_than > kAgeMax)) {
        return wrong("an age is more than nothing and at most a thousand years");
    }
    constexpr auto kNumberMax = static_cast<std::uint64_t>(std::int64_t{1} << 62);
    for (const auto& number : {rule.keep_last, rule.keep_bytes}) {
        if (!number || (*number > 0 && *number < kNumberMax)) continue;
        return wrong("what it keeps is more than nothing");
    }
    return {};
}

Result<std::optional<Pointer>> parse_pointer(const std::string& text, const std::string& part) {
    if (text.empty()) return std::optional<Pointer>();
    auto pointer = Pointer::parse(text);
    if (!pointer) return wrong(part + " is no JSON Pointer: " + pointer.error().context);
    return std::optional<Pointer>(*std::move(pointer));
}

std::string term_of(const RetentionPlace& place) {
    std::string term = place.group;
    key_format::append_number(term, KeyNumber::from(place.time_ms));
    key_format::append_number(term, KeyNumber::from(place.seq.value));
    key_format::append_number(term, KeyNumber::from(place.size_bytes));
    return term;
}

} // namespace

std::string_view name_of(RetentionRule::Action action) {
    return action == RetentionRule::Action::erase ? "erase" : "delete";
}

std::optional<std::int64_t> time_in(const Value& value) {
    std::optional<std::int64_t> ms;
    if (const auto number = value.as_double()) ms = parse_number_of_time(*number);
    if (const auto text = value.as_string()) ms = parse_date_and_time(*text);
    // Nothing, 0 and what lies before stand for "not known" in too many programs.
    return ms && *ms > 0 ? ms : std::nullopt;
}

std::string Retention::index_name(std::string_view rule) {
    return std::string(1, kIndexMark).append(rule);
}
std::string Retention::sums_name(std::string_view rule) {
    return std::string(1, kSumsMark).append(rule);
}

Result<std::shared_ptr<Retention>> Retention::compile(RetentionRule rule,
                                                      std::string_view view_definition) {
    SLUICE_TRY(check_limits(rule));
    auto compiled = std::make_shared<Retention>();
    if (!rule.where.empty()) {
        auto where = Predicate::parse(rule.where);
        if (!where) return wrong("where: " + where.error().context);
        compiled->where_ = *std::move(where);
        rule.where = compiled->where_->text();
    }
    SLUICE_TRY_ASSIGN(compiled->time_, parse_pointer(rule.time, "time"));
    SLUICE_TRY_ASSIGN(compiled->per_, parse_pointer(rule.per, "per"));
    if (!view_definition.empty()) {
        SLUICE_TRY_ASSIGN(compiled->view_, compile_view(view_definition));
        compiled->view_definition_ = canonical_definition(*compiled->view_);
    }
    compiled->rule_ = std::move(rule);
    compiled->make_definition();
    return compiled;
}

void Retention::make_definition() {
    std::string json = R"({"kind":"retention")";
    append_member(json, "where", rule_.where);
    append_member(json, "view", rule_.view);
    if (!view_definition_.empty()) json += R"(,"view_definition":)" + view_definition_;
    append_member(json, "time", rule_.time);
    append_member(json, "per", rule_.per);
    if (rule_.older_than) {
        append_member(json, "older_than_ms", static_cast<std::uint64_t>(rule_.older_than->count()));
    }
    append_member(json, "keep_last", rule_.keep_last);
    append_member(json, "keep_bytes", rule_.keep_bytes);
    append_member(json, "action", name_of(rule_.action));
    definition_ = json + '}';
}

Result<std::shared_ptr<Retention>> Retention::from_definition(std::string name,
                                                              std::string_view definition) {
    JsonParser parser;
    const Value* const object = parser.parse(definition);
    if (object == nullptr) return wrong("it is not JSON");
    RetentionRule rule;
    rule.name = std::move(name);
    rule.where = text_in(*object, "where");
    rule.view = text_in(*object, "view");
    rule.time = text_in(*object, "time");
    rule.per = text_in(*object, "per");
    if (const auto age = number_in(*object, "older_than_ms")) {
        rule.older_than = std::chrono::milliseconds(*age);
    }
    rule.keep_last = number_in(*object, "keep_last");
    rule.keep_bytes = number_in(*object, "keep_bytes");
    const std::string action = text_in(*object, "action");
    for (const auto known : {RetentionRule::Action::remove, RetentionRule::Action::erase}) {
        if (action == name_of(known)) rule.action = known;
    }
    if (action != name_of(rule.action)) return wrong("its action is none that this program knows");
    std::string view_definition;
    if (const Value* const view = object->find("view_definition")) {
        append_value_json(view_definition, *view);
    }
    return compile(std::move(rule), view_definition);
}

std::optional<RetentionPlace> Retention::place_of(const Message& message) const {
    const bool needs_json = where_ || time_ || per_;
    if (needs_json && message.json == nullptr) return std::nullopt;
    if (where_ && !where_->matches(*message.json)) return std::nullopt;
    RetentionPlace place;
    place.seq = message.seq;
    place.size_bytes = message.body.size();
    if (time_) {
        const Value* const found = time_->find(*message.json);
        const auto time = found == nullptr ? std::nullopt : time_in(*found);
        if (!time) return std::nullopt;
        place.time_ms = *time;
    }
    if (per_) {
        const Value* const found = per_->find(*message.json);
        if (found == nullptr || !key_format::append_value(place.group, *found)) return std::nullopt;
    }
    if (view_) {
        RowBatch row;
        Mapper mapper({view_});
        mapper.map(message.seq, message.key, message.body, std::span(&row, 1));
        if (row.rows().empty()) return std::nullopt;
    }
    return place;
}

Result<std::shared_ptr<const View>> Retention::index_view(const std::shared_ptr<Retention>& rule) {
    CodeView view;
    view.map = [rule](const Message& message, Emit& emit) {
        const auto place = rule->place_of(message);
        if (!place) return;
        emit(Key::from_encoded(term_of(*place)).value());
        if (rule->has_groups()) rule->touch(place->group);
    };
    return compile_view(view);
}

Result<std::shared_ptr<const View>> Retention::sums_view(const std::shared_ptr<Retention>& rule) {
    CodeView view;
    view.definition = R"({"kind":"aggregate","value":{"count":true,"sum":true}})";
    view.map = [rule](const Message& message, Emit& emit) {
        const auto place = rule->place_of(message);
        if (!place) return;
        emit(Key::from_encoded(place->group).value(), static_cast<std::int64_t>(place->size_bytes));
    };
    return compile_view(view);
}

Result<RetentionPlace> Retention::decode(std::string_view term, std::size_t group_size) {
    const Error bad{Errc::corrupt, "a row of a retention rule is not well-formed"};
    if (term.size() < group_size) return bad;
    RetentionPlace place;
    place.group = term.substr(0, group_size);
    term.remove_prefix(group_size);
    std::optional<std::int64_t> numbers[3];
    for (auto& number : numbers) {
        const auto token = key_format::take_token(term);
        if (!token || token->type != key_format::Token::Type::number) return bad;
        number = token->number.as_int64();
        if (!number) return bad;
    }
    if (!term.empty()) return bad;
    place.time_ms = *numbers[0];
    place.seq = {static_cast<std::uint64_t>(*numbers[1])};
    place.size_bytes = static_cast<std::uint64_t>(*numbers[2]);
    return place;
}

void Retention::touch(std::string_view group) {
    const std::lock_guard lock(touched_mutex_);
    if (!touched_.contains(group)) touched_.emplace(group);
}

void Retention::settle(std::span<const std::string> groups) {
    const std::lock_guard lock(touched_mutex_);
    for (const std::string& group : groups) touched_.erase(group);
}

std::vector<std::string> Retention::touched() const {
    const std::lock_guard lock(touched_mutex_);
    return {touched_.begin(), touched_.end()};
}

void Retention::note_deleted(std::span<const Seq> seqs) {
    if (!rule_.older_than || rule_.action != RetentionRule::Action::erase) return;
    for (const Seq seq : seqs) unexamined.insert(seq);
}

void Retention::note_deleted(const Gone& gone) {
    for_each(gone.deleted, [&](Seq seq) {
        if (!gone.erased.contains(seq)) unexamined.insert(seq);
    });
}

} // namespace sluice
