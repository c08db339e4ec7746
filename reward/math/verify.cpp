#include "reward/math/verify.h"

#include <fmt/core.h>

#include <optional>

#include "reward/extract.h"
#include "reward/math/compare.h"
#include "reward/math/extract.h"
#include "reward/math/parse.h"
#include "reward/math/profile.h"

namespace reward::math {
namespace {

constexpr size_t longest_text = 256;  // bytes of a gold that is words

struct Gold {
  std::optional<Tree> tree;
  std::string reason, problem;  // if it cannot be read: the fixed word, and for people
};

Gold read_gold(std::string_view gold, const Limits& limits) {
  const auto part = gold_part(gold);
  auto parsed = parse(part, limits);
  if (const auto* error = std::get_if<ParseError>(&parsed)) {
    if (error->reason == "empty") return {{}, "empty", "the gold answer is empty"};
    return {{}, error->reason, fmt::format("the gold answer cannot be read: {}", error->detail)};
  }
  Tree tree = std::get<Tree>(std::move(parsed));
  const Node& root = tree[tree.root];
  if (root.kind == Kind::text && root.text.size() > longest_text)
    return {{}, "long_text", fmt::format("the gold answer is a text of {} bytes; math reads a formula, a text of at most {}"
                                         " bytes, \"#### answer\" or \\boxed{{answer}}", root.text.size(), longest_text)};
  return {std::move(tree), "", ""};
}

Status status_of(Equality equality) {
  switch (equality) {
    case Equality::equal: return Status::match;
    case Equality::different: return Status::mismatch;
    case Equality::undecided: return Status::undecided;
    default: return Status::limit;
  }
}

// Of the verdicts on several golds, the one to give: a match, else the first gold's, unless another is less sure.
int weight(Status status) {
  switch (status) {
    case Status::match: return 5;
    case Status::gold_unreadable: return 4;
    case Status::limit: return 3;
    case Status::undecided: return 2;
    case Status::answer_unreadable: return 1;
    default: return 0;
  }
}

}  // namespace

const char* name_of(Status status) {
  switch (status) {
    case Status::match: return "match";
    case Status::mismatch: return "mismatch";
    case Status::no_answer: return "no_answer";
    case Status::answer_unreadable: return "answer_unreadable";
    case Status::gold_unreadable: return "gold_unreadable";
    case Status::undecided: return "undecided";
    default: return "limit";
  }
}

Verifier::Verifier(std::string_view profile, Extraction extraction, Limits limits)
    : conventions_(conventions_of(profile)), extraction_(extraction), limits_(limits) {}

std::string Verifier::gold_problem(std::string_view gold) const { return read_gold(gold, limits_).problem; }

Verdict Verifier::compare(std::string_view answer, std::string_view gold) const {
  Verdict verdict;
  verdict.extracted = std::string(trim(answer));
  const Gold read = read_gold(gold, limits_);
  if (!read.tree) {
    verdict.status = Status::gold_unreadable;
    verdict.reason = read.reason;
    return verdict;
  }
  verdict.gold = to_string(*read.tree);
  const auto parsed = parse(answer, limits_, &*read.tree);
  if (const auto* error = std::get_if<ParseError>(&parsed)) {
    verdict.status = error->reason == "empty" ? Status::no_answer : Status::answer_unreadable;
    verdict.reason = error->reason;
    return verdict;
  }
  const Tree& tree = std::get<Tree>(parsed);
  verdict.answer = to_string(tree);
  const auto comparison = math::compare(tree, *read.tree, conventions_, limits_);
  verdict.status = status_of(comparison.equality);
  verdict.reason = comparison.reason;
  verdict.value = verdict.status == Status::match ? 1 : 0;
  return verdict;
}

Verdict Verifier::verify(std::string_view text, const std::vector<std::string>& golds) const {
  const auto found = extract(text, extraction_);
  Verdict best;
  if (golds.empty()) best.status = Status::gold_unreadable, best.reason = "empty";
  bool first = true;
  for (const auto& gold : golds) {
    Verdict verdict;
    if (found.answer) {
      verdict = compare(*found.answer, gold);
    } else {
      const Gold read = read_gold(gold, limits_);
      verdict.status = read.tree ? Status::no_answer : Status::gold_unreadable;
      verdict.reason = read.tree ? found.found : read.reason;
    }
    if (first || weight(verdict.status) > weight(best.status)) best = std::move(verdict);
    first = false;
    if (best.status == Status::match) break;
  }
  best.extracted = found.answer.value_or("");
  best.boxes = found.boxes;
  return best;
}

}  // namespace reward::math
