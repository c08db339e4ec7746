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
  std::string reason;                                       // a fixed word for counting: "wrong", "poison", "deadline"
  std::string detail;                                       // for people
  std::string extracted;                                    // the answer as read from the completion
  std::vector<std::pair<std::string, Status>> failed;       // of a sum: parts that gave no value of their own, and why
  bool abort = false;                                       // of a sum: one of these wants the run to stop (on_error)

  bool has_value() const { return status == Status::scored || status == Status::no_answer; }
};

// One completion to score.
struct Item {
  int64_t prompt_id = 0;
  int64_t group_id = 0;       // completions of one prompt share it
  int64_t sample_index = 0;
  std::string prompt;         // as the model saw it, template included; one that ends in <think> opens the thinking
  std::string completion;     // text, special tokens of the template kept, end token left out
  std::string answer;         // the gold, as the data file has it; a list or an object as JSON text
  std::string data_source;    // which data set it is from; rewards are routed by it
  std::string extra;          // other fields of the data row, as the JSON text of an object; empty: none
  int64_t completion_tokens = 0;
  bool truncated = false;     // ended by length, not by a stop
  std::string dataset = {};   // the [[dataset]] that it is of, where a stage has several
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
  // What scores, for checkpoints and result files: "builtin", "process contains 1.2, protocol 1". Plug-ins know theirs once
  // self_test() or score() has run.
  virtual std::string version() const { return "builtin"; }
};

// Settings of one [[reward]] entry. Where one reward is enough, the name and the defaults are enough.
struct Settings {
  std::string name;                      // builtin: key in the registry; else a name of the user's choice
  std::string kind = "builtin";          // builtin | process | library | http
  std::string role =
      "sum";              // sum: weight * value is added; gate: the sum is 0 where this is not above 0; metric: logged
  double weight = 1.0;
  std::vector<std::string> applies_to;   // data sources; "math*" stands for all that begin so; empty: all
  std::vector<std::string> datasets;     // names of [[dataset]] entries that it scores; empty: all
  std::string on_error = "drop_sample";  // drop_sample: no value; zero: counts as 0; abort: the run stops
  int64_t timeout_ms = 10000;            // of one call: a group
  int64_t workers = 1;                   // calls at once: processes, connections
  int64_t start_timeout_ms = 60000;      // process: from its start to its hello
  std::vector<std::string> command;      // process: program and arguments
  std::string file;                      // library: the shared library
  std::string isolate = "none";          // library: none | process
  std::string url;                       // http
  std::string payload = "ponder";        // http: ponder | openrlhf | slime
  std::string token_file;                // http: holds the bearer token
  std::vector<std::pair<std::string, std::string>> options;  // reward-specific keys, as text

  bool operator==(const Settings&) const = default;
};

// Whether the entry scores completions of this [[dataset]] (its name; empty: there are not several), and of this data source.
bool applies_to_set(const Settings& settings, const std::string& dataset);
bool applies(const Settings& settings, const std::string& data_source, const std::string& dataset);

// A reward of any kind. Nothing is started, loaded or connected before self_test() or score(). Throws Error for an unknown
// name or option, with the nearest known one, and for keys that are wrong for the kind.
std::unique_ptr<Reward> make_reward(const Settings& settings);

std::vector<std::string> builtin_names();
bool builtin_has_option(const std::string& name, const std::string& option);
std::string describe_builtins();  // names, what they score and their options, for people

// How long each part of a sum took, one number a call (a group).
struct PartTimes {
  std::string name;
  std::vector<double> milliseconds;
};

// A fingerprint of what decides the scores of these entries: not of time-outs, workers and addresses. 16 hexadecimal digits.
std::string settings_hash(const std::vector<Settings>& parts);

// Several rewards as one.
class Sum : public Reward {
 public:
  virtual std::vector<PartTimes> take_times() = 0;  // since the last take; thread-safe
};

// value = clip((sum of weight_i * value_i over sums) * product of [gate_j's value > 0], clip_low, clip_high), over the parts
// that apply to the item's data source; metrics are only logged, in components.
// If a sum or gate has no value, the whole has none, with that part's status (infra_error before timeout before
// not_applicable); with on_error = "zero" a part's timeout or infra_error counts as 0 instead, and stands in `failed` all the
// same. Otherwise it is `no_answer` if a sum or gate is, still with the value above. An item that no sum applies to is
// not_applicable. A part that throws, returns a wrong number of outcomes or a value that is not finite is an infra_error.
// Each part has its own timeout_ms.
std::unique_ptr<Sum> make_sum(std::vector<std::pair<Settings, std::unique_ptr<Reward>>> parts, double clip_low = -1e300,
                              double clip_high = 1e300);

// The names of the parts in components and metrics: each one's own, or name_2 for the second of that name.
std::vector<std::string> part_labels(const std::vector<Settings>& parts);

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
