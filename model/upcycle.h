// A mixture-of-experts model made of a dense one ("sparse upcycling"): each feed-forward becomes experts cut from it, with
// a fresh router; everything else keeps its values.
//
// Sources: Komatsuzaki et al., arXiv:2212.05055 (experts are copies). Fine-grained experts: DeepSeekMoE, arXiv:2401.06066;
// granularity: Krajewski et al., arXiv:2402.07871. Slices with one router row for all of them: He et al., arXiv:2410.07524.
//
// What is built. The dense layer has W hidden units, f(x) = sum over units j of d_j silu(g_j . x) (u_j . x). A sum over
// units may be cut anywhere: G slices of W / G neighbouring units give f = f_1 + ... + f_G. Every expert is one slice, so
// W / G wide. The first S slices become the shared experts, which every token visits. The other R = G - S are routed: N
// experts are N / R copies of each, and K of them are active for a token. Expert e holds routed slice e mod R. N, K and S
// all count experts of width W / G. With G = 1 (and so S = 0, R = 1) experts are whole copies.
//
// When the output is the dense model's, in exact arithmetic (in floating point: up to the rounding of other sums). The
// router's weights w_e of a token's K experts sum to 1 (softmax or sigmoid scores, divided by the chosen ones' sum).
//   R = 1: the chosen experts are all the same function f_r, and sum_e w_e f_r = f_r, for every router.
//   R > 1, K a multiple of R: the router is tied; the R experts of copy c (e = cR .. cR + R - 1) share one row, so they
//     get one score s_c. The K highest scores are then those of the K / R best copies, each with all its R slices, and
//     w_e = s_c / (R sum of chosen s_c): the weights of each slice sum to 1 / R. A factor R puts that right: the family's
//     own scale of routed experts where config.json has one (deepseek_v3), else in the experts' down projections, where it
//     is exact for an R that is a power of two, and rounds each weight once otherwise. Then the sum is f_{S+1} + ... + f_G
//     and with the shared experts f, for every choice of the s_c. Training unties the rows: slices get gradients of their own.
//   R > 1, K no multiple of R: a token cannot get all slices. The rows of the router are independent, and with the factor R
//     the output is the dense one only in the mean over equally likely choices.
// Also not equal: noise > 0; and qwen3_moe made of a model without q/k norms, since an RMSNorm of weight 1 is no identity.
//
// Families. What is written must hold the source's attention: llama and mistral become mixtral, qwen3 becomes qwen3_moe,
// deepseek_v2 and deepseek_v3 (MLA, no layer with experts yet) become deepseek_v3. Only deepseek_v3 has shared experts, and
// it must have one. Biases of q, k and v alone (qwen2) have no place in any of them and are refused.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "model/config.h"

namespace model {

struct UpcycleOptions {
  int64_t experts = 8;      // N: routed experts of a layer
  int64_t active = 2;       // K: of them for a token
  int64_t shared = 0;       // S: slices that every token visits
  int64_t granularity = 1;  // G: slices of the dense layer
  double noise = 0.0;       // added to each expert: normals of this many times the dense matrix's root mean square
  int64_t seed = 0;         // of the router and the noise
  std::string family = "";  // mixtral, qwen3_moe, deepseek_v3; empty: the one that keeps the output
};

struct UpcyclePlan {
  ModelConfig dense, target;
  int64_t slices = 1;            // R
  bool tied_router = false;      // R rows alike
  double down_factor = 1.0;      // on the down projections of routed experts
  bool adds_query_key_norm = false;
  std::vector<std::string> differences;  // why the output is not the dense model's; empty: it is
};

// Throws UsageError, in the command line's words, for what cannot be built.
UpcyclePlan plan_upcycle(const ModelConfig& dense, const UpcycleOptions& options);

// Reads the model folder `dense` and writes the folder `out`, whole or not at all; what stands there is replaced, but may
// not be `dense`: config.json of the new family, model.safetensors with each tensor in the type it had (routers and
// correction biases float32), and the small files of source_files.h as they are: tokenizer, template, generation config,
// licence. Holds a few megabytes at a time. `progress` is told bytes written and in all.
UpcyclePlan upcycle(const std::string& dense, const std::string& out, const UpcycleOptions& options,
                    const std::function<void(int64_t done, int64_t total)>& progress = {});

}  // namespace model
