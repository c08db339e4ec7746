// config.json of released models, and the rules by which transformers reads what a file leaves out.
#include <cmath>

#include "model/config.h"
#include "model/parameter_store.h"
#include "model/rope_scaling.h"
#include "tests/model/golden.h"
#include "tests/support/catch.h"

using Catch::Matchers::Contains;
using golden::error_of;
using kernels::Dtype;
using model::Attention;
using model::ModelConfig;
using nlohmann::json;

namespace {

json released_json(const std::string& name) {
  return golden::json(testing::source_dir() + "/tests/model/families/configs/" + name + ".json");
}
ModelConfig read(const json& j) { return model::config_from_json(j, "config.json"); }
ModelConfig released(const std::string& name) { return read(released_json(name)); }
json written(const ModelConfig& c) { return json::parse(model::config_to_json(c, Dtype::bf16).dump()); }

std::string error_with(json j, const std::string& key, const json& value) {
  j[key] = value;
  return error_of([&] { read(j); });
}

int64_t parameters(const ModelConfig& c) {
  int64_t total = 0;
  for (const auto& p : model::list_parameters(c)) total += p.size;
  return total;
}

const char* const kReleased[] = {"Qwen2.5-0.5B", "Llama-3.1-8B",     "Qwen3-30B-A3B", "OLMoE-1B-7B",      "Mixtral-8x7B",
                                 "Mistral-7B",   "DeepSeek-V2-Lite", "DeepSeek-V3",   "Moonlight-16B-A3B"};

}  // namespace

TEST_CASE("configs of released models stay the same when written and read", "[families]") {
  for (const auto* name : kReleased) {
    INFO(name);
    const auto given = released_json(name), first = written(read(given));
    CHECK(first == written(read(first)));
    // Every key that we write and the release has, has its value; numbers may have become floating point.
    for (const auto& [key, value] : given.items()) {
      if (!first.contains(key) || key == "rope_scaling" || key == "torch_dtype" || key == "initializer_range") continue;
      if (key == "router_aux_loss_coef" || key == "num_nextn_predict_layers") continue;  // for training that we do not do
      if (key == "max_window_layers" || key == "sliding_window") continue;               // of windows that are off
      INFO(key << " is " << first[key].dump());
      CHECK(first[key] == value);
    }
  }
}

TEST_CASE("released models have as many parameters as their makers say", "[families]") {
  // In millions, as the model cards count (V3 without its prediction module).
  CHECK(std::round(parameters(released("Qwen2.5-0.5B")) / 1e6) == 494);
  CHECK(std::round(parameters(released("Llama-3.1-8B")) / 1e6) == 8030);
  CHECK(std::round(parameters(released("Mistral-7B")) / 1e6) == 7242);
  CHECK(std::round(parameters(released("Mixtral-8x7B")) / 1e6) == 46703);
  CHECK(std::round(parameters(released("Qwen3-30B-A3B")) / 1e6) == 30532);
  CHECK(std::round(parameters(released("OLMoE-1B-7B")) / 1e6) == 6919);
  CHECK(std::round(parameters(released("DeepSeek-V2-Lite")) / 1e6) == 15706);
  CHECK(std::round(parameters(released("Moonlight-16B-A3B")) / 1e6) == 15960);
  CHECK(std::round(parameters(released("DeepSeek-V3")) / 1e9) == 671);
}

TEST_CASE("released models are read with the parts that their families have", "[families]") {
  const auto qwen = released("Qwen2.5-0.5B");
  CHECK((qwen.query_key_value_bias && !qwen.output_bias && qwen.tied_embedding));
  CHECK(qwen.window == 0);  // sliding_window is given, use_sliding_window is off
  CHECK(qwen.head_size == 64);
  const auto llama = released("Llama-3.1-8B");
  CHECK(llama.rope_scaling.kind == "llama3");
  CHECK(llama.eos_token_ids == std::vector<int64_t>{128001, 128008, 128009});
  const auto mistral = released("Mistral-7B");
  CHECK(mistral.window == 4096);
  CHECK(mistral.window_of(31) == 4096);
  const auto moe = released("Qwen3-30B-A3B");
  CHECK((moe.query_key_norm && moe.router.normalize && moe.is_moe(0)));
  CHECK(moe.head_size == 128);
  const auto olmoe = released("OLMoE-1B-7B");
  CHECK((olmoe.whole_query_key_norm && !olmoe.router.normalize && olmoe.clip_qkv == 0));
  CHECK(olmoe.expert_width == 1024);
  CHECK(olmoe.bos_token_id == -1);
  const auto mixtral = released("Mixtral-8x7B");
  CHECK((mixtral.router.normalize && mixtral.expert_width == 14336 && mixtral.window == 0));
  const auto lite = released("DeepSeek-V2-Lite");
  CHECK((lite.attention == Attention::mla && lite.query_rank == 0 && lite.rope_interleaved && !lite.router.normalize));
  CHECK(lite.router.group_score == kernels::RouterConfig::GroupScore::largest);
  CHECK((!lite.is_moe(0) && lite.is_moe(1)));
  // 192^-1/2 * (0.1 * 0.707 * ln 40 + 1)^2 = 0.0721688 * 1.260804^2 = 0.1147213
  CHECK(model::attention_scale(lite) == Approx(0.1147213).epsilon(1e-6));
  CHECK(model::rope_magnitude(lite) == 1.0);
  const auto v3 = released("DeepSeek-V3");
  CHECK((v3.query_rank == 1536 && v3.router.groups == 8 && v3.router.groups_kept == 4 && v3.first_dense_layers == 3));
  // 192^-1/2 * (0.1 ln 40 + 1)^2 = 0.0721688 * 1.873855
  CHECK(model::attention_scale(v3) == Approx(0.0721688 * 1.873855).epsilon(1e-6));
  const auto moonlight = released("Moonlight-16B-A3B");
  CHECK((moonlight.query_rank == 0 && moonlight.router.scale == 2.446 && moonlight.rope_scaling.kind == "none"));
  CHECK((moonlight.norm_eps == 1e-5 && moonlight.latent_norm_eps == 1e-6));  // CONVENTIONS.md, "Latent-norm eps"
}

TEST_CASE("keys that a file leaves out have the values of transformers' classes", "[families]") {
  const json sizes{{"vocab_size", 60000}, {"hidden_size", 256},        {"num_hidden_layers", 2},
                   {"num_attention_heads", 32}, {"intermediate_size", 64}, {"moe_intermediate_size", 64},
                   {"num_experts_per_tok", 2}};
  const auto of = [&](const char* family) {
    json j = sizes;
    j["model_type"] = family;
    return read(j);
  };
  CHECK(of("llama").key_heads == 32);
  CHECK(of("llama").max_positions == 2048);
  CHECK(of("llama").eos_token_ids == std::vector<int64_t>{2});
  CHECK((of("mistral").key_heads == 8 && of("mistral").window == 4096 && of("mistral").max_positions == 131072));
  CHECK((of("qwen2").key_heads == 32 && of("qwen2").head_size == 8 && of("qwen2").eos_token_ids.empty()));
  CHECK(of("qwen3").head_size == 128);
  CHECK((of("qwen3_moe").key_heads == 4 && !of("qwen3_moe").router.normalize && of("qwen3_moe").router.experts == 128));
  CHECK((of("olmoe").norm_eps == 1e-5 && of("olmoe").pad_token_id == 1));
  CHECK(of("olmoe").eos_token_ids == std::vector<int64_t>{50279});
  CHECK((of("mixtral").rope_theta == 1e6 && of("mixtral").norm_eps == 1e-5 && of("mixtral").window == 0));
  CHECK((of("deepseek_v2").first_dense_layers == 0 && of("deepseek_v2").shared_experts == 2));
  CHECK(of("deepseek_v2").query_rank == 1536);
  CHECK(of("deepseek_v3").first_dense_layers == 2);  // 3 of 2
  CHECK(of("deepseek_v3").query_rank == 1536);       // absent is not null
  json null_rank = sizes;
  null_rank["model_type"] = "deepseek_v3", null_rank["q_lora_rank"] = nullptr;
  CHECK(read(null_rank).query_rank == 0);
}

TEST_CASE("null is what Python makes of None, where a key may be null", "[families]") {
  auto j = released_json("DeepSeek-V3");
  j["norm_topk_prob"] = nullptr, j["rope_interleave"] = nullptr;
  CHECK((!read(j).router.normalize && !read(j).rope_interleaved));
  j.erase("norm_topk_prob"), j.erase("rope_interleave");
  CHECK((read(j).router.normalize && read(j).rope_interleaved));
  CHECK(error_with(j, "n_group", nullptr) == "config.json: n_group: is missing.");
  j["rope_scaling"]["truncate"] = nullptr;
  CHECK_FALSE(read(j).rope_scaling.truncate);
}

TEST_CASE("a token id of -1 is none: the first Llamas have such a pad_token_id", "[families]") {
  auto j = released_json("Llama-3.1-8B");
  j["pad_token_id"] = -1, j["eos_token_id"] = {-1, 7};
  CHECK(read(j).pad_token_id == -1);
  CHECK(read(j).eos_token_ids == std::vector<int64_t>{7});
  CHECK_THAT(error_with(j, "pad_token_id", -2), Contains("pad_token_id: is -2, but must be an id"));
}

TEST_CASE("DeepSeek's scores are scaled by mscale_all_dim with every kind of rotary scaling", "[families]") {
  auto j = released_json("DeepSeek-V3");
  j["rope_scaling"] = {{"type", "linear"}, {"factor", 40.0}, {"mscale_all_dim", 1.0}};
  // 192^-1/2 * (0.1 ln 40 + 1)^2 = 0.0721688 * 1.873855, as with yarn
  CHECK(model::attention_scale(read(j)) == Approx(0.0721688 * 1.873855).epsilon(1e-6));
  CHECK(model::rope_magnitude(read(j)) == 1.0);
  CHECK(model::attention_scale(read(written(read(j)))) == model::attention_scale(read(j)));
}

TEST_CASE("a config that cannot be is told in the words of config.json", "[families]") {
  const auto llama = released_json("Llama-3.1-8B"), v2 = released_json("DeepSeek-V2-Lite"), olmoe = released_json("OLMoE-1B-7B");
  CHECK(error_with(llama, "num_key_value_heads", 3) ==
        "config.json: num_key_value_heads: is 3 and heads is 32; heads must be a multiple of num_key_value_heads.");
  CHECK_THAT(error_with(llama, "intermediate_size", 27), Contains("config.json: intermediate_size: is 27, but must be even"));
  CHECK_THAT(error_with(olmoe, "intermediate_size", 27), Contains("config.json: intermediate_size: is 27, but must be even"));
  CHECK_THAT(error_with(v2, "moe_intermediate_size", 1407), Contains("config.json: moe_intermediate_size: is 1407"));
  CHECK_THAT(error_with(v2, "kv_lora_rank", 5), Contains("config.json: kv_lora_rank: is 5"));
  CHECK_THAT(error_with(v2, "n_shared_experts", 0),
             Contains("config.json: model_type: is deepseek_v2") && Contains("set n_shared_experts = 1"));
}

TEST_CASE("which layers of a qwen have the window: layer_types, or those from max_window_layers on", "[families]") {
  auto j = released_json("Qwen2.5-0.5B");
  j["num_hidden_layers"] = 4, j["max_window_layers"] = 3, j["sliding_window"] = 100, j["use_sliding_window"] = true;
  CHECK(read(j).window == 100);
  CHECK(read(j).full_layers == std::vector<int64_t>{0, 1, 2});
  j["layer_types"] = {"full_attention", "sliding_attention", "full_attention", "sliding_attention"};
  CHECK(read(j).full_layers == std::vector<int64_t>{0, 2});
  CHECK(written(read(j))["layer_types"] == j["layer_types"]);
  CHECK(written(read(j))["max_window_layers"] == 1);
  j["layer_types"] = {"full_attention", "full_attention", "full_attention", "full_attention"};
  CHECK(read(j).window == 0);
  CHECK_THAT(error_with(j, "layer_types", {"full_attention"}), Contains("a list of 4 names, one a layer"));
  j["layer_types"][1] = "linear_attention";
  CHECK_THAT(error_of([&] { read(j); }), Contains("layer_types: has \"linear_attention\""));
  j["layer_types"][1] = "sliding_attention";
  CHECK_THAT(error_with(j, "use_sliding_window", false), Contains("use_sliding_window is not true"));
  CHECK_THAT(error_with(released_json("Mistral-7B"), "layer_types", {"full_attention"}),
             Contains("must be sliding_attention for all layers in this mistral"));
}

TEST_CASE("rotary settings for one kind of layer are refused", "[families]") {
  for (const char* name : {"Qwen2.5-0.5B", "DeepSeek-V3"}) {
    auto j = released_json(name);
    j.erase("rope_scaling");
    j["rope_parameters"]["full_attention"] = {{"rope_type", "default"}, {"rope_theta", 5000.0}};
    CHECK_THAT(error_of([&] { read(j); }), Contains("rope_parameters: full_attention: is {\"rope_theta\":5000.0"));
  }
}

TEST_CASE("the original length beside the rotary settings counts more than the one in them", "[families]") {
  auto j = released_json("Llama-3.1-8B");
  CHECK(read(j).rope_scaling.original_positions == 8192);
  j["original_max_position_embeddings"] = 4096;
  CHECK(read(j).rope_scaling.original_positions == 4096);
}

TEST_CASE("rope_scaling counts more than rope_parameters, as in transformers", "[families]") {
  auto j = released_json("Llama-3.1-8B");
  j["rope_parameters"] = {{"rope_type", "linear"}, {"factor", 2.0}, {"rope_theta", 7.0}};
  CHECK(read(j).rope_scaling.kind == "llama3");
  CHECK(read(j).rope_theta == 500000.0);
  j["rope_scaling"] = nullptr;
  CHECK(read(j).rope_scaling.kind == "linear");
  CHECK(read(j).rope_theta == 7.0);
}

TEST_CASE("what the families' code cannot do is refused by name", "[families]") {
  const auto llama = released_json("Llama-3.1-8B"), v3 = released_json("DeepSeek-V3");
  CHECK(error_with(llama, "model_type", "qwen3_next") ==
        "config.json: model_type: is \"qwen3_next\", but must be a supported family: llama, mistral, qwen2, qwen3, qwen3_moe, "
        "olmoe, mixtral, deepseek_v2, deepseek_v3.");
  CHECK_THAT(error_with(llama, "hidden_act", "gelu"), Contains("hidden_act: is \"gelu\""));
  CHECK_THAT(error_with(llama, "partial_rotary_factor", 0.5), Contains("partial_rotary_factor: is 0.5"));
  for (const char* type : {"dynamic", "longrope", "mrope"})
    CHECK_THAT(error_with(llama, "rope_scaling", {{"rope_type", type}, {"factor", 2.0}}),
               Contains("default, linear, llama3, yarn"));
  CHECK_THAT(error_with(llama, "rope_scaling", {{"type", "linear"}}), Contains("rope_scaling: factor: is missing"));
  for (const char* text : {R"({"quant_method": "gptq", "bits": 4})", R"({"quant_method": "bitsandbytes"})", R"({"quant_method": "fp8"})",
                           R"({"quant_method": "fp8", "fmt": "e5m2", "weight_block_size": [128, 128]})", "{}"}) {
    const auto q = json::parse(text);
    CHECK_THAT(error_with(llama, "quantization_config", q), Contains("quantised (" + q.value("quant_method", "unnamed")));
  }
  CHECK_THAT(error_with(v3, "scoring_func", "softmax"), Contains("scoring_func"));
  CHECK_THAT(error_with(v3, "topk_method", "greedy"), Contains("topk_method: is \"greedy\""));
  CHECK_THAT(error_with(v3, "moe_layer_freq", 2), Contains("moe_layer_freq: is 2"));
  CHECK_THAT(error_with(released_json("Qwen3-30B-A3B"), "mlp_only_layers", {48}), Contains("layers from 0 to 47"));
  CHECK_THAT(error_with(released_json("OLMoE-1B-7B"), "head_dim", 64),
             Contains("heads of size width / heads; set head_dim = 128"));
  auto wide_heads = llama;
  wide_heads["head_dim"] = 128;
  CHECK_THAT(error_with(wide_heads, "num_attention_heads", 24), Contains("multiple of its 24 heads"));  // as transformers
}
