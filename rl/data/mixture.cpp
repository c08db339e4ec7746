#include "rl/data/mixture.h"

#include "kernels/rng.h"
#include "rl/data/asked.h"

namespace rl {
namespace {

// Apart from the steps of Purpose::data that number a set's epochs: of draws by weight, and of epoch 0 of all sets together.
constexpr uint64_t mix_step = uint64_t{1} << 62, whole_epoch_step = uint64_t{1} << 61;

// Sets of one size must not be shuffled alike. The first set's is the run's: alone, it is as without a mixture.
uint64_t seed_of_set(uint64_t seed, size_t set) { return seed + 0x9E3779B97F4A7C15u * set; }

}  // namespace

Mixture::Mixture(std::vector<Set> sets, uint64_t seed, bool whole_epochs)
    : sets_(std::move(sets)), seed_(seed), whole_epochs_(whole_epochs && sets_.size() > 1), taken_(sets_.size(), 0) {
  for (const Set& set : sets_) total_ += set.weight;
}

double Mixture::share_of(size_t set) const {
  if (!whole_epochs_) return sets_.at(set).weight / total_;
  return static_cast<double>(sets_.at(set).data->size()) / static_cast<double>(size());
}

size_t Mixture::set_of(int64_t draw) const {
  if (sets_.size() == 1) return 0;
  if (whole_epochs_) return place_of(draw).first;
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
  if (whole_epochs_) {
    const int64_t rows = size();
    if (draw / rows != epoch_) begin_epoch(draw / rows);
    return places_[static_cast<size_t>(draw % rows)];
  }
  while (static_cast<int64_t>(places_.size()) <= draw) {
    const size_t set = set_of(static_cast<int64_t>(places_.size()));
    places_.emplace_back(set, taken_[set]++);
  }
  return places_[static_cast<size_t>(draw)];
}

// Fisher and Yates over one entry a row, then each set's rows in its own order.
void Mixture::begin_epoch(int64_t epoch) const {
  places_.clear();
  for (size_t set = 0; set < sets_.size(); ++set) {
    taken_[set] = epoch * sets_[set].data->size();
    places_.insert(places_.end(), static_cast<size_t>(sets_[set].data->size()), {set, 0});
  }
  for (size_t i = places_.size() - 1; i > 0; --i) {
    const kernels::RandomKey key{.seed = seed_,
                                 .purpose = kernels::Purpose::data,
                                 .step = whole_epoch_step + static_cast<uint64_t>(epoch),
                                 .group = i,
                                 .sample = 0,
                                 .position = 0};
    std::swap(places_[i], places_[kernels::random_below(key, i + 1)]);
  }
  for (auto& [set, index] : places_) index = taken_[set]++;
  epoch_ = epoch;
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

int64_t Mixture::held_out() const {
  int64_t rows = 0;
  for (const Set& set : sets_) rows += set.data->held_out();
  return rows;
}

std::unique_ptr<Mixture> open_stage_data(const StageConfig& stage, uint64_t seed, const FitsOf& fits) {
  const auto configs = stage.sets();
  AskedTexts held_back;
  for (const DatasetConfig& set : configs)
    if (configs.size() > 1 && !set.data.eval.empty())
      for (const Problem& problem : read_problems(set.data.eval, set.data, set.data.eval_problems))
        held_back.insert(asked_of(problem));
  std::vector<Mixture::Set> sets;
  for (const DatasetConfig& set : configs) {
    const uint64_t own_seed = seed_of_set(seed, sets.size());
    sets.push_back({set.name, set.weight, open_dataset(set.data, own_seed, fits ? fits(set) : nullptr, held_back)});
  }
  return std::make_unique<Mixture>(std::move(sets), seed, /*whole_epochs=*/stage.epochs > 0);
}

}  // namespace rl
