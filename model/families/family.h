// The families of open checkpoints: one row each. A family is a choice of the network's parts, a spelling of them in
// config.json, and the names of its tensors in files. How each reads its keys: transformers 5.23, configuration_*.py.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/config.h"
#include "model/files/json_fields.h"

namespace model {

// Whether a family's code in transformers and vLLM has a part: never, always, or as config.json says.
enum class Part { never, always, may };

struct FamilyParts {
  Attention attention = Attention::gqa;
  Part experts = Part::never;
  Part head_norm = Part::never, whole_norm = Part::never;  // of q and k
  Part attention_bias = Part::never;  // of q, k, v and the output together; MLA: of the down projections and the output
  bool query_key_value_bias = false;  // always of q, k and v, never of the output (Qwen2)
  Part feed_forward_bias = Part::never;
  Part window = Part::never;          // a sliding window
  bool some_full_layers = false;      // ... which some layers may do without
  Part clip = Part::never;
  Part interleaved = Part::never;     // rotary pairs (0, 1), (2, 3), ...
  Part normalized = Part::never;      // the chosen experts' weights sum to 1
  Part early_dense = Part::never;     // the first layers have no experts
  bool any_dense = false;             // ... nor any others that config.json names
  bool divided_width = false;         // width is a multiple of heads
  bool whole_head_size = false;       // ... and head_size is width / heads
};

// What transformers' class holds where config.json leaves a key out.
struct ClassDefaults {
  double norm_eps = 1e-6, rope_theta = 10000.0;
  int64_t max_positions = 2048;
  int64_t key_heads = 0;  // 0: as many as heads
  int64_t bos = -1, eos = -1, pad = -1;
};

// Names in files, where they are not ours.
struct TensorNaming {
  const char* block = "mlp";  // model.layers.N.BLOCK.{gate,experts}: a layer with experts
  const char *gate = "gate_proj", *up = "up_proj", *down = "down_proj";  // of one expert
};

struct Family {
  const char *model_type, *architecture;
  FamilyParts parts;
  ClassDefaults defaults;
  // The keys that not all families share. Sizes, rope and token ids are read and written before.
  void (*read)(const JsonFields& f, ModelConfig& c);
  void (*write)(const ModelConfig& c, nlohmann::ordered_json& j);
  TensorNaming naming;
};

const std::vector<Family>& families();
const Family* find_family(const std::string& model_type);  // nullptr when there is none
std::string family_names();                                // "llama, mistral, ..."

// Throws UsageError when the family's code cannot hold what the config asks for.
void check_family(const ModelConfig& config);

}  // namespace model
