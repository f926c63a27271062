#include "log/ledger.hpp"

#include <algorithm>
#include <mutex>

namespace sluice {

void Ledger::apply(Seq at, const Change& change) {
    changes_.insert(at);
    switch (change.kind) {
    case ChangeKind::remove:
        for (const Seq seq : change.seqs) gone_.deleted.insert(seq);
        break;
    case ChangeKind::erase:
        for (const Seq seq : change.seqs) {
            gone_.deleted.insert(seq);
            gone_.erased.insert(seq);
            wiped_.insert(seq);
        }
        for (const KeyHash& key : change.refused) refused_.insert(hash_of(key));
        // Of one that was wiped by half nothing else says that it was a change.
        for (const Seq seq : change.replacements) {
            changes_.insert(seq);
            wiped_.insert(seq);
        }
        erasures_.emplace(at, Erasure{at, change, std::nullopt});
        break;
    case ChangeKind::restore:
        remaking_.insert(at);
        for (const Seq seq : change.seqs) {
            if (!gone_.erased.contains(seq)) gone_.deleted.remove(seq);
        }
        break;
    case ChangeKind::replace: {
        remaking_.insert(at);
        const std::unique_lock lock(replacements_mutex_);
        for (const Seq seq : change.seqs) {
            std::vector<Seq>& versions = replacements_[seq.value];
            if (versions.empty() || versions.back() < at) versions.push_back(at);
        }
        break;
    }
    case ChangeKind::rederive: remaking_.insert(at); break;
    case ChangeKind::hold:
        for (const Seq seq : change.seqs) held_.insert(seq);
        break;
    case ChangeKind::release:
        for (const Seq seq : change.seqs) held_.remove(seq);
        break;
    case ChangeKind::receipt: {
        const auto erasure = erasures_.find(change.receipt.erasure);
        if (erasure != erasures_.end()) erasure->second.receipt = change;
        break;
    }
    case ChangeKind::import_mark: imported_[hash_of(change.source)] = change.source_offset; break;
    case ChangeKind::put_fact:
    case ChangeKind::drop_fact:
    case ChangeKind::transforms: break; // They say nothing about messages: see facts/.
    }
}

Seq Ledger::version_at(Seq message, Seq position) const {
    const std::shared_lock lock(replacements_mutex_);
    const auto found = replacements_.find(message.value);
    if (found == replacements_.end()) return message;
    const std::vector<Seq>& versions = found->second;
    const auto behind = std::upper_bound(versions.begin(), versions.end(), position);
    return behind == versions.begin() ? message : *std::prev(behind);
}

std::vector<Seq> Ledger::replacements(Seq message) const {
    const std::shared_lock lock(replacements_mutex_);
    const auto found = replacements_.find(message.value);
    return found == replacements_.end() ? std::vector<Seq>{} : found->second;
}

std::uint64_t Ledger::imported_up_to(const KeyHash& source) const {
    const auto found = imported_.find(hash_of(source));
    return found == imported_.end() ? 0 : found->second;
}

} // namespace sluice
