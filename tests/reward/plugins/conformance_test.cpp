#include "reward/plugins/conformance.h"

#include "reward/plugins/attack.h"
#include "tests/reward/fake_reward.h"
#include "tests/reward/plugins/support.h"

using Catch::Matchers::Contains;
using Strings = std::vector<std::string>;

namespace {

Strings failed(const std::vector<reward::ConformanceCheck>& checks) {
  Strings names;
  for (const auto& check : checks)
    if (!check.passed) names.push_back(check.name);
  return names;
}

Strings script(const std::string& name) { return {python(), testing::source_dir() + "/" + name}; }

// A program that speaks the protocol; the line makes the results `r` of the request `a`.
Strings scoring_with(const std::string& line) {
  return {python(), "-c",
          "import json,sys,random\n"
          "for line in sys.stdin:\n"
          "  a=json.loads(line)\n"
          "  if a['type']=='hello': print(json.dumps({'type':'hello','protocol':1,'name':'x'}),flush=True)\n"
          "  elif a['type']=='ping': print(json.dumps({'type':'pong','id':a['id']}),flush=True)\n"
          "  elif a['type']=='score':\n"
          "    " + line + "\n"
          "    print(json.dumps({'type':'result','id':a['id'],'results':r}),flush=True)\n"
          "  else: break\n"};
}

}  // namespace

TEST_CASE("the example in Python passes every check", "[conformance]") {
  const auto checks = reward::check_conformance(script("configs/rewards/last_word.py"));
  CHECK(failed(checks).empty());
  Strings names;
  for (const auto& check : checks) names.push_back(check.name);
  CHECK(names == Strings{"handshake", "ping", "batch", "order", "empty batch", "junk", "huge", "non-UTF-8", "time-out", "crash",
                         "determinism", "shutdown", "end of input"});
}

TEST_CASE("what a plug-in does wrong is found, and the fix is named", "[conformance]") {
  const auto no_hello = reward::check_conformance({"true"});
  REQUIRE(failed(no_hello) == Strings{"handshake"});
  CHECK_THAT(no_hello[0].fix, Contains("\"type\":\"hello\""));
  const auto dice = reward::check_conformance(scoring_with("r=[{'uid':i['uid'],'score':random.random()} for i in a['items']]"));
  CHECK(failed(dice) == Strings{"order", "determinism"});
  const auto backwards = reward::check_conformance(scoring_with("r=[{'uid':i['uid'],'score':0} for i in a['items'][::-1]]"));
  CHECK_THAT(failed(backwards), Catch::Matchers::VectorContains(std::string("batch")));
  const auto talking = reward::check_conformance(scoring_with("print('x'); r=[{'uid':i['uid'],'score':0} for i in a['items']]"));
  CHECK_THAT(failed(talking), Catch::Matchers::VectorContains(std::string("batch")));
  // Fails on any text that holds a NUL: junk and non-UTF-8 send one.
  const auto fragile = reward::check_conformance(
      scoring_with("r=[{'uid':i['uid'],'score':1/(1-('\\0' in i['completion']))} for i in a['items']]"));
  CHECK(failed(fragile) == Strings{"junk", "non-UTF-8"});
}

TEST_CASE("an attack finds a reward that pays for junk, and clears one that does not", "[attack]") {
  const auto pays_tags = [](const FakeReward::Items& items, FakeReward::Deadline) {
    std::vector<reward::Outcome> out;
    for (const auto& it : items) {
      const bool tagged = it.completion.find("</answer>") != std::string::npos;
      out.push_back(outcome(reward::Status::scored, tagged ? 0.1 : 0));
    }
    return out;
  };
  FakeReward tags(pays_tags);
  const auto report = reward::attack(tags, 60000);
  CHECK(report.golds.size() == reward::attack_golds().size());
  REQUIRE_FALSE(report.paid.empty());
  for (const auto& paid : report.paid) CHECK(paid.completion.find("</answer>") != std::string::npos);
  FakeReward nothing([](const auto& items, auto) { return std::vector<reward::Outcome>(items.size()); });
  CHECK(reward::attack(nothing, 60000).paid.empty());
}

TEST_CASE("no built-in that compares with the gold pays for junk", "[attack]") {
  for (const char* name : {"math", "exact", "countdown"}) {
    const auto report = reward::attack(*make(name), 60000);
    CHECK_FALSE(report.golds.empty());
    for (const auto& paid : report.paid)
      FAIL_CHECK(name << " paid " << paid.value << " for " << paid.junk << ", gold " << paid.gold);
  }
}
