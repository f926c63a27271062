// Facts: what is known beside the messages.
#pragma once
#include <sluice/key.hpp>
#include <sluice/seq.hpp>

#include <string>
#include <string_view>

namespace sluice {

/// A fact is a named value: an unboxing key, a blob that is present, a feed that is blocked. It is
/// an entry of the log, as a message is, and can be dropped and erased.
struct FactName {
    std::string collection; ///< 1 to 255 bytes, such as "keys".
    Key key;                ///< At least one element.
};

struct NewFact {
    FactName name;
    std::string_view value; ///< Any bytes up to 16 MiB.
    /// No command prints the value. It is stored as it is: where the disk must not be able to give
    /// it away, encrypt the volume.
    bool is_secret = false;
};

struct Fact {
    FactName name;
    std::string value;
    bool is_secret = false;
    Seq at;  ///< The entry that put it.
    ~Fact(); ///< Overwrites the value of a secret one, in this copy.
};

} // namespace sluice
