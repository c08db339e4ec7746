#include "rl/dataset.h"

#include <fmt/core.h>

#include <mutex>
#include <numeric>

#include "kernels/error.h"
#include "rl/data/asked.h"
#include "rl/data/generators.h"
#include "rl/data/jsonl.h"

namespace rl {
namespace {

// Key fields `step` and `sample` of Purpose::data.
enum DataStep : uint64_t { draw_step = 0, held_back_step = 1, shuffle_step = 2 };

void add_asked(AskedTexts& texts, const std::vector<Problem>& problems) {
  for (const auto& problem : problems) texts.insert(asked_of(problem));
}

// The index-th problem that `taken` does not hold; attempts are numbered, so the result follows from (seed, step, index).
Problem draw_new(Generator generator, const DataConfig& config, uint64_t seed, DataStep step, int64_t index,
                 const AskedTexts& taken, const Fits& fits = nullptr) {
  for (uint32_t attempt = 0; attempt < 1000; ++attempt) {
    Problem problem = generator(config, {.seed = seed,
                                         .purpose = kernels::Purpose::data,
                                         .step = step,
                                         .group = static_cast<uint64_t>(index),
                                         .sample = attempt,
                                         .position = 0});
    if (taken.count(problem.question) > 0 || (fits && !fits(problem))) continue;
    problem.prompt_id = index;
    problem.data_source = !config.name.empty() ? config.name : generator == arithmetic_problem ? "arithmetic" : "countdown";
    return problem;
  }
  kernels::fail_usage(
      "data.eval_problems: is {}, but the generator has too few different problems to hold back so many. "
      "Lower it, or raise data.terms, data.digits or data.numbers.",
      config.eval_problems);
}

// Fixed whatever the run's seed, so runs are compared on the same problems.
std::vector<Problem> generated_held_back(Generator generator, const DataConfig& config) {
  std::vector<Problem> problems;
  AskedTexts taken;
  for (int64_t i = 0; i < config.eval_problems; ++i) {
    problems.push_back(draw_new(generator, config, /*seed=*/0, held_back_step, i, taken));
    taken.insert(problems.back().question);
  }
  return problems;
}

class GeneratedData : public Dataset {
 public:
  GeneratedData(Generator generator, const DataConfig& config, uint64_t seed, std::vector<Problem> held_back, Fits fits,
                AskedTexts also_held_back)
      : generator_(generator),
        config_(config),
        seed_(seed),
        held_back_(std::move(held_back)),
        taken_(std::move(also_held_back)),
        fits_(std::move(fits)) {
    add_asked(taken_, held_back_);
    add_asked(taken_, generated_held_back(generator, config));
  }

  Problem problem(int64_t index) const override {
    return draw_new(generator_, config_, seed_, draw_step, index, taken_, fits_);
  }
  int64_t id_at(int64_t index) const override { return index; }
  int64_t size() const override { return 0; }
  std::vector<Problem> held_back() const override { return held_back_; }

 private:
  Generator generator_;
  DataConfig config_;
  uint64_t seed_;
  std::vector<Problem> held_back_;
  AskedTexts taken_;
  Fits fits_;
};

class FileData : public Dataset {
 public:
  FileData(const DataConfig& config, uint64_t seed, std::vector<Problem> held_back, const Fits& fits, AskedTexts taken)
      : shuffle_(config.shuffle), seed_(seed), held_back_(std::move(held_back)) {
    add_asked(taken, held_back_);
    for (auto& row : read_jsonl(config.train, config)) {
      if (!taken.empty() && taken.count(asked_of(row)) > 0) ++held_out_;
      else if (!fits || fits(row)) rows_.push_back(std::move(row));
    }
    if (rows_.empty())
      kernels::fail_usage(
          "{}: every row is held back for evaluation, has an empty completion or is too long (data.max_prompt_tokens, "
          "sft.max_tokens), so nothing is left to train on. Give data.eval another file, or raise the limit.",
          config.train);
  }

  Problem problem(int64_t index) const override { return rows_[row_of(index)]; }
  int64_t id_at(int64_t index) const override { return rows_[row_of(index)].prompt_id; }
  int64_t size() const override { return static_cast<int64_t>(rows_.size()); }
  std::vector<Problem> held_back() const override { return held_back_; }
  int64_t held_out() const override { return held_out_; }

 private:
  int64_t row_of(int64_t index) const {
    const int64_t epoch = index / size(), place = index % size();
    if (!shuffle_) return place;
    const std::lock_guard lock(mutex_);
    if (epoch != epoch_) shuffle(epoch);
    return order_[place];
  }

  // Fisher and Yates, each draw keyed by (seed, epoch, place).
  void shuffle(int64_t epoch) const {
    order_.resize(rows_.size());
    std::iota(order_.begin(), order_.end(), 0);
    for (size_t i = order_.size() - 1; i > 0; --i) {
      const kernels::RandomKey key{.seed = seed_,
                                   .purpose = kernels::Purpose::data,
                                   .step = shuffle_step + static_cast<uint64_t>(epoch),
                                   .group = i,
                                   .sample = 0,
                                   .position = 0};
      std::swap(order_[i], order_[kernels::random_below(key, i + 1)]);
    }
    epoch_ = epoch;
  }

  bool shuffle_;
  uint64_t seed_;
  std::vector<Problem> rows_, held_back_;
  int64_t held_out_ = 0;
  mutable std::mutex mutex_;  // guards the order of the newest epoch
  mutable int64_t epoch_ = -1;
  mutable std::vector<int64_t> order_;
};

}  // namespace

Generator find_generator(const std::string& source) {
  if (source == "generator:arithmetic") return arithmetic_problem;
  if (source == "generator:countdown") return countdown_problem;
  if (source.rfind("generator:", 0) != 0) return nullptr;
  kernels::fail_usage("\"{}\" names no generator. The generators are generator:arithmetic and generator:countdown.", source);
}

std::vector<Problem> read_problems(const std::string& source, const DataConfig& config, int64_t limit) {
  if (const Generator generator = find_generator(source)) {
    DataConfig limited = config;
    if (limit > 0) limited.eval_problems = limit;
    return generated_held_back(generator, limited);
  }
  return read_jsonl(source, config, limit);
}

std::unique_ptr<Dataset> open_dataset(const DataConfig& config, uint64_t seed, Fits fits, AskedTexts also_held_back) {
  std::vector<Problem> held_back;
  if (!config.eval.empty()) held_back = read_problems(config.eval, config, config.eval_problems);
  if (const Generator generator = find_generator(config.train))
    return std::make_unique<GeneratedData>(generator, config, seed, std::move(held_back), std::move(fits),
                                           std::move(also_held_back));
  return std::make_unique<FileData>(config, seed, std::move(held_back), fits, std::move(also_held_back));
}

}  // namespace rl
