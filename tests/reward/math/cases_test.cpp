// The verifier against cases labelled by hand before it was written, against rewritten golds, and against a peer.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/reward/math/labelled.h"
#include "tests/support/catch.h"
#include "tests/support/source_dir.h"

namespace {

using labelled::Case;
using reward::math::Status;
using reward::math::Verdict;

const std::string folder = "/tests/reward/math/";

const std::vector<Case>& cases() {
  static const auto all = labelled::read_cases(testing::source_dir() + folder + "cases");
  return all;
}

bool matches(const Verdict& v) { return v.status == Status::match; }

// Braces pair up, so that the answer can stand in a box.
bool balanced(const std::string& text) {
  int depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') ++i;
    else if (text[i] == '{') ++depth;
    else if (text[i] == '}' && --depth < 0) return false;
  }
  return depth == 0 && (text.empty() || text.back() != '\\');
}

// Errors of each kind on one part of the cases.
struct Errors {
  int accepted = 0, refused = 0;  // wrong answers accepted, right answers refused
  void count(bool label, bool verdict) {
    if (label && !verdict) ++refused;
    if (!label && verdict) ++accepted;
  }
};

}  // namespace

TEST_CASE("there are enough cases of each category, and about half of them must not match", "[math][cases]") {
  std::map<std::string, std::pair<int, int>> counts;
  for (const Case& c : cases()) ++(c.match ? counts[c.category].first : counts[c.category].second);
  int all = 0, matching = 0;
  for (const auto& [category, count] : counts) {
    INFO(category);
    CHECK(count.first + count.second >= 10);
    CHECK(count.second >= 5);
    if (category == "perturbed") continue;
    all += count.first + count.second;
    matching += count.first;
  }
  CHECK(all >= 900);
  CHECK(std::abs(2 * matching - all) <= all / 8);
}

TEST_CASE("every labelled case gets the verdict that a person gives", "[math][cases]") {
  for (const Case& c : cases()) {
    const Verdict v = labelled::verdict_of(c);
    if (matches(v) != c.match) FAIL_CHECK(labelled::describe(c, v));
    if (v.value != (matches(v) ? 1.0 : 0.0)) FAIL_CHECK(c.id << " has the value " << v.value);
  }
}

TEST_CASE("a bare answer gets the same verdict in a box", "[math][cases]") {
  for (const Case& c : cases()) {
    if (!c.bare() || !balanced(c.prediction)) continue;
    const auto v = reward::math::Verifier(c.profile, reward::math::Extraction::strict)
                       .verify("We find that $\\boxed{" + c.prediction + "}$.", c.golds);
    if (matches(v) != c.match) FAIL_CHECK(labelled::describe(c, v));
  }
}

TEST_CASE("answer and gold can change places", "[math][cases]") {
  for (const Case& c : cases()) {
    if (!c.bare() || c.one_way || c.golds.size() != 1 || c.category == "perturbed") continue;
    const auto v = reward::math::Verifier(c.profile).compare(c.golds[0], c.prediction);
    if (matches(v) != c.match) FAIL_CHECK("the other way round, " << labelled::describe(c, v));
  }
}

TEST_CASE("answers of 16 KiB are refused or read, and never paid", "[math][cases]") {
  for (const std::string& text : labelled::large_inputs()) {
    INFO(text.substr(0, 20));
    for (const auto mode : {reward::math::Extraction::whole, reward::math::Extraction::lenient}) {
      const reward::math::Verifier verifier("default", mode);
      CHECK(!matches(verifier.verify(text, {"7"})));
      CHECK(!matches(verifier.verify("\\boxed{" + text + "}", {"7"})));
      CHECK(!matches(verifier.verify("7", {text})));
      CHECK(!matches(verifier.verify(text, {text + "+1"})));
    }
  }
}

TEST_CASE("fewer errors of either kind than Math-Verify 0.9", "[math][cases]") {
  // Its verdicts are kept in golden/math_verify.jsonl, see tests/bench/peers/math_verify_cases.py. Completions are left out: it
  // has no modes of extraction.
  std::map<std::string, bool> peer;
  std::ifstream in(testing::source_dir() + folder + "golden/math_verify.jsonl");
  for (std::string line; std::getline(in, line);) {
    const auto verdict = nlohmann::json::parse(line);
    peer[verdict.at("id")] = verdict.at("match");
  }
  for (const bool perturbed : {false, true}) {
    Errors ours, theirs;
    for (const Case& c : cases()) {
      if (!c.bare() || c.profile != "default" || (c.category == "perturbed") != perturbed) continue;
      INFO(c.id);
      REQUIRE(peer.count(c.id) == 1);
      ours.count(c.match, matches(labelled::verdict_of(c)));
      theirs.count(c.match, peer[c.id]);
    }
    CAPTURE(perturbed, ours.accepted, theirs.accepted, ours.refused, theirs.refused);
    CHECK(ours.accepted == 0);
    CHECK(ours.accepted < theirs.accepted);
    CHECK(ours.refused < theirs.refused);
  }
}

namespace {

// Calls the verifier `calls` times from 8 threads, each beginning at another case, and counts verdicts that differ.
int differing_verdicts(int64_t calls) {
  std::vector<reward::math::Verifier> verifiers;
  std::vector<std::string> alone;
  const auto text_of = [](const Verdict& v) {
    return fmt::format("{} {} {} {} {} {}", static_cast<int>(v.status), v.reason, v.extracted, v.answer, v.gold, v.boxes);
  };
  for (const Case& c : cases()) {
    verifiers.emplace_back(c.profile, labelled::extraction_of(c.extraction));
    alone.push_back(text_of(verifiers.back().verify(c.prediction, c.golds)));
  }
  constexpr int64_t threads = 8;
  std::atomic<int> differing{0};
  std::vector<std::thread> pool;
  for (int64_t t = 0; t < threads; ++t)
    pool.emplace_back([&, t] {
      for (int64_t i = 0; i < calls / threads; ++i) {
        const auto at = static_cast<size_t>(i * 7 + t * 131) % cases().size();
        if (text_of(verifiers[at].verify(cases()[at].prediction, cases()[at].golds)) != alone[at]) ++differing;
      }
    });
  for (auto& thread : pool) thread.join();
  return differing;
}

}  // namespace

TEST_CASE("eight threads get the verdicts of one", "[math][cases][threads]") {
  CHECK(differing_verdicts(std::getenv("PONDER_LONG") ? 100000 : 12000) == 0);
}
