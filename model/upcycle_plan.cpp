// Which model comes out of a dense one, and whether it is the same function.
#include <cmath>

#include "kernels/error.h"
#include "model/upcycle.h"

namespace model {

using kernels::fail_usage;

namespace {

constexpr const char* kTargets = "mixtral, qwen3_moe, deepseek_v3";

void check_options(const ModelConfig& dense, const UpcycleOptions& o) {
  if (dense.router.experts > 0)
    fail_usage("upcycle: the model is a {} with {} experts already; give a dense model.", dense.family, dense.router.experts);
  if (o.granularity < 1 || dense.dense_width % o.granularity != 0 || dense.dense_width / o.granularity % 2 != 0)
    fail_usage("upcycle: --granularity is {}, but must cut the {} hidden units of a layer into slices of one even width.",
               o.granularity, dense.dense_width);
  if (o.shared < 0 || o.shared >= o.granularity)
    fail_usage(
        "upcycle: --shared is {}, but must be from 0 to {}: shared experts are slices of the layer, and one of the --granularity "
        "{} slices at least is left for the router.{}",
        o.shared, o.granularity - 1, o.granularity, o.granularity == 1 ? " Raise --granularity to 2 or more." : "");
  const int64_t slices = o.granularity - o.shared;
  if (o.experts < 2 || o.experts > 65536 || o.experts % slices != 0)
    fail_usage("upcycle: --experts is {}, but must be a multiple, from 2 to 65536, of the {} routed slice{} (granularity {}, less {} "
               "shared).",
               o.experts, slices, slices == 1 ? "" : "s", o.granularity, o.shared);
  if (o.active < 1 || o.active > o.experts)
    fail_usage("upcycle: --active is {}, but must be from 1 to --experts, {}.", o.active, o.experts);
  if (!(o.noise >= 0) || !std::isfinite(o.noise)) fail_usage("upcycle: --noise is {}, but must be 0 or more.", o.noise);
  if (o.seed < 0) fail_usage("upcycle: --seed is {}, but must be 0 or more.", o.seed);
}

std::string own_family(const ModelConfig& c) {
  if (c.attention == Attention::mla) return "deepseek_v3";
  return c.query_key_norm ? "qwen3_moe" : "mixtral";
}

void check_family_fits(const ModelConfig& c, const std::string& family) {
  if (family != "mixtral" && family != "qwen3_moe" && family != "deepseek_v3")
    fail_usage("upcycle: --family is \"{}\", which is not supported. Supported: {}.", family, kTargets);
  const bool mla = family == "deepseek_v3";
  if (mla != (c.attention == Attention::mla))
    fail_usage("upcycle: --family {} has {} attention, and this {} has {}. Leave --family out: {} fits.", family,
               mla ? "latent (MLA)" : "grouped-query", c.family, mla ? "grouped-query" : "latent (MLA)", own_family(c));
  if (c.feed_forward_bias || (c.query_key_value_bias && (!c.output_bias || family == "mixtral")))
    fail_usage("upcycle: this {} has biases in its {}, and {} has no place for them. Of llama, mistral, qwen3, deepseek_v2 and "
               "deepseek_v3, those without such biases can be upcycled.",
               c.family, c.feed_forward_bias ? "feed-forward layers" : "queries, keys and values", family);
  if (!c.full_layers.empty())
    fail_usage("upcycle: this {} has a sliding window in some of its layers only, and {} has one in all layers or in none.", c.family,
               family);
  if (c.whole_query_key_norm || c.clip_qkv != 0)
    fail_usage("upcycle: this {} norms or clips whole queries and keys, and none of {} does.", c.family, kTargets);
  if (family == "mixtral" && c.query_key_norm)
    fail_usage("upcycle: --family mixtral has no norm of queries and keys, and this {} has. Leave --family out: qwen3_moe fits.",
               c.family);
}

ModelConfig target_config(const ModelConfig& dense, const UpcycleOptions& o, const std::string& family) {
  ModelConfig c = dense;
  c.family = family;
  c.first_dense_layers = 0;
  c.dense_layers.clear();
  c.expert_width = dense.dense_width / o.granularity;
  c.shared_experts = o.shared;
  c.router = {.experts = o.experts, .active = o.active};
  if (family == "mixtral") c.dense_width = 0;  // its config.json has one width, the experts'
  if (family == "qwen3_moe") c.query_key_norm = true;
  if (family == "deepseek_v3") {
    c.router.scoring = kernels::RouterConfig::Scoring::sigmoid;
    c.router.scale = static_cast<double>(o.granularity - o.shared);
  }
  return c;
}

}  // namespace

UpcyclePlan plan_upcycle(const ModelConfig& dense, const UpcycleOptions& options) {
  check_options(dense, options);
  const std::string family = options.family.empty() ? own_family(dense) : options.family;
  check_family_fits(dense, family);
  if (family != "deepseek_v3" && options.shared > 0)
    fail_usage("upcycle: --shared is {}, but {} has no shared experts; of {} only deepseek_v3 has. Leave --shared out.",
               options.shared, family, kTargets);
  if (family == "deepseek_v3" && options.shared == 0)
    fail_usage("upcycle: deepseek_v3 has at least one shared expert. Add --shared 1 --granularity 2 or more, for example 4.");

  UpcyclePlan plan;
  plan.dense = dense;
  plan.target = target_config(dense, options, family);
  check(plan.target);
  plan.slices = options.granularity - options.shared;
  const bool whole = options.active % plan.slices == 0;
  plan.tied_router = plan.slices > 1 && whole;
  plan.down_factor = plan.target.router.scale == 1.0 ? static_cast<double>(plan.slices) : 1.0;
  plan.adds_query_key_norm = plan.target.query_key_norm && !dense.query_key_norm;
  if (!whole)
    plan.differences.push_back(
        fmt::format("a token does not visit each of the {} routed slices equally often: --active {} is no multiple of {}", plan.slices,
                    options.active, plan.slices));
  if (plan.adds_query_key_norm)
    plan.differences.push_back(
        "qwen3_moe norms queries and keys, and the dense model does not: its attention must be trained anew");
  if (options.noise > 0) plan.differences.push_back(fmt::format("noise of {} was added to the experts", options.noise));
  return plan;
}

}  // namespace model
