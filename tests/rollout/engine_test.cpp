#include "rollout/engine.h"

#include <algorithm>
#include <set>

#include "kernels/error.h"
#include "model/transformer.h"
#include "tests/rollout/toy_models.h"
#include "tests/support/catch.h"

using kernels::Dtype;
using rollout::Engine;
using rollout::EngineConfig;
using rollout::FinishReason;
using rollout::Request;
using toy::Records;

namespace {

struct Fixture {
  model::ModelConfig config = toy::mla_moe();
  std::shared_ptr<const model::WeightSet> weights = toy::weights(config, Dtype::float32);

  Engine engine(const EngineConfig& c = {}, std::shared_ptr<const model::Tokenizer> tokenizer = nullptr) const {
    return Engine(config, Dtype::float32, c, std::move(tokenizer));
  }
  Records run(const std::vector<Request>& requests) const {
    Engine e = engine();
    e.publish(weights);
    for (const Request& r : requests) e.submit(r);
    return toy::collect(e);
  }
};

// One character a token: "0".."9", "a".. "z", ... for the 50 tokens of the toy models.
std::shared_ptr<const model::Tokenizer> tokenizer() {
  const std::string alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN";
  return model::Tokenizer::from_json(model::character_tokenizer_json(alphabet, {}), "toy");
}

}  // namespace

TEST_CASE("a record carries what was asked and one log-probability and version a token", "[engine]") {
  Fixture f;
  Request r = toy::request(4, 9, 2, 6);
  r.first_sample = 10;
  r.purpose = kernels::Purpose::eval;
  const Records records = f.run({r});
  REQUIRE(records.size() == 2);
  const rollout::SampleRecord& record = records.at({4, 11});
  CHECK(record.prompt_id == 1004);
  CHECK(record.group_id == 104);
  CHECK(record.request_step == 3);
  CHECK(record.seed == 5);
  CHECK(record.purpose == kernels::Purpose::eval);
  CHECK(record.prompt_tokens == r.prompt_tokens);
  CHECK(record.source == "policy");
  CHECK(record.finish == FinishReason::length);
  CHECK(record.tokens.size() == 6);
  CHECK(record.logprobs.size() == 6);
  CHECK(record.policy_versions == std::vector<int32_t>(6, 1));
  CHECK(record.kept_mass.empty());
  REQUIRE(record.trained.size() == 1);
  CHECK(record.trained[0].first == 0);
  CHECK(record.trained[0].length == 6);
  for (const float logprob : record.logprobs) CHECK(logprob < 0.0f);
}

TEST_CASE("one new token is one forward pass", "[engine]") {
  Fixture f;
  Engine engine = f.engine();
  engine.publish(f.weights);
  engine.submit(toy::request(1, 20, 8, 1));
  CHECK(engine.live_samples() == 8);
  CHECK(toy::collect(engine).size() == 8);
  CHECK(engine.live_samples() == 0);
  CHECK(engine.statistics().steps == 1);
  CHECK(engine.statistics().generated_tokens == 8);
  CHECK(engine.statistics().prompt_tokens == 20);
}

TEST_CASE("the completions of a group differ, and equal requests give equal completions", "[engine]") {
  Fixture f;
  const Records records = f.run({toy::request(1, 12, 8, 20)});
  std::set<std::vector<int32_t>> texts;
  for (const auto& [key, record] : records) texts.insert(record.tokens);
  CHECK(texts.size() == 8);
  CHECK(f.run({toy::request(1, 12, 8, 20)}).at({1, 5}).tokens == records.at({1, 5}).tokens);
}

TEST_CASE("seed, step, group and purpose each change the samples, batch mates do not", "[engine]") {
  Fixture f;
  const Request base = toy::request(1, 12, 1, 24);
  std::vector<Request> variants(5, base);
  variants[1].seed = 6;
  variants[2].step = 4;
  variants[3].group_id = 7;
  variants[4].purpose = kernels::Purpose::eval;
  std::set<std::vector<int32_t>> texts;
  for (size_t i = 0; i < variants.size(); ++i) {
    variants[i].id = static_cast<int64_t>(i);
    texts.insert(f.run({variants[i]}).at({static_cast<int64_t>(i), 0}).tokens);
  }
  CHECK(texts.size() == 5);
  for (const auto& [key, record] : f.run(variants)) CHECK(texts.count(record.tokens) == 1);
}

TEST_CASE("temperature 0 takes the largest logit of each step", "[engine]") {
  Fixture f;
  Request r = toy::request(1, 12, 2, 10);
  r.sampling.temperature = 0.0;
  const Records records = f.run({r});
  CHECK(records.at({1, 0}).tokens == records.at({1, 1}).tokens);
  std::vector<int32_t> text = r.prompt_tokens;
  for (const int32_t token : records.at({1, 0}).tokens) {
    model::TokenBatch batch;
    batch.tokens = text;
    for (int64_t i = 0; i < batch.rows(); ++i) {
      batch.positions.push_back(static_cast<int32_t>(i));
      batch.key_rows.push_back(i);
      batch.groups.push_back(0);
    }
    batch.segments.push_back({0, batch.rows(), 0, 0, 0, {{0, 0, batch.rows()}}});
    batch.head_rows = {batch.rows() - 1};
    batch.targets = {-1};
    batch.inverse_temperature = {1.0f};
    model::KeyStorage storage = model::make_key_storage(f.config, Dtype::float32, batch.rows());
    const at::Tensor logits = model::forward_logits(*f.weights, batch, storage);
    const float* row = kernels::f32(logits);
    CHECK(token == static_cast<int32_t>(std::max_element(row, row + f.config.vocab_size) - row));
    text.push_back(token);
  }
}

TEST_CASE("a stop token ends the completion and is its last token", "[engine]") {
  Fixture f;
  const std::vector<int32_t> free = f.run({toy::request(1, 12, 1, 30)}).at({1, 0}).tokens;
  Request r = toy::request(1, 12, 1, 30);
  r.stop_tokens = {999, free[7]};
  const auto record = f.run({r}).at({1, 0});
  const auto first = std::find(free.begin(), free.end(), free[7]);
  CHECK(record.tokens == std::vector<int32_t>(free.begin(), first + 1));
  CHECK(record.finish == FinishReason::stop);
  CHECK(record.stop_text.empty());
}

TEST_CASE("a stop string across tokens ends the completion, its tokens stay in the record", "[engine]") {
  Fixture f;
  const auto words = tokenizer();
  const std::vector<int32_t> free = f.run({toy::request(1, 12, 1, 30)}).at({1, 0}).tokens;
  Request r = toy::request(1, 12, 1, 30);
  r.stop_strings = {"never in there", words->decode({free[9], free[10], free[11]})};
  Engine engine = f.engine({}, words);
  engine.publish(f.weights);
  engine.submit(r);
  const auto record = toy::collect(engine).at({1, 0});
  CHECK(record.tokens == std::vector<int32_t>(free.begin(), free.begin() + 12));
  CHECK(record.finish == FinishReason::stop);
  CHECK(record.stop_text == r.stop_strings[1]);
}

TEST_CASE("kept mass is recorded when truncation is on", "[engine]") {
  Fixture f;
  Request r = toy::request(1, 12, 1, 10);
  r.sampling.top_k = 3;
  const auto record = f.run({r}).at({1, 0});
  REQUIRE(record.kept_mass.size() == 10);
  for (const float mass : record.kept_mass) CHECK((mass > 0.0f && mass < 1.0f));
}

TEST_CASE("an aborted request returns its unfinished samples as they are, and others go on", "[engine]") {
  Fixture f;
  const Records wanted = f.run({toy::request(1, 12, 3, 40), toy::request(2, 12, 2, 12)});
  Engine engine = f.engine();
  engine.publish(f.weights);
  engine.submit(toy::request(1, 12, 3, 40));
  engine.submit(toy::request(2, 12, 2, 12));
  engine.submit(toy::request(3, 12, 2, 12));
  engine.abort(3);  // before it began
  engine.abort(77);
  CHECK(engine.next(toy::never())->tokens.empty());
  CHECK(engine.next(toy::never())->finish == FinishReason::aborted);
  CHECK(engine.next(toy::never())->request_id == 2);  // request 1 is at its token 12 now
  engine.abort(1);
  const Records rest = toy::collect(engine);
  CHECK(rest.size() == 4);
  for (int64_t i = 0; i < 3; ++i) {
    const auto& record = rest.at({1, i});
    const auto& whole = wanted.at({1, i}).tokens;
    CHECK(record.finish == FinishReason::aborted);
    CHECK(record.tokens == std::vector<int32_t>(whole.begin(), whole.begin() + 12));
    CHECK(record.logprobs.size() == 12);
  }
  CHECK(engine.live_samples() == 0);
  engine.release_cache();  // throws if a page were still in use
}

TEST_CASE("new weights serve requests that begin later; those under way keep theirs", "[engine]") {
  Fixture f;
  const auto newer = toy::weights(f.config, Dtype::float32, 2, 18);
  Engine engine = f.engine();
  engine.publish(f.weights);
  engine.submit(toy::request(1, 12, 1, 5));
  engine.submit(toy::request(2, 12, 2, 30));
  CHECK(engine.next(toy::never())->request_id == 1);
  engine.publish(newer);
  engine.submit(toy::request(3, 12, 1, 10));
  Request pinned = toy::request(4, 12, 1, 10);
  pinned.weights = f.weights;
  engine.submit(pinned);
  const Records records = toy::collect(engine);
  CHECK(records.at({2, 1}).policy_versions == std::vector<int32_t>(30, 1));
  CHECK(records.at({3, 0}).policy_versions == std::vector<int32_t>(10, 2));
  CHECK(records.at({4, 0}).policy_versions == std::vector<int32_t>(10, 1));
  CHECK(records.at({2, 1}).tokens == f.run({toy::request(2, 12, 2, 30)}).at({2, 1}).tokens);
  CHECK(records.at({4, 0}).tokens == f.run({toy::request(4, 12, 1, 10)}).at({4, 0}).tokens);
  Fixture g;
  g.weights = newer;
  CHECK(records.at({3, 0}).tokens == g.run({toy::request(3, 12, 1, 10)}).at({3, 0}).tokens);
}

TEST_CASE("with update_running a completion goes on under the new weights, its cache computed again", "[engine]") {
  Fixture f;
  const auto newer = toy::weights(f.config, Dtype::float32, 2, 18);
  EngineConfig config;
  config.update_running = true;
  Engine engine = f.engine(config);
  engine.publish(f.weights);
  engine.submit(toy::request(1, 12, 1, 5));
  engine.submit(toy::request(2, 33, 3, 30));
  Request pinned = toy::request(3, 12, 1, 30);
  pinned.weights = f.weights;
  engine.submit(pinned);
  engine.next(toy::never());
  engine.publish(newer);
  const Records records = toy::collect(engine);
  CHECK(records.at({3, 0}).policy_versions == std::vector<int32_t>(30, 1));
  CHECK(engine.statistics().preemptions == 0);
  // The prompt again once, and 4 rows of each of the 3 samples: the fifth token has none yet.
  CHECK(engine.statistics().recomputed_tokens == 33 + 3 * 4);
  for (int64_t i = 0; i < 3; ++i) {
    const auto& record = records.at({2, i});
    std::vector<int32_t> versions(5, 1);
    versions.resize(30, 2);
    CHECK(record.policy_versions == versions);
    // The rest is what the new weights say after prompt + 5 tokens: ask them with that as the prompt.
    Request rest = toy::request(2, 33, 1, 25);
    rest.first_sample = i;
    rest.prompt_tokens.insert(rest.prompt_tokens.end(), record.tokens.begin(), record.tokens.begin() + 5);
    Fixture g;
    g.weights = newer;
    const auto wanted = g.run({rest}).at({2, i});
    CHECK(std::equal(wanted.tokens.begin(), wanted.tokens.end(), record.tokens.begin() + 5, record.tokens.end()));
    CHECK(std::equal(wanted.logprobs.begin(), wanted.logprobs.end(), record.logprobs.begin() + 5, record.logprobs.end()));
  }
}

TEST_CASE("the engine lets go of weights, so that their storage can be written over", "[engine]") {
  Fixture f;
  Engine engine = f.engine();
  engine.publish(f.weights);
  engine.submit(toy::request(1, 12, 1, 5));
  toy::collect(engine);
  CHECK(f.weights.use_count() == 2);  // the test's and the engine's newest
  engine.publish(nullptr);
  CHECK(f.weights.use_count() == 1);
  engine.submit(toy::request(2, 12, 1, 5));
  CHECK_THROWS_WITH(engine.next(toy::never()), Catch::Contains("publish()"));
  engine.publish(f.weights);
  CHECK(toy::collect(engine).size() == 1);
  engine.publish(nullptr);
  engine.submit(toy::request(3, 12, 1, 5));
  engine.abort(3);
  CHECK(toy::collect(engine).size() == 1);
}

TEST_CASE("a prompt that was served before is not computed again, until new weights are published", "[engine]") {
  Fixture f;
  Engine engine = f.engine();
  engine.publish(f.weights);
  const auto ask = [&](int64_t id) {
    Request r = toy::request(1, 40, 2, 3);
    r.id = id;
    engine.submit(r);
    return toy::collect(engine).at({id, 1});
  };
  const auto first = ask(1), second = ask(2);
  CHECK(first.cached_tokens == 0);
  CHECK(second.cached_tokens == 32);  // two full pages of 40
  CHECK(engine.statistics().prompt_tokens == 40 + 8);
  CHECK(engine.statistics().cached_tokens == 32);
  CHECK(second.tokens == first.tokens);
  CHECK(second.logprobs == first.logprobs);
  engine.publish(toy::weights(f.config, Dtype::float32, 2, 18));
  CHECK(ask(3).cached_tokens == 0);
  engine.publish(f.weights);
  CHECK(ask(4).cached_tokens == 0);
  engine.release_cache();
  CHECK(ask(5).cached_tokens == 0);
}

TEST_CASE("requests with weights of their own find only what those weights computed", "[engine]") {
  Fixture f;
  Engine engine = f.engine();
  engine.publish(f.weights);
  const auto pinned = toy::weights(f.config, Dtype::float32, 1, 18);  // the same version number, other numbers
  const auto ask = [&](int64_t id, std::shared_ptr<const model::WeightSet> weights) {
    Request r = toy::request(1, 40, 1, 3);
    r.id = id;
    r.weights = std::move(weights);
    engine.submit(r);
    return toy::collect(engine).at({id, 0}).cached_tokens;
  };
  CHECK(ask(1, nullptr) == 0);
  CHECK(ask(2, pinned) == 0);
  CHECK(ask(3, pinned) == 32);
  CHECK(ask(4, f.weights) == 32);  // the published ones, named
  engine.publish(nullptr);
  CHECK(ask(5, pinned) == 32);
  CHECK(ask(6, f.weights) == 0);
}

TEST_CASE("next returns nothing at the deadline or when no request is live", "[engine]") {
  Fixture f;
  Engine engine = f.engine();
  engine.publish(f.weights);
  CHECK_FALSE(engine.next(toy::never()));
  engine.submit(toy::request(1, 12, 1, 5));
  CHECK_FALSE(engine.next(std::chrono::steady_clock::now()));
  CHECK(engine.live_samples() == 1);
  CHECK(engine.next(toy::never()));
}

TEST_CASE("a request that cannot be served is refused at once, with the numbers", "[engine]") {
  Fixture f;
  Engine engine = f.engine();
  const auto refused = [&](const Request& r) { CHECK_THROWS_AS(engine.submit(r), kernels::Error); };
  refused(toy::request(1, 0, 1, 5));
  refused(toy::request(1, 5, 0, 5));
  refused(toy::request(1, 5, 1, 0));
  Request r = toy::request(1, 5, 1, 5);
  r.prompt_tokens[2] = 50;
  refused(r);
  r = toy::request(1, 5, 1, 5);
  r.stop_strings = {"x"};
  refused(r);
  r = toy::request(1, 5, 1, 5);
  r.weights = toy::weights(f.config, Dtype::bf16);
  refused(r);
  CHECK_THROWS_AS(engine.publish(toy::weights(toy::dense(), Dtype::float32)), kernels::Error);
  CHECK_THROWS_WITH(engine.submit(toy::request(1, 100, 1, 62)), Catch::Contains("161") && Catch::Contains("160"));
  engine.submit(toy::request(1, 100, 1, 61));
  refused(toy::request(1, 5, 1, 5));  // the id is live
  CHECK(engine.live_samples() == 1);
  Engine small = f.engine({.cache_bytes = 2 * 16 * model::key_storage_bytes_per_row(f.config, Dtype::float32)});
  CHECK_THROWS_AS(small.submit(toy::request(1, 30, 1, 4)), kernels::UsageError);  // 33 rows, 2 pages
  small.submit(toy::request(1, 30, 1, 3));
}

TEST_CASE("512 sequences run within the stated bytes of cache", "[engine]") {
  Fixture f;
  // 512 samples of 24 + 40 - 1 rows would need 4 pages each less the shared first one: 1,537 pages. There are 900.
  const int64_t bytes = 900 * 16 * model::key_storage_bytes_per_row(f.config, Dtype::float32);
  Engine engine = f.engine({.max_tokens_per_batch = 1024, .cache_bytes = bytes});
  engine.publish(f.weights);
  for (int64_t id = 0; id < 64; ++id) engine.submit(toy::request(id, 24, 8, 40));
  CHECK(engine.cache_bytes() <= bytes);
  const Records records = toy::collect(engine);
  CHECK(records.size() == 512);
  CHECK(engine.statistics().largest_batch > 200);
  CHECK(engine.statistics().preemptions > 0);
  CHECK(engine.statistics().generated_tokens == 512 * 40);
  for (const int64_t id : {0, 31, 63}) {
    const Records alone = f.run({toy::request(id, 24, 8, 40)});
    CHECK(records.at({id, 7}).tokens == alone.at({id, 7}).tokens);
  }
}
