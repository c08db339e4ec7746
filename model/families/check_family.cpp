// What a family's code in transformers and vLLM cannot hold is refused before a file says it.
#include "kernels/error.h"
#include "model/families/family.h"

namespace model {

using kernels::fail_usage;
using Router = kernels::RouterConfig;

namespace {

struct Refuser {
  const ModelConfig& c;

  void operator()(bool bad, const std::string& what, const std::string& instead) const {
    if (bad) fail_usage("family: is {}, which {}; {}.", c.family, what, instead);
  }
  void part(Part allowed, bool there, const char* what, const char* to_have, const char* not_to_have) const {
    (*this)(there && allowed == Part::never, fmt::format("has no {}", what), not_to_have);
    (*this)(!there && allowed == Part::always, fmt::format("has {}", what), to_have);
  }
};

void check_attention_parts(const Refuser& refuse, const FamilyParts& parts) {
  const ModelConfig& c = refuse.c;
  const bool gqa = parts.attention == Attention::gqa;
  refuse(c.attention != parts.attention, gqa ? "has GQA attention only" : "has MLA attention only",
         gqa ? "use deepseek_v2 or deepseek_v3 for MLA" : "use another family for GQA");
  refuse.part(parts.head_norm, c.query_key_norm, "norm of q and k", "set query_key_norm = true", "set query_key_norm = false");
  refuse.part(parts.whole_norm, c.whole_query_key_norm, "norm of q and k over all heads", "set whole_query_key_norm = true",
              "set whole_query_key_norm = false");
  if (parts.query_key_value_bias)
    refuse(!c.query_key_value_bias || c.output_bias, "has biases of q, k and v and none of the output",
           "set query_key_value_bias alone");
  else
    refuse.part(parts.attention_bias, c.query_key_value_bias || c.output_bias, "biases in attention", "", "turn them off");
  refuse(!parts.query_key_value_bias && c.query_key_value_bias != c.output_bias,
         "has biases of q, k, v and the output or none of them", "set query_key_value_bias and output_bias alike");
  refuse.part(parts.feed_forward_bias, c.feed_forward_bias, "biases in the feed-forward", "", "turn them off");
  refuse.part(parts.window, c.window > 0, "sliding window", "", "set window = 0");
  refuse(!parts.some_full_layers && !c.full_layers.empty(), "has the same window in all layers", "leave full_layers empty");
  refuse.part(parts.clip, c.clip_qkv != 0, "clipping of q, k and v", "", "set clip_qkv = 0");
  refuse.part(parts.interleaved, c.rope_interleaved, "interleaved rotary pairs", "set rope_interleaved = true",
              "set rope_interleaved = false");
  refuse(parts.divided_width && c.width % c.heads != 0,
         fmt::format("asks for a width that is a multiple of its {} heads", c.heads), "change one of them");
  refuse(parts.whole_head_size && c.head_size * c.heads != c.width, "has heads of size width / heads",
         fmt::format("set head_size = {}", c.width / c.heads));
  refuse(!gqa && c.latent_norm_eps != 1e-6, "fixes latent_norm_eps at 1e-6", "leave that setting out");
}

void check_expert_parts(const Refuser& refuse, const FamilyParts& parts) {
  const ModelConfig& c = refuse.c;
  const auto& r = c.router;
  const bool moe = r.experts > 0, v2 = c.family == "deepseek_v2", v3 = c.family == "deepseek_v3";
  refuse(moe && parts.experts == Part::never, "is dense",
         "use qwen3_moe, mixtral, olmoe or a deepseek for experts, or set experts = 0");
  refuse(!moe && parts.experts == Part::always, "has experts", "use llama or qwen3 for a dense model, or set experts");
  if (!moe) return;
  refuse(parts.early_dense == Part::never && c.first_dense_layers > 0, "has experts in every layer",
         "set first_dense_layers = 0");
  refuse(!parts.any_dense && (c.moe_every != 1 || !c.dense_layers.empty()),
         "has experts in every layer after the first dense ones", "leave moe_every and dense_layers out");
  refuse.part(parts.normalized, r.normalize, "normalised weights of experts", "set normalize = true", "set normalize = false");
  const bool sigmoid = r.scoring == Router::Scoring::sigmoid;
  refuse(v3 && !sigmoid, "has a sigmoid router", "set the router's scoring to sigmoid");
  refuse(!v3 && sigmoid, "has a softmax router", "use deepseek_v3 for a sigmoid router");
  refuse(v2 && r.groups > 1 && r.group_score != Router::GroupScore::largest, "scores a group by its largest expert",
         "set the router's group_score to largest");
  refuse(v3 && r.group_score != Router::GroupScore::two_largest, "scores a group by its two largest experts",
         "set the router's group_score to two_largest");
  refuse((v2 || v3) && c.shared_experts == 0, "has at least one shared expert", "set shared_experts = 1");
  if (v2 || v3) return;
  refuse(r.groups != 1, "has no expert groups", "set expert_groups = 1");
  refuse(r.scale != 1.0, "does not scale the router's weights", "set router_scale = 1");
  refuse(c.shared_experts != 0, "has no shared experts", "set shared_experts = 0, or use deepseek_v3");
}

}  // namespace

void check_family(const ModelConfig& c) {
  const Family* family = find_family(c.family);
  if (!family) fail_usage("family: is \"{}\", which is not supported. Supported: {}.", c.family, family_names());
  const Refuser refuse{c};
  check_attention_parts(refuse, family->parts);
  check_expert_parts(refuse, family->parts);
}

}  // namespace model
