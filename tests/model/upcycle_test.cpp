#include "model/upcycle.h"

#include <algorithm>
#include <cmath>
#include <fstream>

#include "model/files/checkpoint_folder.h"
#include "model/files/safetensors.h"
#include "model/files/safetensors_writer.h"
#include "model/files/write_folder.h"
#include "model/parameter_counts.h"
#include "model/transformer.h"
#include "tests/model/golden.h"
#include "tests/model/small_models.h"
#include "tests/support/catch.h"
#include "tests/support/one_text.h"

using Catch::Matchers::Contains;
using golden::error_of;
using golden::TemporaryFolder;
using kernels::Dtype;
using model::ModelConfig;
using model::UpcycleOptions;

namespace {

ModelConfig dense(const std::string& family) {
  ModelConfig c = family.starts_with("deepseek") ? golden::small_deepseek_v3() : golden::small_llama();
  c.family = family;
  c.layers = c.first_dense_layers = 2;
  c.dense_width = 48;
  c.query_key_norm = family == "qwen3";
  c.query_key_value_bias = family == "qwen2";
  c.router = {};
  c.expert_width = c.shared_experts = 0;
  if (family == "mistral") c.window = 3;
  return c;
}

void write_dense(const std::string& folder, const ModelConfig& config, Dtype dtype) {
  model::ParameterStore store(config, false);
  store.init_random(7, 0.3);
  const auto tokenizer = model::Tokenizer::from_json(model::character_tokenizer_json("0123456789+=;", {"<eos>", "<pad>"}), "characters");
  model::write_model(folder, store, *tokenizer, dtype);
}

std::vector<float> logits_of(const std::string& folder) {
  const auto config = model::read_config(folder);
  const auto weights = model::read_packed_weights(folder, config, Dtype::float32);
  const auto batch = testing::one_text({3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 23, 0});
  auto storage = model::make_key_storage(config, Dtype::float32, batch.rows());
  const auto logits = model::forward_logits(*weights, batch, storage);
  return {kernels::f32(logits), kernels::f32(logits) + logits.numel()};
}

// Largest difference, by the largest logit.
double difference(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  double most = 0, largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    most = std::max(most, static_cast<double>(std::abs(a[i] - b[i])));
    largest = std::max(largest, static_cast<double>(std::abs(a[i])));
  }
  return most / largest;
}

double difference_after(const ModelConfig& config, const UpcycleOptions& options) {
  const TemporaryFolder folder;
  write_dense(folder / "dense", config, Dtype::float32);
  model::upcycle(folder / "dense", folder / "out", options);
  return difference(logits_of(folder / "dense"), logits_of(folder / "out"));
}

std::string file(const std::string& path) { return model::read_text_file(path); }

std::vector<std::string> reasons(const std::string& family, const UpcycleOptions& options) {
  return model::plan_upcycle(dense(family), options).differences;
}

}  // namespace

TEST_CASE("whole copies with weights that sum to 1 compute what the dense model does, whatever the router says", "[upcycle]") {
  for (const char* family : {"llama", "mistral", "qwen3"})
    for (const int64_t active : {1, 2, 5, 8}) {
      INFO(family << ", " << active << " of 8");
      const UpcycleOptions options{.experts = 8, .active = active, .seed = active};
      CHECK(model::plan_upcycle(dense(family), options).differences.empty());
      CHECK(difference_after(dense(family), options) < 2e-6);
    }
}

TEST_CASE("slices compute what the dense model does when a token gets each of them equally often", "[upcycle]") {
  // granularity 4: a factor of 4, exact; 3: a factor of 3, which rounds; in both the down projections carry it.
  for (const int64_t granularity : {2, 3, 4})
    for (const int64_t times : {1, 2}) {
      INFO("granularity " << granularity << ", each slice " << times << " times");
      const UpcycleOptions options{.experts = 3 * granularity, .active = times * granularity, .granularity = granularity};
      const auto plan = model::plan_upcycle(dense("llama"), options);
      CHECK(plan.differences.empty());
      CHECK(plan.tied_router);
      CHECK(plan.down_factor == static_cast<double>(granularity));
      CHECK(difference_after(dense("llama"), options) < 2e-6);
    }
}

TEST_CASE("shared experts are the first slices, and the routed rest is scaled by the family", "[upcycle]") {
  for (const int64_t shared : {1, 2}) {
    const int64_t routed = 4 - shared;
    const UpcycleOptions options{.experts = 2 * routed, .active = routed, .shared = shared, .granularity = 4};
    const auto plan = model::plan_upcycle(dense("deepseek_v3"), options);
    CHECK(plan.differences.empty());
    CHECK(plan.target.router.scale == static_cast<double>(routed));
    CHECK(plan.down_factor == 1.0);
    CHECK(difference_after(dense("deepseek_v3"), options) < 2e-6);
  }
}

TEST_CASE("where the output cannot be the dense model's, the plan says why", "[upcycle]") {
  const UpcycleOptions some{.experts = 8, .active = 2, .granularity = 4};
  REQUIRE(reasons("llama", some).size() == 1);
  CHECK_THAT(reasons("llama", some)[0], Contains("does not visit each of the 4 routed slices equally often: --active 2 is no multiple of 4"));
  CHECK(difference_after(dense("llama"), some) > 1e-3);

  const UpcycleOptions noisy{.experts = 4, .active = 2, .noise = 0.1};
  REQUIRE(reasons("llama", noisy).size() == 1);
  CHECK_THAT(reasons("llama", noisy)[0], Contains("noise of 0.1"));
  CHECK(difference_after(dense("llama"), noisy) > 1e-3);

  const UpcycleOptions normed{.experts = 4, .active = 2, .family = "qwen3_moe"};
  REQUIRE(reasons("llama", normed).size() == 1);
  CHECK_THAT(reasons("llama", normed)[0], Contains("qwen3_moe norms queries and keys"));
  CHECK(difference_after(dense("llama"), normed) > 1e-3);
}

TEST_CASE("each family becomes the one that holds its attention", "[upcycle]") {
  const UpcycleOptions options{.experts = 4, .active = 2};
  CHECK(model::plan_upcycle(dense("llama"), options).target.family == "mixtral");
  CHECK(model::plan_upcycle(dense("mistral"), options).target.family == "mixtral");
  CHECK(model::plan_upcycle(dense("mistral"), options).target.window == 3);
  CHECK(model::plan_upcycle(dense("qwen3"), options).target.family == "qwen3_moe");
  const UpcycleOptions shared{.experts = 6, .active = 3, .shared = 1, .granularity = 4};
  CHECK(model::plan_upcycle(dense("deepseek_v3"), shared).target.family == "deepseek_v3");
}

TEST_CASE("what cannot be built is refused in the command line's words", "[upcycle]") {
  const auto error = [](const std::string& family, UpcycleOptions options) {
    return error_of([&] { model::plan_upcycle(dense(family), options); });
  };
  CHECK_THAT(error("qwen2", {}), Contains("this qwen2 has biases in its queries, keys and values"));
  CHECK_THAT(error("llama", {.granularity = 5}), Contains("--granularity is 5, but must cut the 48 hidden units"));
  CHECK_THAT(error("llama", {.granularity = 48}), Contains("slices of one even width"));
  CHECK_THAT(error("llama", {.shared = 1}), Contains("--shared is 1, but must be from 0 to 0"));
  CHECK_THAT(error("llama", {.shared = 1, .granularity = 2}), Contains("mixtral has no shared experts"));
  CHECK_THAT(error("llama", {.experts = 1, .active = 1}), Contains("--experts is 1, but must be a multiple, from 2"));
  CHECK_THAT(error("llama", {.experts = 6, .granularity = 4}), Contains("--experts is 6, but must be a multiple, from 2 to 65536, of the 4 routed slices"));
  CHECK_THAT(error("llama", {.experts = 4, .active = 5}), Contains("--active is 5, but must be from 1 to --experts, 4"));
  CHECK_THAT(error("llama", {.noise = -1}), Contains("--noise is -1"));
  CHECK_THAT(error("llama", {.noise = NAN}), Contains("--noise is nan"));
  CHECK_THAT(error("llama", {.family = "gpt2"}), Contains("--family is \"gpt2\", which is not supported. Supported: mixtral, qwen3_moe, deepseek_v3"));
  CHECK_THAT(error("llama", {.family = "deepseek_v3"}), Contains("--family deepseek_v3 has latent (MLA) attention, and this llama has grouped-query"));
  auto mixed = dense("qwen3");
  mixed.window = 5, mixed.full_layers = {0};
  CHECK_THAT(error_of([&] { model::plan_upcycle(mixed, {}); }),
             Contains("this qwen3 has a sliding window in some of its layers only, and qwen3_moe has one in all layers or in none"));
  CHECK_THAT(error("qwen3", {.family = "mixtral"}), Contains("mixtral has no norm of queries and keys"));
  CHECK_THAT(error("deepseek_v3", {}), Contains("deepseek_v3 has at least one shared expert. Add --shared 1 --granularity 2"));
  CHECK_THAT(error_of([] { model::plan_upcycle(golden::small_qwen3_moe(), {}); }), Contains("is a qwen3_moe with 4 experts already"));
}

TEST_CASE("experts are slices in their order, in the file's own type, and the rest keeps its bytes", "[upcycle]") {
  const TemporaryFolder folder;
  write_dense(folder / "dense", dense("llama"), Dtype::bf16);
  std::ofstream(folder / "dense/NOTICE") << "mine";
  std::ofstream(folder / "dense/notes") << "no part of a model";
  model::upcycle(folder / "dense", folder / "out", {.experts = 4, .active = 2, .granularity = 2});
  const model::SafetensorsFile from(folder / "dense/model.safetensors"), to(folder / "out/model.safetensors");
  const auto value = [](const model::SafetensorsEntry* entry, int64_t i) {
    float scratch;
    return *model::read_run(*entry, i, 1, &scratch);
  };
  const std::string layer = "model.layers.1.";
  const auto *gate = from.find(layer + "mlp.gate_proj.weight"), *down = from.find(layer + "mlp.down_proj.weight");
  for (int64_t e = 0; e < 4; ++e) {
    const auto at = fmt::format("{}block_sparse_moe.experts.{}.", layer, e);
    const auto *w1 = to.find(at + "w1.weight"), *w2 = to.find(at + "w2.weight");
    REQUIRE(w1 != nullptr);
    CHECK(w1->dtype == "BF16");
    CHECK(w1->shape == std::vector<int64_t>{24, 16});
    CHECK(w2->shape == std::vector<int64_t>{16, 24});
    // Expert 3 is slice 3 mod 2 = 1: rows 24 to 47 of the gate, columns 24 to 47 of the down projection, times 2.
    const int64_t slice = e % 2;
    CHECK(value(w1, 5 * 16 + 3) == value(gate, (slice * 24 + 5) * 16 + 3));
    CHECK(value(w2, 5 * 24 + 3) == 2 * value(down, 5 * 48 + slice * 24 + 3));
  }
  const auto* router = to.find(layer + "block_sparse_moe.gate.weight");
  CHECK(router->dtype == "F32");
  CHECK(value(router, 0) == value(router, 16));       // experts 0 and 1 are one copy
  CHECK(value(router, 0) != value(router, 2 * 16));
  const auto *a = from.find("model.embed_tokens.weight"), *b = to.find("model.embed_tokens.weight");
  CHECK(std::equal(a->data, a->data + a->bytes, b->data, b->data + b->bytes));
  CHECK(file(folder / "out/tokenizer.json") == file(folder / "dense/tokenizer.json"));
  CHECK(file(folder / "out/NOTICE") == "mine");
  CHECK_FALSE(std::filesystem::exists(folder / "out/notes"));
}

TEST_CASE("equal seeds give equal bytes, others another router and other noise", "[upcycle]") {
  const TemporaryFolder folder;
  write_dense(folder / "dense", dense("llama"), Dtype::float32);
  const auto weights = [&](int64_t seed, const std::string& name) {
    model::upcycle(folder / "dense", folder / name, {.experts = 4, .active = 2, .noise = 0.5, .seed = seed});
    return file(folder / (name + "/model.safetensors"));
  };
  const auto first = weights(1, "a");
  CHECK(first == weights(1, "b"));
  CHECK(first != weights(2, "c"));
  // Noise of 0.5 on a matrix of 48 * 16 values: the copies' mean square is (1 + 0.25) times the dense one's, within a tenth.
  const model::SafetensorsFile from(folder / "dense/model.safetensors"), to(folder / "a/model.safetensors");
  const auto mean_square = [](const model::SafetensorsEntry* entry) {
    std::vector<float> x(static_cast<size_t>(entry->bytes / 4));
    const float* values = model::read_run(*entry, 0, entry->bytes / 4, x.data());
    double sum = 0;
    for (size_t i = 0; i < x.size(); ++i) sum += static_cast<double>(values[i]) * values[i];
    return sum / static_cast<double>(x.size());
  };
  CHECK(mean_square(to.find("model.layers.0.block_sparse_moe.experts.1.w1.weight")) /
            mean_square(from.find("model.layers.0.mlp.gate_proj.weight")) ==
        Approx(1.25).margin(0.125));
}

TEST_CASE("upcycling onto the dense model itself is refused", "[upcycle]") {
  const TemporaryFolder folder;
  write_dense(folder / "dense", dense("llama"), Dtype::float32);
  CHECK_THAT(error_of([&] { model::upcycle(folder / "dense", folder / "./dense", {}); }), Contains("is the dense model itself"));
}

TEST_CASE("a token meets all parameters but those of the experts that it does not visit", "[upcycle]") {
  // qwen3_moe, 3 layers of which 2 have 4 experts of 3 * 16 * 8 = 384: 2 * 4 * 384 = 3072, half of it active.
  const auto counts = model::count_parameters(golden::small_qwen3_moe());
  CHECK(counts.experts == 3072);
  CHECK(counts.active == counts.total - 1536);
  CHECK(counts.embedding == 24 * 16);
}
