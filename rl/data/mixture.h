// The data of a stage: one source, or several that are drawn from by weight.
//
// Draw n of a stage is from set k with probability weight_k / sum of weights, by one random number keyed by (seed, n); within its
// set it is the next problem, so each set goes through epochs of its own, at its own pace.
//
// In whole epochs (an sft stage's `epochs`) draws 0 to R - 1 are the R rows of all sets, each once, the next R the same again:
// which set comes when is shuffled by (seed, epoch), and within its set a draw is the next problem as above.
#pragma once

#include <mutex>

#include "rl/dataset.h"

namespace rl {

// Which problems of a set training takes; null: all.
using FitsOf = std::function<Fits(const DatasetConfig& set)>;

class Mixture : public Dataset {
 public:
  struct Set {
    std::string name;
    double weight = 1;
    std::unique_ptr<Dataset> data;
  };
  // Not empty; weights above 0. In whole epochs weights say nothing, and no set may be endless.
  Mixture(std::vector<Set> sets, uint64_t seed, bool whole_epochs = false);

  size_t count() const { return sets_.size(); }
  const Set& set(size_t index) const { return sets_.at(index); }
  size_t set_of(int64_t draw) const;
  double share_of(size_t set) const;  // of the draws
  Problem problem_of(size_t set, int64_t index) const;  // the set's index-th, with Problem::set and dataset

  // As a source of its own: problem(n) is draw n.
  Problem problem(int64_t draw) const override;
  int64_t id_at(int64_t draw) const override;
  int64_t size() const override;                    // rows of all sets; 0 when one is endless
  std::vector<Problem> held_back() const override;  // set after set
  int64_t held_out() const override;

 private:
  void begin_epoch(int64_t epoch) const;
  std::pair<size_t, int64_t> place_of(int64_t draw) const;

  std::vector<Set> sets_;
  uint64_t seed_;
  bool whole_epochs_;
  double total_ = 0;
  // Of the draws looked at so far, or of one epoch: set and index there.
  mutable std::mutex mutex_;
  mutable int64_t epoch_ = -1;
  mutable std::vector<std::pair<size_t, int64_t>> places_;
  mutable std::vector<int64_t> taken_;
};

// What a stage trains and is evaluated on: its [[dataset]] entries, or [data] alone. A question that one set holds back for
// evaluation is not trained on from another either. Throws UsageError.
std::unique_ptr<Mixture> open_stage_data(const StageConfig& stage, uint64_t seed, const FitsOf& fits = nullptr);

}  // namespace rl
