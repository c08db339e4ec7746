#include "tests/support/reference_model.h"

#include <algorithm>
#include <cmath>

#include "model/rope_scaling.h"
#include "tests/support/reference_ops.h"

namespace reference {

using model::Attention;

namespace {

std::string layer_name(int64_t layer, const char* part) { return "model.layers." + std::to_string(layer) + "." + part; }

void add(std::vector<double>& x, const std::vector<double>& y, double factor = 1.0) {
  for (size_t i = 0; i < x.size(); ++i) x[i] += factor * y[i];
}

double dot(const double* a, const double* b, int64_t size) {
  double sum = 0;
  for (int64_t i = 0; i < size; ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

Network::Network(const model::ModelConfig& config, std::vector<double> weights)
    : config_(config), weights_(std::move(weights)), frequencies_(model::rope_inverse_frequencies(config)),
      magnitude_(model::rope_magnitude(config)), scale_(model::attention_scale(config)) {
  for (const auto& p : model::list_parameters(config)) offsets_[p.name] = p.offset;
}

const double* Network::at(const std::string& name) const { return weights_.data() + offsets_.at(name); }

// Rows [first_row, first_row + out) of the matrix times x.
Network::Row Network::product(const std::string& name, const Row& x, int64_t out, int64_t first_row) const {
  const auto in = static_cast<int64_t>(x.size());
  const double* w = at(name) + first_row * in;
  Row y;
  for (int64_t o = 0; o < out; ++o) y.push_back(dot(w + o * in, x.data(), in));
  return y;
}

Network::Row Network::linear(const std::string& name, const Row& x, int64_t out) const {
  Row y = product(name + ".weight", x, out);
  if (offsets_.count(name + ".bias")) add(y, Row(at(name + ".bias"), at(name + ".bias") + out));
  return y;
}

Network::Row Network::norm(const std::string& name, const Row& x, double eps) const {
  const double* w = at(name);
  return rms_norm(x, Row(w, w + x.size()), eps);
}

// Turns one vector of the rotary size, in place.
void Network::turn(double* x, size_t position) const {
  const int64_t size = config_.rotary_size();
  const Row turned = rope(Row(x, x + size), 1, size, 0, frequencies_, static_cast<double>(position), config_.rope_interleaved,
                          magnitude_);
  std::copy(turned.begin(), turned.end(), x);
}

void Network::gqa_row(const std::string& layer, const Row& x, size_t position, Row& query, Row& key, Row& value) const {
  const int64_t size = config_.head_size;
  query = linear(layer + "q_proj", x, config_.heads * size);
  key = linear(layer + "k_proj", x, config_.key_heads * size);
  value = linear(layer + "v_proj", x, config_.key_heads * size);
  for (auto [rows, name] : {std::make_pair(&query, "q_norm.weight"), std::make_pair(&key, "k_norm.weight")}) {
    const size_t width = config_.whole_query_key_norm ? rows->size() : static_cast<size_t>(size);
    for (size_t first = 0; first < rows->size() && config_.norms_query_and_key(); first += width) {
      double* h = rows->data() + first;
      const Row normed = norm(layer + name, Row(h, h + width), config_.norm_eps);
      std::copy(normed.begin(), normed.end(), h);
    }
  }
  if (config_.clip_qkv > 0)
    for (Row* rows : {&query, &key, &value})
      for (double& v : *rows) v = std::clamp(v, -config_.clip_qkv, config_.clip_qkv);
  for (Row* rows : {&query, &key})
    for (size_t head = 0; head < rows->size(); head += static_cast<size_t>(size)) turn(rows->data() + head, position);
}

// Queries, keys and values of all heads, each key with the shared rotary part after its own part.
void Network::mla_row(const std::string& layer, const Row& x, size_t position, Row& query, Row& key, Row& value) const {
  const int64_t nope = config_.nope_size, rotary = config_.rope_size, heads = config_.heads, rank = config_.latent_rank;
  if (config_.query_rank > 0) {
    const Row low = norm(layer + "q_a_layernorm.weight", linear(layer + "q_a_proj", x, config_.query_rank),
        config_.latent_norm_eps);
    query = product(layer + "q_b_proj.weight", low, heads * (nope + rotary));
  } else {
    query = product(layer + "q_proj.weight", x, heads * (nope + rotary));
  }
  for (int64_t h = 0; h < heads; ++h) turn(query.data() + h * (nope + rotary) + nope, position);
  Row compressed = linear(layer + "kv_a_proj_with_mqa", x, rank + rotary);
  turn(compressed.data() + rank, position);
  const Row latent = norm(layer + "kv_a_layernorm.weight", Row(compressed.begin(), compressed.begin() + rank),
      config_.latent_norm_eps);
  key.clear(), value.clear();
  for (int64_t h = 0; h < heads; ++h) {
    const int64_t first = h * (nope + config_.value_size);
    const Row k = product(layer + "kv_b_proj.weight", latent, nope, first);
    const Row v = product(layer + "kv_b_proj.weight", latent, config_.value_size, first + nope);
    key.insert(key.end(), k.begin(), k.end());
    key.insert(key.end(), compressed.begin() + rank, compressed.end());
    value.insert(value.end(), v.begin(), v.end());
  }
}

// `window`: how many keys a row sees, its own included; 0: all before it.
Network::Rows Network::attention(const std::string& layer, const Rows& x, int64_t window) const {
  const bool mla = config_.attention == Attention::mla;
  const int64_t key_heads = mla ? config_.heads : config_.key_heads, share = config_.heads / key_heads;
  const int64_t size = mla ? config_.nope_size + config_.rope_size : config_.head_size;
  const int64_t value_size = mla ? config_.value_size : size;
  Rows query(x.size()), key(x.size()), value(x.size()), out;
  for (size_t n = 0; n < x.size(); ++n) {
    if (mla) mla_row(layer, x[n], n, query[n], key[n], value[n]);
    else gqa_row(layer, x[n], n, query[n], key[n], value[n]);
    Row heads(static_cast<size_t>(config_.heads * value_size), 0.0);
    const size_t seen = static_cast<size_t>(window), first = window > 0 && n + 1 > seen ? n + 1 - seen : 0;
    for (int64_t h = 0; h < config_.heads; ++h) {
      Row weights;
      double sum = 0, largest = -1e300;
      for (size_t j = first; j <= n; ++j) {
        weights.push_back(dot(&query[n][static_cast<size_t>(h * size)], &key[j][static_cast<size_t>(h / share * size)], size) * scale_);
        largest = std::max(largest, weights.back());
      }
      for (double& w : weights) sum += w = std::exp(w - largest);
      for (size_t j = first; j <= n; ++j) {
        const double* v = &value[j][static_cast<size_t>(h / share * value_size)];
        for (int64_t i = 0; i < value_size; ++i) heads[static_cast<size_t>(h * value_size + i)] += weights[j - first] / sum * v[i];
      }
    }
    out.push_back(linear(layer + "o_proj", heads, config_.width));
  }
  return out;
}

Network::Row Network::dense(const std::string& at, const Row& x, int64_t width) const {
  return linear(at + "down_proj", swiglu(linear(at + "gate_proj", x, width), linear(at + "up_proj", x, width)), config_.width);
}

Network::Row Network::expert(const std::string& at, int64_t index, const Row& x) const {
  const int64_t width = config_.expert_width;
  const Row hidden = swiglu(product(at + "gate_proj.weight", x, width, index * width),
                            product(at + "up_proj.weight", x, width, index * width));
  return product(at + "down_proj.weight", hidden, config_.width, index * config_.width);
}

// The k largest of scores + bias among the groups that score highest, in ascending order.
std::vector<int32_t> Network::choose(const std::string& layer, const Row& scores) const {
  const auto& r = config_.router;
  Row biased = scores;
  if (offsets_.count(layer + "gate.e_score_correction_bias")) {
    const double* bias = at(layer + "gate.e_score_correction_bias");
    for (size_t e = 0; e < biased.size(); ++e) biased[e] += bias[e];
  }
  const size_t size = biased.size() / static_cast<size_t>(r.groups);
  std::vector<std::pair<double, size_t>> groups;
  for (size_t g = 0; g < static_cast<size_t>(r.groups); ++g) {
    Row members(biased.begin() + static_cast<long>(g * size), biased.begin() + static_cast<long>((g + 1) * size));
    std::sort(members.rbegin(), members.rend());
    const bool two = r.group_score == kernels::RouterConfig::GroupScore::two_largest && size > 1;
    groups.emplace_back(-(members[0] + (two ? members[1] : 0.0)), g);
  }
  std::sort(groups.begin(), groups.end());
  std::vector<std::pair<double, int32_t>> open;
  for (size_t k = 0; k < static_cast<size_t>(r.groups_kept); ++k)
    for (size_t e = groups[k].second * size; e < (groups[k].second + 1) * size; ++e)
      open.emplace_back(-biased[e], static_cast<int32_t>(e));
  std::sort(open.begin(), open.end());
  std::vector<int32_t> chosen;
  for (size_t k = 0; k < static_cast<size_t>(r.active); ++k) chosen.push_back(open[k].second);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

Network::Row Network::feed_forward(int64_t layer, const Row& x, std::vector<int32_t>* routes) const {
  const std::string mlp = layer_name(layer, "mlp.");
  if (!config_.is_moe(layer)) return dense(mlp, x, config_.dense_width);
  const auto& r = config_.router;
  const bool softmax = r.scoring == kernels::RouterConfig::Scoring::softmax;
  const Row logits = product(mlp + "gate.weight", x, r.experts);
  const auto chosen = choose(mlp, router_scores(logits, softmax));
  if (routes) routes->insert(routes->end(), chosen.begin(), chosen.end());
  const Row weights = router_weights(logits, chosen, softmax, r.normalize, r.scale);
  Row out(x.size(), 0.0);
  for (size_t k = 0; k < chosen.size(); ++k) add(out, expert(mlp + "experts.", chosen[k], x), weights[k]);
  if (config_.shared_experts > 0) add(out, dense(mlp + "shared_experts.", x, config_.shared_experts * config_.expert_width));
  return out;
}

std::vector<Scored> Network::score(const std::vector<int32_t>& tokens, size_t first, double inverse_temperature,
                                   std::vector<int32_t>* routes) const {
  const double* embedding = at("model.embed_tokens.weight");
  Rows h;
  for (size_t n = 0; n + 1 < tokens.size(); ++n) {  // the last token is predicted, never read
    const double* row = embedding + tokens[n] * config_.width;
    h.emplace_back(row, row + config_.width);
  }
  for (int64_t i = 0; i < config_.layers; ++i) {
    Rows x;
    for (const Row& row : h) x.push_back(norm(layer_name(i, "input_layernorm.weight"), row, config_.norm_eps));
    const Rows mixed = attention(layer_name(i, "self_attn."), x, config_.window_of(i));
    for (size_t n = 0; n < h.size(); ++n) {
      add(h[n], mixed[n]);
      add(h[n], feed_forward(i, norm(layer_name(i, "post_attention_layernorm.weight"), h[n], config_.norm_eps), routes));
    }
  }
  std::vector<Scored> scored;
  for (size_t t = first; t < tokens.size(); ++t) {
    const Row x = norm("model.norm.weight", h[t - 1], config_.norm_eps);
    Row z = product(config_.tied_embedding ? "model.embed_tokens.weight" : "lm_head.weight", x, config_.vocab_size);
    const double largest = *std::max_element(z.begin(), z.end()) * inverse_temperature;
    double sum = 0, mean = 0;
    for (double& v : z) sum += std::exp((v *= inverse_temperature) - largest);
    const double log_z = largest + std::log(sum);
    for (double v : z) mean += std::exp(v - log_z) * v;
    scored.push_back({z[static_cast<size_t>(tokens[t])] - log_z, log_z - mean});
  }
  return scored;
}

}  // namespace reference
