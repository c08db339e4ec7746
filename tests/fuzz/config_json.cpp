// Any bytes as a config.json: it is refused, or what it says can be written, and reads back as the same.
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "model/config.h"
#include "model/files/json_fields.h"
#include "model/rope_scaling.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const auto text = std::string(reinterpret_cast<const char*>(data), size);
    const auto config = model::config_from_json(model::parse_json(text, "f"), "f");
    if (config.rotary_size() < 1000) model::rope_inverse_frequencies(config);
    const auto written = model::config_to_json(config, kernels::Dtype::bf16).dump();
    const auto again = model::config_from_json(model::parse_json(written, "f"), "f");
    if (model::config_to_json(again, kernels::Dtype::bf16).dump() != written) std::abort();
  } catch (const kernels::UsageError&) {
  }
  return 0;
}
