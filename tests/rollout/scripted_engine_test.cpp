#include "rollout/scripted_engine.h"

#include "kernels/error.h"
#include "tests/support/catch.h"

using namespace std::chrono_literals;

namespace {

rollout::ScriptedSample script(const rollout::Request& request, int64_t sample) {
  const int32_t token = static_cast<int32_t>(100 * request.id + sample);
  return {{token, 1}, {-1.0f, -2.0f}, rollout::FinishReason::stop};
}

rollout::Request request(int64_t id, int64_t samples) {
  rollout::Request r;
  r.id = id;
  r.group_id = 40 + id;
  r.prompt_tokens = {5, 6};
  r.samples = samples;
  r.first_sample = 2;
  return r;
}

}  // namespace

TEST_CASE("a scripted source gives what its script says, group after group", "[scripted_engine]") {
  rollout::ScriptedEngine source(script);
  const auto later = std::chrono::steady_clock::now() + 1h;
  CHECK_FALSE(source.next(later));
  source.submit(request(1, 2));
  source.submit(request(2, 1));
  CHECK(source.live_samples() == 3);
  std::vector<int32_t> first_tokens;
  while (auto record = source.next(later)) {
    first_tokens.push_back(record->tokens.front());
    CHECK(record->group_id == 40 + record->request_id);
    CHECK(record->logprobs == std::vector<float>{-1.0f, -2.0f});
    CHECK(record->trained.at(0).length == 2);
  }
  CHECK(first_tokens == std::vector<int32_t>{102, 103, 202});
  CHECK(source.live_samples() == 0);
  CHECK(source.statistics().generated_tokens == 6);
  CHECK(source.statistics().prompt_tokens == 4);
}

TEST_CASE("an aborted scripted request comes back without tokens", "[scripted_engine]") {
  rollout::ScriptedEngine source(script);
  source.submit(request(1, 2));
  source.abort(1);
  const auto record = source.next(std::chrono::steady_clock::now() + 1h);
  REQUIRE(record);
  CHECK(record->finish == rollout::FinishReason::aborted);
  CHECK(record->tokens.empty());
  CHECK(source.live_samples() == 1);
}

TEST_CASE("a script with a missing log-probability is an error", "[scripted_engine]") {
  rollout::ScriptedEngine source([](const rollout::Request&, int64_t) { return rollout::ScriptedSample{{1, 2}, {-1.0f}}; });
  source.submit(request(1, 1));
  CHECK_THROWS_AS(source.next(std::chrono::steady_clock::now() + 1h), kernels::Error);
}
