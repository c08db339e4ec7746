#include "reward/math/verify.h"

#include "reward/math/profile.h"
#include "reward/reward.h"
#include "tests/support/catch.h"

using reward::math::Extraction;
using reward::math::Status;
using reward::math::Verdict;
using reward::math::Verifier;
using Catch::Matchers::Contains;

TEST_CASE("a verdict says what was found, how it was read and which stage decided", "[verify]") {
  const Verdict v = Verifier().verify("... so the answer is \\boxed{\\frac{2}{4}}.", {"1/2"});
  CHECK(v.status == Status::match);
  CHECK(v.value == 1.0);
  CHECK(v.extracted == "\\frac{2}{4}");
  CHECK(v.answer == "(quotient 2 4)");
  CHECK(v.gold == "(quotient 1 2)");
  CHECK(v.boxes == 1);
  CHECK_FALSE(v.reason.empty());
}

TEST_CASE("no answer, an unreadable answer and an unreadable gold are told apart", "[verify]") {
  const Verifier verifier;
  CHECK(verifier.verify("I do not know.", {"1"}).status == Status::no_answer);
  CHECK(verifier.verify("\\boxed{}", {"1"}).status == Status::no_answer);
  CHECK(verifier.verify("The answer is {.", {"1"}).status == Status::answer_unreadable);
  CHECK(verifier.verify("\\boxed{1}", {"{"}).status == Status::gold_unreadable);
  CHECK(verifier.verify("I do not know.", {"{"}).status == Status::gold_unreadable);
  CHECK(verifier.verify("\\boxed{1}", {}).status == Status::gold_unreadable);
  CHECK(verifier.verify("\\boxed{1}", {"2"}).status == Status::mismatch);
}

TEST_CASE("an unreadable gold is never a match, not even of its own copy", "[verify]") {
  const Verifier verifier("default", Extraction::whole);
  for (const char* text : {"{", "", "####", "\\boxed{}", "\xff", "+"}) {
    const std::string gold = text;
    INFO(gold);
    CHECK(verifier.verify(gold, {gold}).value == 0.0);
    CHECK_FALSE(verifier.gold_problem(gold).empty());
  }
  CHECK(verifier.gold_problem("18").empty());
}

TEST_CASE("of several golds one is enough, but an unreadable one leaves a mismatch open", "[verify]") {
  const Verifier verifier;
  CHECK(verifier.verify("\\boxed{2}", {"1", "2"}).status == Status::match);
  CHECK(verifier.verify("\\boxed{3}", {"1", "2"}).status == Status::mismatch);
  CHECK(verifier.verify("\\boxed{2}", {"{", "2"}).status == Status::match);
  CHECK(verifier.verify("\\boxed{3}", {"{", "2"}).status == Status::gold_unreadable);
}

TEST_CASE("profiles are found by name, an unknown one names the nearest", "[verify]") {
  for (const auto& name : reward::math::profile_names())
    CHECK(Verifier(name).compare("\\frac12", "\\frac{1}{2}").status == Status::match);
  CHECK_THROWS_WITH(Verifier("hendryks"), Contains("Did you mean hendrycks?"));
  CHECK(Verifier("hendrycks").compare("0.25", "\\frac14").status == Status::mismatch);
  CHECK(Verifier("prm800k").compare("\\frac24", "\\frac12").status == Status::mismatch);
  CHECK(Verifier("gsm8k").compare("50\\%", "50").status == Status::match);
  CHECK(Verifier("math_verify").compare("50\\%", "50").status == Status::match);
  CHECK(Verifier("default").compare("50\\%", "50").status == Status::mismatch);
}

TEST_CASE("statuses have names for counting", "[verify]") {
  CHECK(std::string(name_of(Status::match)) == "match");
  CHECK(std::string(name_of(Status::answer_unreadable)) == "answer_unreadable");
  CHECK(std::string(name_of(Status::gold_unreadable)) == "gold_unreadable");
}
