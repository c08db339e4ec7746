// The forward pass on real weights against transformers, which read the same GGUF file by itself.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "model/files/checkpoint_folder.h"
#include "model/transformer.h"
#include "tests/support/catch.h"
#include "tests/support/one_text.h"
#include "tests/support/source_dir.h"

namespace {

int64_t largest(const float* x, int64_t n) { return std::max_element(x, x + n) - x; }

}  // namespace

TEST_CASE("SmolLM2's log-probabilities and next tokens are those of transformers reading the GGUF file", "[smollm2]") {
  const std::string directory = testing::source_dir() + "/models/smollm2-135m";
  if (!std::filesystem::exists(directory + "/config.json")) {
    WARN("skipped: models/smollm2-135m is not here; ./ponder fetch smollm2-135m brings it");
    return;
  }
  const auto golden = nlohmann::json::parse(std::ifstream(testing::source_dir() + "/tests/model/golden/smollm2_logprobs.json"));
  model::ParameterStore store(model::read_config(directory), /*with_training=*/false);
  model::read_weights(directory, store);
  for (const auto dtype : {kernels::Dtype::float32, kernels::Dtype::bf16}) {
    const auto weights = model::pack_weights(store, dtype, 0);
    double difference = 0, sum = 0;
    int64_t positions = 0, same = 0;
    for (const auto& text : golden.at("texts")) {
      const auto ids = text.at("ids").get<std::vector<int32_t>>();
      const auto batch = testing::one_text(ids);
      const auto scored = model::forward_train(*weights, batch, {.keep_tape = false});
      auto storage = model::make_key_storage(weights->config, dtype, batch.rows());
      const at::Tensor logits = model::forward_logits(*weights, batch, storage);
      for (int64_t i = 0; i < batch.head_count(); ++i, ++positions) {
        const double got = kernels::f32(scored.tokens.logprob)[i];
        difference += std::abs(got - text.at("logprobs")[i].get<double>());
        sum += got;
        same += largest(kernels::f32(logits) + i * logits.size(1), logits.size(1)) == text.at("next")[i].get<int64_t>();
      }
    }
    REQUIRE(positions == 200);
    WARN(kernels::name_of(dtype) << ": mean |difference| " << difference / 200 << ", same next token " << same << " of 200, mean log-probability "
                                 << sum / 200 << " (transformers " << golden.at("mean_logprob").get<double>() << ")");
    if (dtype == kernels::Dtype::float32) {
      REQUIRE(difference / 200 < 1e-4);
      REQUIRE(same == 200);
    } else {
      REQUIRE(difference / 200 < 0.05);  // bf16 weights and activations: 8 bits
    }
    REQUIRE(std::abs(sum / 200 - golden.at("mean_logprob").get<double>()) < 0.02);
  }
}
