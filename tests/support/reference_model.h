// The whole transformer in float64, written once and slowly: one text at a time, no cache, no tree, no packing.
//
// MLA is written in its expanded form: W_UK and W_UV make keys and values of each head from the latent. The model uses
// the absorbed form; the two are the same function.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/parameter_store.h"

namespace reference {

struct Scored {
  double logprob = 0, entropy = 0;
};

class Network {
 public:
  // `weights`: all masters in the store's order.
  Network(const model::ModelConfig& config, std::vector<double> weights);

  std::vector<double>& weights() { return weights_; }

  // Log-probability and entropy of tokens[first..], each given those before it. Every choice of experts is appended to
  // `routes` (rows that are scored or read, layer after layer).
  std::vector<Scored> score(const std::vector<int32_t>& tokens, size_t first, double inverse_temperature,
                            std::vector<int32_t>* routes = nullptr) const;

 private:
  using Row = std::vector<double>;
  using Rows = std::vector<Row>;

  const double* at(const std::string& name) const;
  Row product(const std::string& name, const Row& x, int64_t out, int64_t first_row = 0) const;
  Row linear(const std::string& at, const Row& x, int64_t out) const;  // `at`.weight and, where there is one, `at`.bias
  Row norm(const std::string& name, const Row& x, double eps) const;
  void turn(double* x, size_t position) const;
  Rows attention(const std::string& layer, const Rows& x, int64_t window) const;
  void gqa_row(const std::string& layer, const Row& x, size_t position, Row& query, Row& key, Row& value) const;
  void mla_row(const std::string& layer, const Row& x, size_t position, Row& query, Row& key, Row& value) const;
  Row dense(const std::string& at, const Row& x, int64_t width) const;
  Row expert(const std::string& at, int64_t index, const Row& x) const;
  Row feed_forward(int64_t layer, const Row& x, std::vector<int32_t>* routes) const;
  std::vector<int32_t> choose(const std::string& layer, const Row& scores) const;

  model::ModelConfig config_;
  std::vector<double> weights_;
  std::map<std::string, int64_t> offsets_;
  std::vector<double> frequencies_;
  double magnitude_ = 1.0, scale_ = 1.0;
};

}  // namespace reference
