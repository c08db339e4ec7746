#include "model/families/common_json.h"

#include <algorithm>

#include "kernels/error.h"

namespace model {

using kernels::fail_usage;
using nlohmann::json;
using nlohmann::ordered_json;

int64_t size_field(const JsonFields& f, const char* key, std::optional<int64_t> fallback) {
  return f.integer(key, 1, kLargestSize, fallback);
}

int64_t size_or_null(const JsonFields& f, const char* key, int64_t fallback) {
  return f.absent(key) ? fallback : f.find(key) ? size_field(f, key) : 0;
}

void refuse_unless(const JsonFields& f, const char* key, const std::vector<json>& wanted) {
  const json* value = f.find(key);
  if (!value || std::find(wanted.begin(), wanted.end(), *value) != wanted.end()) return;
  std::string list;
  for (const auto& w : wanted) list += (list.empty() ? "" : " or ") + shown(w);
  f.wrong(key, list + ": anything else is not supported");
}

bool true_or_null(const JsonFields& f, const char* key, bool fallback) {
  return f.absent(key) ? fallback : f.boolean(key, false);
}

std::vector<int64_t> read_ids(const JsonFields& f, const char* key) {
  const json* value = f.find(key);
  if (!value) return {};
  std::vector<int64_t> ids;
  for (const auto& id : value->is_array() ? *value : json::array({*value})) {
    if (!id.is_number_integer() || id < -1 || id > kLargestSize) f.wrong(key, "an id or a list of ids");
    if (id >= 0) ids.push_back(id.get<int64_t>());
  }
  return ids;
}

void read_heads(const JsonFields& f, int64_t default_key_heads, int64_t default_head_size, ModelConfig& c) {
  const int64_t key_heads = size_or_null(f, "num_key_value_heads", default_key_heads);
  c.key_heads = key_heads == 0 ? c.heads : key_heads;
  if (f.find("head_dim") || default_head_size > 0) {
    c.head_size = size_field(f, "head_dim", default_head_size);
    return;
  }
  if (c.width % c.heads != 0)
    fail_usage("{}: num_attention_heads: is {} and hidden_size is {}; without head_dim it must divide hidden_size.", f.where(),
               c.heads, c.width);
  c.head_size = c.width / c.heads;
}

void read_attention_bias(const JsonFields& f, ModelConfig& c) {
  c.query_key_value_bias = c.output_bias = f.boolean("attention_bias", false);
}

void refuse_other_layer_types(const JsonFields& f, const ModelConfig& c) {
  const json* types = f.find("layer_types");
  if (!types) return;
  const char* wanted = c.window > 0 ? "sliding_attention" : "full_attention";
  const bool same = types->is_array() && std::all_of(types->begin(), types->end(), [&](const json& t) { return t == wanted; });
  if (!same) f.wrong("layer_types", fmt::format("{} for all layers in this {}", wanted, c.family));
}

namespace {

// layer_types, or the first max_window_layers layers.
std::vector<int64_t> read_full_layers(const JsonFields& f, const ModelConfig& c) {
  std::vector<int64_t> full;
  const json* types = f.find("layer_types");
  const int64_t first_window = f.integer("max_window_layers", 0, kLargestSize, 28);
  if (types && (!types->is_array() || static_cast<int64_t>(types->size()) != c.layers))
    f.wrong("layer_types", fmt::format("a list of {} names, one a layer", c.layers));
  for (int64_t i = 0; i < c.layers; ++i) {
    const json type = types ? (*types)[static_cast<size_t>(i)]
                      : c.window > 0 && i >= first_window ? "sliding_attention" : "full_attention";
    if (type == "full_attention")
      full.push_back(i);
    else if (type != "sliding_attention")
      fail_usage("{}: layer_types: has {}, but supported are full_attention and sliding_attention.", f.where(), shown(type));
    else if (c.window == 0)
      fail_usage("{}: layer_types: has a sliding_attention, but use_sliding_window is not true or sliding_window is missing.",
                 f.where());
  }
  return full;
}

}  // namespace

void read_one_window(const JsonFields& f, int64_t fallback, ModelConfig& c) {
  c.window = size_or_null(f, "sliding_window", fallback);
  refuse_other_layer_types(f, c);
}

void read_switched_window(const JsonFields& f, bool all_layers, ModelConfig& c) {
  c.window = f.boolean("use_sliding_window", false) ? size_or_null(f, "sliding_window", 4096) : 0;
  if (all_layers) return refuse_other_layer_types(f, c);
  c.full_layers = read_full_layers(f, c);
  if (static_cast<int64_t>(c.full_layers.size()) == c.layers) c.window = 0;
  if (c.window == 0) c.full_layers.clear();
}

void write_switched_window(const ModelConfig& c, bool all_layers, ordered_json& j) {
  j["use_sliding_window"] = c.window > 0;
  j["sliding_window"] = number_or_null(c.window);
  if (all_layers) return;
  int64_t first_window = 0;  // all that readers from before layer_types can be told
  while (first_window < c.layers && c.window_of(first_window) == 0) ++first_window;
  j["max_window_layers"] = first_window;
  ordered_json types = ordered_json::array();
  for (int64_t i = 0; i < c.layers; ++i) types.push_back(c.window_of(i) > 0 ? "sliding_attention" : "full_attention");
  j["layer_types"] = types;
}

ordered_json number_or_null(double value) { return value == 0 ? ordered_json(nullptr) : ordered_json(value); }
ordered_json number_or_null(int64_t value) { return value == 0 ? ordered_json(nullptr) : ordered_json(value); }

}  // namespace model
