// Samples that are cut off and go on: the same bits as in one go.
#include <algorithm>

#include "kernels/error.h"
#include "rollout/engine.h"
#include "rollout/record_io.h"
#include "tests/rollout/toy_models.h"
#include "tests/support/catch.h"

using kernels::Dtype;
using rollout::Engine;
using rollout::EngineConfig;
using rollout::FinishReason;
using rollout::Request;
using rollout::SampleRecord;
using toy::Records;

namespace {

constexpr int64_t clock_id = 1000;

// One character a token, for the 50 tokens of the toy models.
const std::string alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN";

std::shared_ptr<const model::Tokenizer> tokenizer() {
  return model::Tokenizer::from_json(model::character_tokenizer_json(alphabet, {}), "toy");
}

std::string text_of(const SampleRecord& record) {
  std::string text;
  for (const int32_t token : record.tokens) text += alphabet[static_cast<size_t>(token)];
  return text;
}

// A record but for what only says how it came about.
std::string bytes_of(SampleRecord record) {
  record.request_id = record.cached_tokens = 0;
  std::string bytes;
  rollout::append_record(record, bytes);
  return bytes;
}

struct Toy {
  model::ModelConfig config;
  Dtype dtype;
  EngineConfig engine;
  std::shared_ptr<const model::WeightSet> weights = toy::weights(config, dtype);

  std::unique_ptr<Engine> make() const {
    auto made = std::make_unique<Engine>(config, dtype, engine, tokenizer());
    made->publish(weights);
    return made;
  }
  Records whole(const std::vector<Request>& requests) const {
    const auto e = make();
    for (const Request& r : requests) e->submit(r);
    return toy::collect(*e);
  }
  // What is there after some passes, all aborted. A request of its own counts them: it comes first, so it is never late.
  Records cut(const std::vector<Request>& requests, int64_t tokens) const {
    const auto e = make();
    Request clock = toy::request(clock_id, 3, 1, tokens);
    e->submit(clock);
    for (const Request& r : requests) e->submit(r);
    Records records;
    for (;;) {
      auto record = e->next(toy::never());
      if (record->request_id == clock_id) break;
      records[{record->request_id, record->sample_index}] = std::move(*record);
    }
    for (const Request& r : requests) e->abort(r.id);
    records.merge(toy::collect(*e));
    return records;
  }
};

// The same requests, each with those of its samples that were cut off, under other ids.
std::vector<Request> rest_of(const std::vector<Request>& requests, const Records& records) {
  std::vector<Request> rest;
  for (Request r : requests) {
    for (const auto& [key, record] : records)
      if (key.first == r.id && record.finish == FinishReason::aborted) r.continued.push_back(record);
    if (!r.continued.empty()) rest.push_back(std::move(r));
  }
  return rest;
}

std::vector<Request> requests() {
  std::vector<Request> all{toy::request(1, 5, 4, 30), toy::request(2, 33, 3, 24), toy::request(3, 16, 1, 40), toy::request(4, 70, 4, 20)};
  all[0].first_sample = 2;
  return all;
}

// Cuts, and cuts what is left, and lets the rest end.
Records in_pieces(const Toy& toy, const std::vector<Request>& requests, std::initializer_list<int64_t> cuts) {
  Records done;
  std::vector<Request> left = requests;
  for (const int64_t tokens : cuts) {
    Records records = toy.cut(left, tokens);
    left = rest_of(left, records);
    for (auto& [key, record] : records)
      if (record.finish != FinishReason::aborted) done[key] = std::move(record);
  }
  done.merge(toy.whole(left));
  return done;
}

void require_same(const Records& got, const Records& wanted) {
  REQUIRE(got.size() == wanted.size());
  for (const auto& [key, record] : wanted) {
    INFO("request " << key.first << ", sample " << key.second);
    CHECK(bytes_of(got.at(key)) == bytes_of(record));
  }
}

std::vector<Toy> toys() {
  EngineConfig few;  // most samples have not begun at a cut, and chunks are short
  few.max_sequences = 3;
  few.prefill_chunk = 7;
  return {{toy::dense(), Dtype::bf16, {}}, {toy::mla_moe(), Dtype::float32, {}}, {toy::gqa_moe(), Dtype::float32, few}};
}

}  // namespace

TEST_CASE("a completion that is cut off and goes on has the bits of one go", "[continue]") {
  for (const Toy& toy : toys()) {
    const Records wanted = toy.whole(requests());
    REQUIRE(wanted.size() == 12);
    require_same(in_pieces(toy, requests(), {9}), wanted);
    require_same(in_pieces(toy, requests(), {1, 6, 2, 11}), wanted);
  }
}

TEST_CASE("it goes on equally at temperature 0 and with cuts of the softmax", "[continue]") {
  const std::vector<kernels::SamplingParameters> ways{{.temperature = 0.0}, {.temperature = 0.8, .top_p = 0.7}, {.top_k = 5, .min_p = 0.02}};
  for (const Toy& toy : toys())
    for (const auto& way : ways) {
      std::vector<Request> asked = requests();
      for (Request& r : asked) r.sampling = way;
      const Records got = in_pieces(toy, asked, {8, 5});
      require_same(got, toy.whole(asked));
      for (const auto& [key, record] : got) CHECK(record.kept_mass.size() == (way.truncates() ? record.tokens.size() : 0));
    }
}

TEST_CASE("a stop string is found that begins before the cut and ends after it", "[continue]") {
  const Toy toy{toy::dense(), Dtype::float32, {}};
  std::vector<Request> asked{toy::request(1, 5, 4, 30)};
  const Records parts = toy.cut(asked, 9), free = toy.whole(asked);
  // Of each completion the two tokens before its cut and the one behind it.
  for (const auto& [key, record] : parts) {
    const size_t length = record.tokens.size();
    REQUIRE(length >= 2);
    asked[0].stop_strings.push_back(text_of(free.at(key)).substr(length - 2, 3));
  }
  const Records wanted = toy.whole(asked), before = toy.cut(asked, 9);
  Records got = toy.whole(rest_of(asked, before));
  int64_t spanning = 0;
  for (const auto& [key, record] : got) {
    REQUIRE(before.at(key).finish == FinishReason::aborted);
    spanning += record.finish == FinishReason::stop && record.tokens.size() == before.at(key).tokens.size() + 1;
  }
  CHECK(spanning >= 2);
  for (const auto& [key, record] : before)
    if (record.finish != FinishReason::aborted) got[key] = record;
  require_same(got, wanted);
}

TEST_CASE("under new weights a completion goes on behind its own tokens, and each carries its version", "[continue]") {
  const Toy toy{toy::mla_moe(), Dtype::bf16, {}};
  const auto asked = requests();
  const Records parts = toy.cut(asked, 9);
  Toy second = toy;
  second.weights = toy::weights(toy.config, toy.dtype, 2, 18);
  int64_t compared = 0;
  for (const auto& [key, record] : second.whole(rest_of(asked, parts))) {
    const SampleRecord& part = parts.at(key);
    const size_t before = part.tokens.size();
    REQUIRE(record.tokens.size() > before);
    REQUIRE(record.trained.size() == 1);
    CHECK(record.trained[0].length == static_cast<int64_t>(record.tokens.size()));
    for (size_t t = 0; t < record.tokens.size(); ++t) {
      CHECK(record.policy_versions[t] == (t < before ? 1 : 2));
      if (t < before) CHECK((record.tokens[t] == part.tokens[t] && record.logprobs[t] == part.logprobs[t]));
    }
    // The new weights, asked for what follows prompt and first tokens, say the same: random numbers go by position.
    Request behind = asked[static_cast<size_t>(key.first - 1)];
    behind.prompt_tokens.insert(behind.prompt_tokens.end(), part.tokens.begin(), part.tokens.end());
    behind.samples = 1, behind.first_sample = key.second;
    behind.max_new_tokens -= static_cast<int64_t>(before);
    const SampleRecord alone = second.whole({behind}).begin()->second;
    CHECK(std::equal(alone.tokens.begin(), alone.tokens.end(), record.tokens.begin() + static_cast<int64_t>(before), record.tokens.end()));
    CHECK(std::equal(alone.logprobs.begin(), alone.logprobs.end(), record.logprobs.begin() + static_cast<int64_t>(before)));
    ++compared;
  }
  CHECK(compared >= 8);
}

TEST_CASE("tokens of others before the cut stay untrained", "[continue]") {
  SampleRecord record;
  record.tokens = {1, 2, 3};
  record.trained = {{0, 2}};  // the third is a tool's
  record.tokens.insert(record.tokens.end(), {4, 5});
  rollout::train_from(record, 3);
  REQUIRE(record.trained.size() == 2);
  CHECK((record.trained[1].first == 3 && record.trained[1].length == 2));
  record.tokens.push_back(6);
  rollout::train_from(record, 5);
  REQUIRE(record.trained.size() == 2);
  CHECK(record.trained[1].length == 3);
  rollout::train_from(record, 6);  // none
  CHECK(record.trained[1].length == 3);
}

TEST_CASE("a sample that cannot go on in a request is refused", "[continue]") {
  const Toy toy{toy::dense(), Dtype::float32, {}};
  const Request asked = toy::request(1, 5, 2, 30);
  const Request rest = rest_of({asked}, toy.cut({asked}, 6)).at(0);
  REQUIRE(rest.continued.size() == 2);
  const auto engine = toy.make();
  const auto refused = [&](const std::function<void(Request&)>& change) {
    Request r = rest;
    change(r);
    CHECK_THROWS_AS(engine->submit(r), kernels::Error);
  };
  refused([](Request& r) { r.step += 1; });
  refused([](Request& r) { r.group_id += 1; });
  refused([](Request& r) { r.seed += 1; });
  refused([](Request& r) { r.prompt_tokens[0] += 1; });
  refused([](Request& r) { r.sampling.temperature = 0.5; });
  refused([](Request& r) { r.max_new_tokens = static_cast<int64_t>(r.continued[0].tokens.size()); });
  refused([](Request& r) { r.stop_tokens = {r.continued[0].tokens.back()}; });
  refused([](Request& r) { r.stop_strings = {text_of(r.continued[0])}; });
  refused([](Request& r) { r.continued[0].logprobs.pop_back(); });
  CHECK(engine->live_samples() == 0);
  engine->submit(rest);
  CHECK(toy::collect(*engine).size() == 2);
}
