// An adapter merged into the matrices of its base.
#pragma once

#include "kernels/packed_weight.h"
#include "model/lora/adapter_folder.h"

namespace model {

// Reads p with its pair added: W + scale * (B A), in float32, B A summed along the rank in ascending order. `base` itself for a
// parameter without a pair. `adapter` must outlive the reader.
kernels::ReadRun merged(const kernels::ReadRun& base, const Parameter& p, const Adapter& adapter);

}  // namespace model
