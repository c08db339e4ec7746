// How a checkpoint stretches its rotary embedding to longer texts, and what that does to attention.
//
// Sources: linear, Chen et al., arXiv:2306.15595; llama3, the Llama 3.1 release; yarn, Peng et al., arXiv:2309.00071, in
// the form that transformers gives it. Where implementations differ: CONVENTIONS.md, "YaRN".
#pragma once

#include <vector>

#include "model/config.h"

namespace model {

// Inverse frequencies for the rope table, [rotary_size / 2], with the scaling applied. Throws UsageError when the scaling's
// kind is not known.
std::vector<double> rope_inverse_frequencies(const ModelConfig& config);

// What cosines and sines are multiplied with: 1 but for yarn.
double rope_magnitude(const ModelConfig& config);

// What attention's scores are multiplied with: 1 / sqrt(size of a head), and for MLA with a scaling that gives
// mscale_all_dim the square of 0.1 mscale_all_dim ln(factor) + 1.
double attention_scale(const ModelConfig& config);

}  // namespace model
