// print_logprobs DIR < TEXT: for each line of text one JSON object with its token ids and, for each next token, its
// log-probability, its logit and the likeliest id, in float32. What the oracle scripts compare with transformers.
#include <fmt/core.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "kernels/thread_pool.h"
#include "model/files/checkpoint_folder.h"
#include "model/transformer.h"
#include "tests/support/one_text.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: print_logprobs MODEL_FOLDER < TEXT\n");
    return 2;
  }
  kernels::set_threads(1);
  const auto tokenizer = model::Tokenizer::from_directory(argv[1]);
  model::ParameterStore store(model::read_config(argv[1]), /*with_training=*/false);
  model::read_weights(argv[1], store);
  const auto weights = model::pack_weights(store, kernels::Dtype::float32, 0);
  for (std::string line; std::getline(std::cin, line);) {
    const auto ids = tokenizer->encode(line);
    const auto batch = testing::one_text(ids);
    const auto scored = model::forward_train(*weights, batch, {.keep_tape = false});
    auto storage = model::make_key_storage(weights->config, kernels::Dtype::float32, batch.rows());
    const at::Tensor logits = model::forward_logits(*weights, batch, storage);
    nlohmann::json out{{"ids", ids}, {"logprobs", nlohmann::json::array()}};
    out["logits"] = out["next"] = nlohmann::json::array();
    for (int64_t i = 0; i < batch.head_count(); ++i) {
      const float* row = kernels::f32(logits) + i * logits.size(1);
      out["logprobs"].push_back(kernels::f32(scored.tokens.logprob)[i]);
      out["logits"].push_back(row[ids[static_cast<size_t>(i) + 1]]);
      out["next"].push_back(std::max_element(row, row + weights->config.vocab_size) - row);
    }
    std::cout << out.dump() << "\n";
  }
  return 0;
}
