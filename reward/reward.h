// The interface of every reward: a batch of groups in, one typed outcome a completion out.
//
// Rewards never lie: a checker that failed gives no value. `reward` includes nobody, and no LibTorch.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace reward {

// reward's own exception: a wrong setting of a reward. The message names the setting, its value and the fix.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

enum class Status {
  scored,          // has a value
  no_answer,       // the completion holds no answer that can be read: scored 0
  not_applicable,  // the gold cannot be read, or the item is not this reward's: no value, leaves the group
  timeout,         // the checker missed its deadline: no value
  infra_error,     // the checker failed: no value
};
const char* name_of(Status status);

struct Outcome {
  Status status = Status::scored;
  double value = 0.0;                                       // read it only if has_value()
  std::vector<std::pair<std::string, double>> components;   // of a sum: each part's own value, before its weight
  std::string detail;                                       // verdict word or reason, for people
  std::string extracted;                                    // the answer as read from the completion

  bool has_value() const { return status == Status::scored || status == Status::no_answer; }
};

// One completion to score.
struct Item {
  int64_t prompt_id = 0;
  int64_t group_id = 0;       // completions of one prompt share it
  int64_t sample_index = 0;
  std::string prompt;         // as the model saw it, template included; one that ends in <think> opens the thinking
  std::string completion;     // text, special tokens of the template kept, end token left out
  std::string answer;         // the gold, as the data file has it
  int64_t completion_tokens = 0;
  bool truncated = false;     // ended by length, not by a stop
};

// score() and check_answer() may be called from several threads at once.
class Reward {
 public:
  virtual ~Reward() = default;
  virtual const std::string& name() const = 0;
  // One outcome an item, in order. Items of one group come together, so group-level rewards can compare them. Never
  // throws for what a completion holds. `deadline` bounds the whole call; what is not scored by then is `timeout`.
  virtual std::vector<Outcome> score(const std::vector<Item>& items, std::chrono::steady_clock::time_point deadline) = 0;
  // Scores two or three fixed items whose outcome is known; returns an empty string or what went wrong.
  virtual std::string self_test() = 0;
  // Empty, or why this gold cannot be scored. `ponder check` asks it for every line of the data.
  virtual std::string check_answer(const std::string& answer) = 0;
};

// Settings of one [[reward]] entry.
struct Settings {
  std::string name;                 // key in the registry
  std::string kind = "builtin";
  double weight = 1.0;
  bool gate = false;                // multiplies the sum: 0 if this one's value is 0
  int64_t timeout_ms = 10000;
  std::vector<std::pair<std::string, std::string>> options;  // reward-specific keys, as text
};

// The rewards by name, one line each. Throws Error for an unknown name or option, with the nearest known one.
std::unique_ptr<Reward> make_builtin(const Settings& settings);
std::vector<std::string> builtin_names();
std::string describe_builtins();  // names, what they score and their options, for people

// Weighted sum with gates: value = (sum of weight_i * value_i over non-gates) * product of [gate_j's value > 0].
// If any part has no value, the whole has none, with that part's status (infra_error before timeout before
// not_applicable). Otherwise it is `no_answer` if a part is, still with the value above. A part that throws, returns a
// wrong number of outcomes or a value that is not finite is an infra_error. Each part has its own timeout_ms.
std::unique_ptr<Reward> make_sum(std::vector<std::pair<Settings, std::unique_ptr<Reward>>> parts);

// Scores batches on its own threads while sampling goes on; wait() returns the outcomes of one ticket in the order of
// its items, once. One group (a run of equal group_id) is one call of the reward, whose deadline is timeout_ms after the
// call starts. Items of a call that throws are infra_error. Items of a call that has not come back a little after its
// deadline are timeout; its thread is then left behind and another takes its place, so that wait() always returns.
class AsyncScorer {
 public:
  AsyncScorer(std::shared_ptr<Reward> reward, int64_t threads, int64_t timeout_ms);
  ~AsyncScorer();
  // Returns a ticket. Items of one group go in one call.
  int64_t submit(std::vector<Item> items);
  bool ready(int64_t ticket) const;  // wait() would return at once
  std::vector<Outcome> wait(int64_t ticket);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace reward
