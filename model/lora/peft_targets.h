// How PEFT is told which modules have a pair.
//
// transformers 5 holds a layer's experts as two tensors, gate_up_proj and down_proj (of Mixtral's w1, w3 and w2 too). PEFT 0.21
// takes each of target_modules that ends in the word of an expert's matrix (gate_proj, up_proj, down_proj) as these tensors and
// joins the experts' pairs, whatever stands before the word: huggingface/peft, src/peft/utils/transformers_weight_conversion.py.
// The matrices of dense layers and shared experts that have the same names would lose their pairs; named in target_parameters,
// with ".weight", they keep them.
#pragma once

#include <string>
#include <vector>

#include "model/lora/lora_parameters.h"

namespace model {

struct PeftTargets {
  std::vector<std::string> modules;     // target_modules
  std::vector<std::string> parameters;  // target_parameters
};
// Of an adapter's pairs. A word stands for all modules that end in it where each has a pair, else they are named one by one.
PeftTargets peft_targets(const ParameterList& pairs);

// Why PEFT cannot load an adapter of these pairs, or drops some of them; empty: it can. Of the experts' pairs it wants all, or
// down_proj's alone.
std::string peft_problem(const ParameterList& pairs);

}  // namespace model
