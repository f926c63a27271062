// A call, and what it promises to leave: for whoever interrupts it.
#pragma once
#include "model/model.hpp"

#include <functional>
#include <string>
#include <vector>

namespace sluice::test {

struct Step {
    std::string name;
    std::function<void(Model&)> expect;
    std::function<Result<void>(Database&)> act;
};

namespace steps {

/// A message that is to be appended.
struct Draft {
    Content content;
    std::string key;
};

/// One batch.
Step append(std::vector<Draft> messages);
/// One batch of those whose keys are free, with the mark of how far it reaches.
Step import(std::vector<Draft> messages, const std::string& fingerprint, std::uint64_t offset);
Step replace(Seq seq, const Content& content);
Step remove(const std::vector<Seq>& seqs);
Step restore(const std::vector<Seq>& seqs);
Step rederive(const std::vector<Seq>& seqs);
Step hold(const std::vector<Seq>& seqs);
Step release(const std::vector<Seq>& seqs);
Step erase(const std::vector<Seq>& seqs);
Step put_fact(const std::string& name, const std::string& value, bool is_secret = false);
Step drop_fact(const std::string& name);
Step erase_fact(const std::string& name);
Step add_view(std::size_t meaning);
Step drop_view(const std::string& name);
/// Of retention: all but the newest messages go when it is applied.
Step add_rule(const std::string& name, std::uint64_t keep_last, bool erases);
Step apply_rule(const std::string& name);
Step drop_rule(const std::string& name);
Step merge();
Step flush();

} // namespace steps
} // namespace sluice::test
