#include "rl/data/mixture.h"

#include <unordered_set>

#include "kernels/rng.h"

namespace rl {
namespace {

// Apart from the steps of Purpose::data that number epochs.
constexpr uint64_t mix_step = uint64_t{1} << 62;

// Sets of one size must not be shuffled alike. The first set's is the run's: alone, it is as without a mixture.
uint64_t seed_of_set(uint64_t seed, size_t set) { return seed + 0x9E3779B97F4A7C15u * set; }

}  // namespace

Mixture::Mixture(std::vector<Set> sets, uint64_t seed) : sets_(std::move(sets)), seed_(seed), taken_(sets_.size(), 0) {
  for (const Set& set : sets_) total_ += set.weight;
}

size_t Mixture::set_of(int64_t draw) const {
  if (sets_.size() == 1) return 0;
  double left = total_ * kernels::random_unit({.seed = seed_,
                                               .purpose = kernels::Purpose::data,
                                               .step = mix_step,
                                               .group = static_cast<uint64_t>(draw),
                                               .sample = 0,
                                               .position = 0});
  size_t set = 0;
  while (set + 1 < sets_.size() && left >= sets_[set].weight) left -= sets_[set++].weight;
  return set;
}

Problem Mixture::problem_of(size_t set, int64_t index) const {
  Problem problem = sets_.at(set).data->problem(index);
  problem.set = static_cast<int64_t>(set);
  problem.dataset = sets_[set].name;
  return problem;
}

std::pair<size_t, int64_t> Mixture::place_of(int64_t draw) const {
  if (sets_.size() == 1) return {0, draw};
  const std::lock_guard lock(mutex_);
  while (static_cast<int64_t>(places_.size()) <= draw) {
    const size_t set = set_of(static_cast<int64_t>(places_.size()));
    places_.emplace_back(set, taken_[set]++);
  }
  return places_[static_cast<size_t>(draw)];
}

Problem Mixture::problem(int64_t draw) const {
  const auto [set, index] = place_of(draw);
  return problem_of(set, index);
}

int64_t Mixture::id_at(int64_t draw) const {
  const auto [set, index] = place_of(draw);
  return sets_[set].data->id_at(index);
}

int64_t Mixture::size() const {
  int64_t rows = 0;
  for (const Set& set : sets_) {
    if (set.data->size() == 0) return 0;
    rows += set.data->size();
  }
  return rows;
}

std::vector<Problem> Mixture::held_back() const {
  std::vector<Problem> all;
  for (size_t s = 0; s < sets_.size(); ++s)
    for (Problem& problem : sets_[s].data->held_back()) {
      problem.set = static_cast<int64_t>(s);
      problem.dataset = sets_[s].name;
      all.push_back(std::move(problem));
    }
  return all;
}

std::unique_ptr<Mixture> open_stage_data(const StageConfig& stage, uint64_t seed, const FitsOf& fits) {
  const auto configs = stage.sets();
  auto held_back = std::make_shared<std::unordered_set<std::string>>();
  for (const DatasetConfig& set : configs)
    if (configs.size() > 1 && !set.data.eval.empty())
      for (const Problem& problem : read_problems(set.data.eval, set.data, set.data.eval_problems)) held_back->insert(problem.question);
  std::vector<Mixture::Set> sets;
  for (const DatasetConfig& set : configs) {
    Fits own = fits ? fits(set) : nullptr;
    if (!held_back->empty())
      own = [held_back, rest = std::move(own)](const Problem& problem) {
        return held_back->count(problem.question) == 0 && (!rest || rest(problem));
      };
    sets.push_back({set.name, set.weight, open_dataset(set.data, seed_of_set(seed, sets.size()), std::move(own))});
  }
  return std::make_unique<Mixture>(std::move(sets), seed);
}

}  // namespace rl
