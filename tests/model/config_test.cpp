#include "model/config.h"

#include <cmath>

#include "tests/model/golden.h"
#include "tests/model/small_models.h"
#include "tests/support/catch.h"

using Catch::Matchers::Contains;
using golden::error_of;
using golden::small_deepseek_v3;
using golden::small_llama;
using golden::small_qwen3_moe;
using kernels::Dtype;
using nlohmann::json;

namespace {

json as_json(const model::ModelConfig& c) { return json::parse(model::config_to_json(c, Dtype::bf16).dump()); }
model::ModelConfig read(const json& j) { return model::config_from_json(j, "config.json"); }

std::string error_with(json j, const std::string& key, const json& value) {
  j[key] = value;
  return error_of([&] { read(j); });
}

}  // namespace

TEST_CASE("a config is the same after writing and reading, for each family", "[config]") {
  auto llama3 = small_llama();
  llama3.rope_theta = 500000, llama3.max_positions = 131072, llama3.eos_token_ids = {3, 4};
  llama3.rope_scaling = {
      .kind = "llama3", .factor = 32, .low_frequency_factor = 1, .high_frequency_factor = 4, .original_positions = 8192};
  auto dense_mla = small_deepseek_v3();
  dense_mla.router = {}, dense_mla.first_dense_layers = dense_mla.layers, dense_mla.query_rank = 0, dense_mla.shared_experts = 0;
  for (const auto& c : {small_llama(), llama3, small_qwen3_moe(), small_deepseek_v3(), dense_mla}) {
    const auto first = as_json(c), second = as_json(read(first));
    CHECK(first == second);
    const auto back = read(first);
    CHECK(back.attention == c.attention);
    CHECK(back.router.experts == c.router.experts);
    CHECK(back.query_rank == c.query_rank);
    CHECK(back.first_dense_layers == c.first_dense_layers);
    CHECK(back.shared_experts == c.shared_experts);
    CHECK(back.eos_token_ids == c.eos_token_ids);
    CHECK(back.rope_scaling.factor == c.rope_scaling.factor);
    CHECK(back.rope_interleaved == c.rope_interleaved);
  }
}

TEST_CASE("config.json carries the keys that transformers asks for", "[config]") {
  const auto j = as_json(small_deepseek_v3());
  CHECK(j["architectures"] == json::array({"DeepseekV3ForCausalLM"}));
  CHECK(j["model_type"] == "deepseek_v3");
  CHECK(j["dtype"] == "bfloat16");
  CHECK(j["torch_dtype"] == "bfloat16");
  CHECK(j["num_key_value_heads"] == 4);
  CHECK(j["n_routed_experts"] == 8);
  CHECK(j["n_group"] == 2);
  CHECK(j["topk_group"] == 1);
  CHECK(j["topk_method"] == "noaux_tc");
  CHECK(j["scoring_func"] == "sigmoid");
  CHECK(j["routed_scaling_factor"] == 2.5);
  CHECK(j["rope_interleave"] == true);
  CHECK(j["rope_parameters"]["rope_theta"] == 10000.0);
  CHECK(j["rope_theta"] == 10000.0);
  const auto q = as_json(small_qwen3_moe());
  CHECK(q["mlp_only_layers"] == json::array({0}));
  CHECK(q["decoder_sparse_step"] == 1);
  CHECK(q["num_experts"] == 4);
  CHECK(q["head_dim"] == 4);
  auto without_query_rank = small_deepseek_v3();
  without_query_rank.query_rank = 0;
  CHECK(as_json(without_query_rank)["q_lora_rank"].is_null());
}

TEST_CASE("old and new spellings of the rotary settings mean the same", "[config]") {
  auto base = as_json(small_llama());
  base.erase("rope_parameters"), base.erase("rope_scaling"), base.erase("rope_theta");
  CHECK(read(base).rope_theta == 10000.0);  // the class default of transformers
  auto old_style = base, new_style = base;
  const json scaling{
      {"factor", 8.0}, {"low_freq_factor", 1.0}, {"high_freq_factor", 4.0}, {"original_max_position_embeddings", 8192}};
  old_style["rope_theta"] = 500000.0;
  old_style["rope_scaling"] = scaling;
  old_style["rope_scaling"]["type"] = "llama3";
  new_style["rope_parameters"] = scaling;
  new_style["rope_parameters"]["rope_type"] = "llama3";
  new_style["rope_parameters"]["rope_theta"] = 500000.0;
  for (const auto& j : {old_style, new_style}) {
    CHECK(read(j).rope_theta == 500000.0);
    CHECK(read(j).rope_scaling.kind == "llama3");
    CHECK(read(j).rope_scaling.factor == 8.0);
  }
}

TEST_CASE("a broken config is refused with the key, its value and what would be right", "[config]") {
  const auto llama = as_json(small_llama()), qwen = as_json(small_qwen3_moe()), deepseek = as_json(small_deepseek_v3());
  CHECK(error_with(llama, "model_type", "gpt2") ==
        "config.json: model_type: is \"gpt2\", but must be a supported family: llama, mistral, qwen2, qwen3, qwen3_moe, olmoe, "
        "mixtral, deepseek_v2, deepseek_v3.");
  CHECK(error_with(llama, "hidden_size", 15) ==
        "config.json: hidden_size: is 15, but must be even: products take its elements in pairs.");
  CHECK(error_with(llama, "hidden_size", "16") ==
        "config.json: hidden_size: is \"16\", but must be an integer from 1 to 16777216.");
  CHECK_THAT(error_with(llama, "hidden_size", nullptr), Contains("hidden_size: is missing"));
  CHECK_THAT(error_with(llama, "hidden_size", 1e300), Contains("hidden_size: is 1e+300"));
  CHECK_THAT(error_with(llama, "num_hidden_layers", 18446744073709551615u), Contains("num_hidden_layers"));
  CHECK_THAT(error_with(llama, "num_key_value_heads", 3), Contains("num_key_value_heads: is 3 and heads is 4"));
  CHECK_THAT(error_with(llama, "attention_bias", 1), Contains("attention_bias: is 1"));
  CHECK_THAT(error_with(llama, "hidden_act", "gelu"), Contains("hidden_act"));
  CHECK_THAT(error_with(llama, "rope_parameters", {{"rope_type", "yarn"}, {"factor", -40}}), Contains("factor: is -40"));
  CHECK_THAT(error_with(llama, "rope_parameters", {{"rope_type", "yarn"}, {"factor", 4}, {"beta_fast", 0.5}}),
             Contains("beta_fast: is 0.5, but must not be below beta_slow, 1"));
  CHECK_THAT(error_with(llama, "eos_token_id", {5, "x"}), Contains("eos_token_id: is [5,\"x\"]"));
  CHECK_THAT(error_with(llama, "eos_token_id", 24), Contains("eos_token_id: is 24, but vocab_size is 24"));
  CHECK_THAT(error_with(qwen, "decoder_sparse_step", 0), Contains("decoder_sparse_step: is 0"));
  CHECK_THAT(error_with(qwen, "decoder_sparse_step", 4), Contains("leave them no layer"));
  CHECK_THAT(error_with(qwen, "mlp_only_layers", {3}), Contains("mlp_only_layers: is [3], but must be layers from 0 to 2"));
  CHECK_THAT(error_with(qwen, "num_experts_per_tok", 5), Contains("num_experts_per_tok: is 5"));
  CHECK_THAT(error_with(deepseek, "n_group", 3), Contains("n_group: is 3, but must divide the number of experts, 8"));
  CHECK_THAT(error_with(deepseek, "num_experts_per_tok", 5), Contains("the 1 kept groups hold only 4 experts"));
  CHECK_THAT(error_with(deepseek, "topk_method", "greedy"), Contains("topk_method: is \"greedy\""));
  CHECK_THAT(error_of([&] { read(json::array()); }), Contains("a JSON object is expected"));
}

TEST_CASE("parts that no family can hold together are refused by name", "[config]") {
  const auto error = [](model::ModelConfig c) { return error_of([&] { model::check(c); }); };
  auto c = small_llama();
  c.query_key_norm = true;
  CHECK(error(c) == "family: is llama, which has no norm of q and k; set query_key_norm = false.");
  c = small_llama(), c.router.experts = 4, c.router.active = 1, c.expert_width = 8, c.first_dense_layers = 0;
  CHECK_THAT(error(c), Contains("is llama, which is dense"));
  c = small_qwen3_moe(), c.shared_experts = 1;
  CHECK_THAT(error(c), Contains("has no shared experts"));
  c = small_deepseek_v3(), c.shared_experts = 0;
  CHECK_THAT(error(c), Contains("at least one shared expert"));
  c = small_deepseek_v3(), c.family = "llama";
  CHECK_THAT(error(c), Contains("GQA attention only"));
  CHECK(error(small_deepseek_v3()) == "no error");
}
