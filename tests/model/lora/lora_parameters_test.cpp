#include "model/lora/lora_parameters.h"

#include <algorithm>
#include <cmath>

#include "kernels/error.h"
#include "model/files/checkpoint_folder.h"
#include "tests/model/families/golden_cases.h"
#include "tests/support/catch.h"

using Catch::Matchers::Contains;
using model::LoraConfig;

namespace {

model::ModelConfig config_of(const std::string& name) { return model::read_config(golden::family_folder() + name); }

std::vector<std::string> names(const model::ParameterList& list) {
  std::vector<std::string> all;
  for (const auto& p : list.parameters()) all.push_back(p.name);
  return all;
}

model::ParameterList adapters(const model::ModelConfig& config, std::vector<std::string> targets, int64_t rank = 4) {
  return model::adapter_parameters(config, LoraConfig{.rank = rank, .targets = std::move(targets)});
}

int64_t count(const model::ParameterList& list, const std::string& part) {
  return std::count_if(list.parameters().begin(), list.parameters().end(),
                       [&](const auto& p) { return p.name.find(part) != std::string::npos; });
}

}  // namespace

TEST_CASE("a target names products by their last word, or by more of their end", "[lora]") {
  const auto llama = config_of("llama_llama3");  // 2 layers
  CHECK(names(adapters(llama, {"q_proj"})) == std::vector<std::string>{
            "model.layers.0.self_attn.q_proj.lora_A.weight", "model.layers.0.self_attn.q_proj.lora_B.weight",
            "model.layers.1.self_attn.q_proj.lora_A.weight", "model.layers.1.self_attn.q_proj.lora_B.weight"});
  CHECK(adapters(llama, {"layers.1.mlp.down_proj", "v_proj"}).parameters().size() == 2 + 4);
  CHECK(adapters(llama, {"all-linear"}).parameters().size() == 2 * 2 * 7);
  // Layer 0 is dense; layers 1 and 2 have experts and a shared expert.
  const auto deepseek = config_of("deepseek_v3");
  CHECK(adapters(deepseek, {"up_proj"}).parameters().size() == 2 * (1 + 2 * 2));
  CHECK(adapters(deepseek, {"experts.up_proj"}).parameters().size() == 2 * 2);
  CHECK(adapters(deepseek, {"shared_experts.up_proj"}).parameters().size() == 2 * 2);
  const auto all = adapters(deepseek, {"all-linear"});
  CHECK(count(all, "kv_b_proj") == 6);
  CHECK(count(all, "mlp.gate.") == 0);
  CHECK(count(all, "embed_tokens") + count(all, "lm_head") + count(all, "norm") == 0);
  // As files of the family call them.
  CHECK(count(adapters(config_of("mixtral"), {"w2"}), "mlp.experts.down_proj.lora_B.weight") == 2);
}

TEST_CASE("a target that names nothing is one error with the names that there are", "[lora]") {
  const auto mixtral = config_of("mixtral");
  CHECK_THROWS_WITH(adapters(mixtral, {"q_proj", "query"}),
                    Contains("\"query\" is no product of this model. Its products are k_proj, o_proj, q_proj, v_proj, w1, w2, w3;"));
  CHECK_THROWS_WITH(adapters(mixtral, {"gate"}), Contains("routers stay frozen"));
  CHECK_THROWS_WITH(adapters(mixtral, {"lm_head"}), Contains("\"lm_head\" is no product"));
  CHECK_THROWS_WITH(adapters(mixtral, {}), Contains("model.lora_targets: is empty"));
}

// alpha 6, rank 4: 6 / 4, and 6 / sqrt(4).
TEST_CASE("the scale is alpha / rank, or alpha / sqrt(rank)", "[lora]") {
  CHECK(LoraConfig{.rank = 4, .alpha = 6}.scale() == 1.5);
  CHECK(LoraConfig{.rank = 4, .alpha = 6, .rslora = true}.scale() == 3.0);
}

TEST_CASE("A begins uniform within 1 / sqrt(in), B and the padding of an odd rank at 0", "[lora]") {
  const auto config = config_of("qwen3_moe_plain");  // width 16
  model::ParameterStore store(adapters(config, {"gate_proj"}, 3), false);
  model::init_adapters(store, 3, 5);
  const auto& down = store.find("model.layers.0.mlp.experts.gate_proj.lora_A.weight");
  CHECK(down.shape == std::vector<int64_t>{4, 4, 16});
  const float* a = store.master_of(down.name);
  double sum = 0, squares = 0, most = 0;
  for (int64_t e = 0; e < 4; ++e)
    for (int64_t r = 0; r < 4; ++r)
      for (int64_t i = 0; i < 16; ++i) {
        const double x = a[(e * 4 + r) * 16 + i];
        if (r == 3) REQUIRE(x == 0);
        sum += x, squares += x * x, most = std::max(most, std::abs(x));
      }
  CHECK(most <= 0.25);
  CHECK(most > 0.24);
  CHECK(std::abs(sum / 192) < 0.03);                           // 192 values; the mean's deviation is 0.144 / sqrt(192) = 0.01
  CHECK(squares / 192 == Approx(0.25 * 0.25 / 3).epsilon(0.2));  // of a uniform distribution
  const auto& up = store.find("model.layers.0.mlp.experts.gate_proj.lora_B.weight");
  CHECK(up.shape == std::vector<int64_t>{4, 10, 4});
  CHECK(std::all_of(store.master_of(up.name), store.master_of(up.name) + up.size, [](float x) { return x == 0; }));
}
