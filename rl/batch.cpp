#include "rl/batch.h"

#include <ATen/ops/empty.h>

#include <algorithm>

#include "kernels/error.h"

namespace rl {
namespace {

int64_t even(int64_t n) { return n + n % 2; }
int64_t size_of(const std::vector<int32_t>& x) { return static_cast<int64_t>(x.size()); }

int64_t trained_tokens(const TrainSequence& s) { return std::count(s.trained.begin(), s.trained.end(), uint8_t{1}); }

at::Tensor to_tensor(const std::vector<float>& x) {
  at::Tensor t = kernels::empty_f32({static_cast<int64_t>(x.size())});
  std::copy(x.begin(), x.end(), kernels::f32(t));
  return t;
}

struct Packer {
  MicroBatch batch;
  std::vector<float> sampler, old, reference, corrections, advantages, weights;
  std::vector<uint8_t> mask;
  float inverse_temperature = 1.0f;
  bool has_reference = false, has_corrections = false, has_kept = false;

  int64_t rows() const { return batch.tokens.rows(); }

  void row(int32_t token, int64_t position, int64_t group) {
    batch.tokens.tokens.push_back(token);
    batch.tokens.positions.push_back(static_cast<int32_t>(position));
    batch.tokens.key_rows.push_back(rows() - 1);
    batch.tokens.groups.push_back(group);
  }
  void pad_rows() {
    if (rows() % 2) row(0, 0, -1);
  }

  void head(int64_t at_row, const TrainSequence& s, size_t t) {
    batch.tokens.head_rows.push_back(at_row);
    batch.tokens.targets.push_back(at_row < 0 ? -1 : s.tokens[t]);
    batch.tokens.inverse_temperature.push_back(inverse_temperature);
    const bool trained = at_row >= 0 && s.trained[t];
    mask.push_back(trained);
    const auto value = [&](const std::vector<float>& of_tokens) { return trained && !of_tokens.empty() ? of_tokens[t] : 0.0f; };
    sampler.push_back(value(s.logprobs));
    old.push_back(value(s.old_logprobs.empty() ? s.logprobs : s.old_logprobs));
    if (has_reference) reference.push_back(value(s.reference_logprobs));
    if (has_corrections) corrections.push_back(value(s.corrections));
    const double advantage = s.advantages.empty() ? s.advantage : s.advantages[t];
    advantages.push_back(trained ? static_cast<float>(advantage) : 0.0f);
    weights.push_back(trained ? static_cast<float>(s.token_weight) : 0.0f);
  }

  void kept_rows(const TrainSequence& s) {
    const size_t rows = s.tokens.size() + s.tokens.size() % 2, before = batch.tokens.kept.sizes.size();
    const kernels::KeptRows lists(s.kept);
    for (int64_t t = 0; t < s.kept.rows(); ++t) lists.copy(t, batch.tokens.kept);
    batch.tokens.kept.sizes.resize(before + rows, 0);  // padding, and sequences without lists
  }

  kernels::AttentionSegment segment(int64_t first_row, int64_t count, int64_t first_position, int64_t group) {
    kernels::AttentionSegment s;
    s.first_row = first_row;
    s.rows = count;
    s.first_position = first_position;
    s.group = group;
    return s;
  }

  void group(const TrainGroup& g, int64_t index) {
    if (g.prompt.empty()) kernels::fail("batch: group {} has an empty prompt.", g.group_id);
    const int64_t prompt_row = rows(), prompt = size_of(g.prompt);
    for (int64_t i = 0; i < prompt; ++i) row(g.prompt[i], i, index);
    auto root = segment(prompt_row, prompt, 0, index);
    root.spans = {{prompt_row, 0, prompt}};
    batch.tokens.segments.push_back(root);
    pad_rows();
    for (const TrainSequence& s : g.sequences) {
      // The last token is predicted, never read.
      const int64_t branch_row = rows(), length = size_of(s.tokens) - 1;
      for (int64_t i = 0; i < length; ++i) row(s.tokens[i], prompt + i, index);
      if (length > 0) {
        auto branch = segment(branch_row, length, prompt, index);
        branch.spans = {{prompt_row, 0, prompt}, {branch_row, prompt, length}};
        batch.tokens.segments.push_back(branch);
      }
      pad_rows();
      batch.sequences.push_back({static_cast<int64_t>(mask.size()), size_of(s.tokens)});
      for (size_t t = 0; t < s.tokens.size(); ++t) head(t == 0 ? prompt_row + prompt - 1 : branch_row + static_cast<int64_t>(t) - 1, s, t);
      if (s.tokens.size() % 2) head(-1, s, 0);
      if (has_kept) kept_rows(s);
    }
  }
};

// The groups' routes, one under the other.
std::vector<at::Tensor> routes_of(const std::vector<TrainGroup>& groups, size_t first, size_t end, int64_t rows) {
  std::vector<at::Tensor> routes;
  for (size_t layer = 0; layer < groups[first].routes.size(); ++layer) {
    const at::Tensor& like = groups[first].routes[layer];
    routes.push_back(like.defined() ? kernels::empty_i32({rows, like.size(1)}) : at::Tensor());
    if (!like.defined()) continue;
    int32_t* to = kernels::i32(routes.back());
    for (size_t g = first; g < end; ++g) {
      const at::Tensor& from = groups[g].routes.at(layer);
      to = std::copy_n(kernels::i32(from), from.numel(), to);
    }
  }
  return routes;
}

}  // namespace

int64_t rows_of(const TrainGroup& group) {
  int64_t rows = even(size_of(group.prompt));
  for (const auto& s : group.sequences) rows += even(size_of(s.tokens) - 1);
  return rows;
}

std::vector<std::pair<size_t, size_t>> split_micro_batches(const std::vector<TrainGroup>& groups, int64_t max_tokens) {
  std::vector<std::pair<size_t, size_t>> ranges;
  for (size_t first = 0; first < groups.size();) {
    size_t end = first;
    for (int64_t rows = 0; end < groups.size() && (end == first || rows + rows_of(groups[end]) <= max_tokens); ++end)
      rows += rows_of(groups[end]);
    ranges.emplace_back(first, end);
    first = end;
  }
  return ranges;
}

MicroBatch pack(const std::vector<TrainGroup>& groups, size_t first, size_t end, float inverse_temperature) {
  Packer packer;
  packer.inverse_temperature = inverse_temperature;
  const TrainSequence& any = groups.at(first).sequences.at(0);
  packer.has_reference = !any.reference_logprobs.empty();
  packer.has_corrections = !any.corrections.empty();
  for (size_t i = first; i < end; ++i)
    for (const TrainSequence& s : groups[i].sequences) packer.has_kept |= !s.kept.empty();
  for (size_t i = first; i < end; ++i) packer.group(groups[i], static_cast<int64_t>(i - first));
  MicroBatch batch = std::move(packer.batch);
  batch.routes = routes_of(groups, first, end, batch.tokens.rows());
  batch.sampler_logprobs = to_tensor(packer.sampler);
  batch.old_logprobs = to_tensor(packer.old);
  if (packer.has_reference) batch.reference_logprobs = to_tensor(packer.reference);
  if (packer.has_corrections) batch.corrections = to_tensor(packer.corrections);
  batch.advantages = to_tensor(packer.advantages);
  batch.token_weights = to_tensor(packer.weights);
  batch.mask = at::empty({static_cast<int64_t>(packer.mask.size())}, at::TensorOptions().dtype(at::kBool));
  std::copy(packer.mask.begin(), packer.mask.end(), static_cast<uint8_t*>(batch.mask.data_ptr()));
  return batch;
}

int64_t weigh_tokens(std::vector<TrainGroup>& groups, const LossConfig& config) {
  int64_t tokens = 0, sequences = 0;
  for (const auto& g : groups)
    for (const auto& s : g.sequences) {
      tokens += trained_tokens(s);
      sequences += trained_tokens(s) > 0;
    }
  for (auto& g : groups)
    for (auto& s : g.sequences) {
      const double own = static_cast<double>(std::max<int64_t>(1, trained_tokens(s)));
      const double count = static_cast<double>(std::max<int64_t>(1, sequences));
      if (config.aggregation == "seq_mean") s.token_weight = 1.0 / (count * own);
      else if (config.aggregation == "seq_mean_token_sum") s.token_weight = 1.0 / count;
      else if (config.aggregation == "constant") s.token_weight = 1.0 / (count * static_cast<double>(config.constant_length));
      else s.token_weight = 1.0 / static_cast<double>(std::max<int64_t>(1, tokens));
    }
  return tokens;
}

}  // namespace rl
