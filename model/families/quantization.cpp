#include "model/families/quantization.h"

#include "kernels/error.h"
#include "model/families/common_json.h"

namespace model {

std::optional<Fp8Blocks> read_fp8_blocks(const JsonFields& config) {
  if (!config.find("quantization_config")) return {};
  const auto q = config.object("quantization_config");
  const auto method = q.string("quant_method", q.find("quantization_type") ? q.string("quantization_type") : "unnamed");
  const auto* blocks = q.find("weight_block_size");
  if (method != "fp8" || !blocks || q.string("fmt", "e4m3") != "e4m3")
    kernels::fail_usage(
        "{}: the weights are quantised ({}{}), which is not supported: only fp8 e4m3 with weight_block_size is. Use the bf16 or "
        "float32 model.",
        q.where(), method, method == "fp8" ? ", without blocks or of another format" : "");
  const auto is_size = [](const nlohmann::json& n) { return n.is_number_unsigned() && n >= 1u && n <= 1u << 24; };
  if (!blocks->is_array() || blocks->size() != 2 || !is_size((*blocks)[0]) || !is_size((*blocks)[1]))
    q.wrong("weight_block_size", "two sizes, [rows, columns]");
  return Fp8Blocks{(*blocks)[0].get<int64_t>(), (*blocks)[1].get<int64_t>()};
}

}  // namespace model
