#include "model/parameter_store.h"

#include "tests/model/small_models.h"
#include "tests/support/catch.h"

using golden::small_deepseek_v3;
using golden::small_llama;

namespace {

// The names of the biases of layer 0, after "model.layers.0.", each with its size.
std::vector<std::pair<std::string, int64_t>> biases(const model::ModelConfig& c) {
  const std::string layer = "model.layers.0.", end = ".bias";
  std::vector<std::pair<std::string, int64_t>> found;
  for (const auto& p : model::list_parameters(c)) {
    if (p.name.rfind(layer, 0) != 0 || p.name.size() < end.size() || p.name.substr(p.name.size() - end.size()) != end) continue;
    found.emplace_back(p.name.substr(layer.size()), p.size);
    CHECK(p.trained);
    CHECK(!p.decayed);
    CHECK(!p.compute_float32);
    CHECK(p.init == model::Parameter::Init::zeros);
  }
  return found;
}

using Names = std::vector<std::pair<std::string, int64_t>>;

}  // namespace

TEST_CASE("each kind of bias has its names and sizes, and follows its weight", "[parameters]") {
  auto c = small_llama();  // width 16, 4 heads and 2 key heads of 4, hidden 32
  CHECK(biases(c).empty());
  c.query_key_value_bias = true;
  CHECK(biases(c) == Names{{"self_attn.q_proj.bias", 16}, {"self_attn.k_proj.bias", 8}, {"self_attn.v_proj.bias", 8}});
  c.query_key_value_bias = false, c.output_bias = c.feed_forward_bias = true;
  CHECK(biases(c) == Names{{"self_attn.o_proj.bias", 16}, {"mlp.gate_proj.bias", 32}, {"mlp.up_proj.bias", 32},
                           {"mlp.down_proj.bias", 16}});
  auto mla = small_deepseek_v3();  // query rank 10, latent 8 + rope 2, width 16
  mla.query_key_value_bias = mla.output_bias = true;
  CHECK(biases(mla) == Names{{"self_attn.q_a_proj.bias", 10}, {"self_attn.kv_a_proj_with_mqa.bias", 10},
                             {"self_attn.o_proj.bias", 16}});
  mla.query_rank = 0;  // q_proj has none
  CHECK(biases(mla) == Names{{"self_attn.kv_a_proj_with_mqa.bias", 10}, {"self_attn.o_proj.bias", 16}});
}

TEST_CASE("norms of whole rows of q and k are as wide as the rows", "[parameters]") {
  auto c = small_llama();
  c.whole_query_key_norm = true;
  const model::ParameterList list(c);
  CHECK(list.find("model.layers.1.self_attn.q_norm.weight").size == 16);
  CHECK(list.find("model.layers.1.self_attn.k_norm.weight").size == 8);
}

TEST_CASE("layers have experts by period and by exception", "[parameters]") {
  auto c = golden::small_qwen3_moe();
  c.layers = 6, c.first_dense_layers = 0, c.moe_every = 2, c.dense_layers = {3};
  std::vector<int64_t> sparse;
  const model::ParameterList list(c);
  for (int64_t i = 0; i < c.layers; ++i)
    if (list.has("model.layers." + std::to_string(i) + ".mlp.gate.weight")) sparse.push_back(i);
  CHECK(sparse == std::vector<int64_t>{1, 5});
}
