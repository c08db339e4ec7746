// llama (Llama 1 to 3, SmolLM2, the R1 distills of Llama) and mistral.
#include "model/families/common_json.h"
#include "model/families/readers.h"

namespace model {

using nlohmann::ordered_json;

void read_llama(const JsonFields& f, ModelConfig& c) {
  read_heads(f, 0, 0, c);
  read_attention_bias(f, c);
  c.feed_forward_bias = f.boolean("mlp_bias", false);
  refuse_other_layer_types(f, c);
}

void write_llama(const ModelConfig& c, ordered_json& j) {
  j["attention_bias"] = c.query_key_value_bias;
  j["mlp_bias"] = c.feed_forward_bias;
}

void read_mistral(const JsonFields& f, ModelConfig& c) {
  read_heads(f, 8, 0, c);
  refuse_unless(f, "attention_bias", {false});
  read_one_window(f, 4096, c);
}

void write_mistral(const ModelConfig& c, ordered_json& j) { j["sliding_window"] = number_or_null(c.window); }

}  // namespace model
