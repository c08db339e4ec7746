// What a parameter is called in the files of its family.
#pragma once

#include <string>
#include <vector>

#include "model/parameter_store.h"

namespace model {

// Whether `p` holds all experts of a layer, [E, out, in]; in files each has its own tensor [out, in].
bool is_experts(const Parameter& p);

// The names of its tensors as released checkpoints have them, and as we write them: one, or one an expert in order.
std::vector<std::string> file_names(const ModelConfig& config, const Parameter& p);

// Where newer transformers may keep it instead. Not an expert: another name, or empty. Experts: "...experts.gate_up_proj"
// [E, 2 ff, h] (gate first) for gate and up, "...experts.down_proj" [E, h, ff] for down.
std::string newer_file_name(const ModelConfig& config, const Parameter& p);

}  // namespace model
