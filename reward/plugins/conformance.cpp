#include "reward/plugins/conformance.h"

#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "reward/plugins/attack.h"
#include "reward/plugins/worker.h"

namespace reward {
namespace {

using Clock = std::chrono::steady_clock;
using Fate = Worker::Fate;

Item item_of(std::string completion, int64_t sample, std::string truth = "42") {
  Item item;
  item.prompt = "What is 6 times 7?";
  item.completion = std::move(completion);
  item.answer = std::move(truth);
  item.data_source = "conformance";
  item.group_id = 1;
  item.sample_index = sample;
  item.completion_tokens = 5;
  return item;
}

std::vector<Item> some_items() {
  std::vector<Item> items;
  const char* texts[] = {"The answer is \\boxed{42}.", "<think>6*7</think><answer>42</answer>", "I do not know.", "41", "",
                         "42 42 42", "#### 42",
                         "\xce\xb1\xce\xb2 \xe2\x88\x9a 42"};
  for (const char* text : texts) items.push_back(item_of(text, static_cast<int64_t>(items.size())));
  return items;
}

bool same(const Outcome& a, const Outcome& b) { return a.status == b.status && a.value == b.value; }
bool same(const std::vector<Outcome>& a, const std::vector<Outcome>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Outcome& x, const Outcome& y) { return same(x, y); });
}

class Conformance {
 public:
  Conformance(const std::vector<std::string>& command, int64_t timeout_ms) : timeout_(timeout_ms) {
    WorkerSettings settings;
    settings.label = "plug-in";
    settings.command = command;
    settings.config = {{"example", "text"}};
    settings_ = std::make_shared<const WorkerSettings>(std::move(settings));
  }

  std::vector<ConformanceCheck> run() {
    if (!handshake()) return std::move(checks_);
    ping();
    batch();
    order();
    empty_batch();
    texts("junk", junk_without_megabytes(),
          "It must score any text: catch what can go wrong in your parser, and give such a text 0.");
    texts("huge", {item_of(std::string(1 << 20, 'x'), 0), item_of(std::string(1 << 20, '{'), 1)},
          "A completion may be long: read whole lines, and keep the work linear in the length of the text.");
    texts("non-UTF-8", {item_of("\\boxed{\xff\xfe}", 0), item_of("\xe2\x88", 1), item_of(std::string("a\0b", 3), 2)},
          "Bad bytes arrive as U+FFFD and control characters as \\u00XX: read and write JSON with a library.");
    time_out();
    crash();
    determinism();
    endings();
    return std::move(checks_);
  }

 private:
  Worker::Deadline deadline() const { return Clock::now() + timeout_; }

  void tell(const std::string& name, bool passed, const std::string& found, const std::string& fix) {
    checks_.push_back({name, passed, found, passed ? "" : fix});
  }

  // The items in requests that the plug-in's capabilities allow.
  Worker::Answer ask(Worker& worker, const std::vector<Item>& items) const {
    const auto& hello = worker.hello();
    const size_t most = !hello.batch ? 1 : hello.group ? items.size() : static_cast<size_t>(hello.max_batch);
    Worker::Answer all;
    for (size_t from = 0; from < items.size(); from += most) {
      const size_t to = std::min(items.size(), from + most);
      auto part = worker.ask({items.begin() + static_cast<ptrdiff_t>(from), items.begin() + static_cast<ptrdiff_t>(to)},
                             deadline());
      if (part.fate != Fate::answered) return part;
      all.outcomes.insert(all.outcomes.end(), part.outcomes.begin(), part.outcomes.end());
    }
    return all;
  }

  static std::string first_failure(const Worker::Answer& answer) {
    if (answer.fate != Fate::answered) return answer.detail;
    for (size_t i = 0; i < answer.outcomes.size(); ++i)
      if (answer.outcomes[i].status == Status::infra_error) return fmt::format("item {}: {}", i, answer.outcomes[i].detail);
    return "";
  }

  bool handshake() {
    Worker worker(settings_);
    const auto start = Clock::now();
    const auto answer = worker.get_ready(start + settings_->start_timeout);
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count();
    const auto& hello = worker.hello();
    const bool said = answer.fate == Fate::answered;
    const std::string found = fmt::format("{} {} in {} ms; batch {}, group {}, max_batch {}", hello.name,
                                          hello.version.empty() ? "(no version)" : hello.version, took, hello.batch, hello.group,
                                          hello.max_batch);
    tell("handshake", said, said ? found : answer.detail,
         R"(Answer {"type":"hello",...} with {"type":"hello","protocol":1,"name":"NAME","version":"1"} and flush stdout.)");
    return said;
  }

  void ping() {
    Worker worker(settings_);
    worker.get_ready(Clock::now() + settings_->start_timeout);
    const auto answer = worker.ping(deadline());
    tell("ping", answer.fate == Fate::answered, answer.fate == Fate::answered ? "pong" : answer.detail,
         R"(Answer {"type":"ping","id":N} with {"type":"pong","id":N}.)");
  }

  void batch() {
    Worker worker(settings_);
    worker.get_ready(Clock::now() + settings_->start_timeout);
    const auto answer = ask(worker, some_items());
    const std::string failure = first_failure(answer);
    tell("batch", failure.empty(), failure.empty() ? fmt::format("{} results", answer.outcomes.size()) : failure,
         "Give one result for each item: its uid, a finite number as score, status ok, skip or error. Print nothing else to "
         "stdout.");
    first_ = answer.outcomes;
  }

  // The same items in another order get the same scores, unless the plug-in compares them.
  void order() {
    Worker worker(settings_);
    worker.get_ready(Clock::now() + settings_->start_timeout);
    auto items = some_items();
    std::reverse(items.begin(), items.end());
    auto answer = ask(worker, items);
    std::reverse(answer.outcomes.begin(), answer.outcomes.end());
    const std::string failure = first_failure(answer);
    const bool kept = failure.empty() && (worker.hello().group || same(answer.outcomes, first_));
    tell("order", kept,
         !failure.empty() ? failure : kept ? "results follow the items" : "reversed items did not get the reversed scores",
         "Answer in the order of the items, and let no item's score depend on the others (or say \"group\": true).");
  }

  void empty_batch() {
    Worker worker(settings_);
    worker.get_ready(Clock::now() + settings_->start_timeout);
    const auto answer = worker.ask({}, deadline());
    tell("empty batch", answer.fate == Fate::answered, answer.fate == Fate::answered ? "no results" : answer.detail,
         "Answer an empty list of items with an empty list of results.");
  }

  static std::vector<Item> junk_without_megabytes() {
    std::vector<Item> items;
    for (const auto& junk : junk_inputs())
      if (junk.completion.size() < 100000) items.push_back(item_of(junk.completion, static_cast<int64_t>(items.size())));
    return items;
  }

  void texts(const std::string& name, const std::vector<Item>& items, const std::string& fix) {
    Worker worker(settings_);
    worker.get_ready(Clock::now() + settings_->start_timeout);
    const auto start = Clock::now();
    const auto answer = ask(worker, items);
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count();
    const std::string failure = first_failure(answer);
    tell(name, failure.empty(), failure.empty() ? fmt::format("{} texts in {} ms", items.size(), took) : failure, fix);
  }

  // A request cut off by its deadline: the program and all that it started must be gone, and the next one must work.
  void time_out() {
    Worker worker(settings_);
    worker.get_ready(Clock::now() + settings_->start_timeout);
    const pid_t id = worker.id();
    if (id > 0) ::kill(-id, SIGSTOP);  // hangs for certain
    worker.ask(some_items(), Clock::now() + std::chrono::milliseconds(20));
    const bool gone = id > 0 && group_ends(id);
    const auto again = ask_ready(worker);
    tell("time-out", gone && again.empty(),
         !gone ? "processes are left after the kill" : again.empty() ? "killed and started again" : again,
         "Start no processes outside your process group, and keep nothing (locks, ports) that stops a second start.");
  }

  // Its killed processes may wait a moment for who collects them.
  static bool group_ends(pid_t id) {
    for (int i = 0; i < 100; ++i) {
      if (::kill(-id, 0) != 0) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }

  std::string ask_ready(Worker& worker) const {
    const auto ready = worker.get_ready(Clock::now() + settings_->start_timeout);
    return ready.fate == Fate::answered ? first_failure(ask(worker, some_items())) : ready.detail;
  }

  void crash() {
    Worker worker(settings_);
    worker.get_ready(Clock::now() + settings_->start_timeout);
    if (worker.id() > 0) ::kill(worker.id(), SIGKILL);
    const auto hit = worker.ask(some_items(), deadline());
    const auto again = ask_ready(worker);
    tell("crash", hit.fate != Fate::answered && again.empty(), again.empty() ? "killed and started again" : again,
         "A start after a crash must work: clean up half-written files when you start.");
  }

  void determinism() {
    Worker worker(settings_), other(settings_);
    for (Worker* w : {&worker, &other}) w->get_ready(Clock::now() + settings_->start_timeout);
    const auto one = ask(worker, some_items()), two = ask(worker, some_items()), three = ask(other, some_items());
    const bool equal = one.fate == Fate::answered && same(one.outcomes, two.outcomes) && same(one.outcomes, three.outcomes);
    tell("determinism", equal, equal ? "the same scores twice, and from a second process" : "the same items got other scores",
         "Draw no random numbers, or seed them from the item's text; use no clock.");
  }

  void endings() {
    for (const bool asked : {true, false}) {
      ChildProcess child(settings_->command, settings_->label);
      std::string line;
      const auto start = Clock::now();
      child.write_line(protocol::hello_request(settings_->config), start + settings_->start_timeout);
      child.read_line(&line, protocol::most_hello_bytes, start + settings_->start_timeout);
      if (asked) child.write_line(protocol::shutdown_request(), deadline());
      else child.close_input();
      const bool ended = child.wait_for_end(Clock::now() + std::chrono::milliseconds(2000));
      tell(asked ? "shutdown" : "end of input", ended, ended ? "ended by itself" : "still there after 2 s",
           asked ? R"(End when {"type":"shutdown"} comes.)" : "End when stdin ends, or a killed trainer leaves you behind.");
    }
  }

  std::shared_ptr<const WorkerSettings> settings_;
  std::chrono::milliseconds timeout_;
  std::vector<Outcome> first_;
  std::vector<ConformanceCheck> checks_;
};

}  // namespace

std::vector<ConformanceCheck> check_conformance(const std::vector<std::string>& command, int64_t timeout_ms) {
  return Conformance(command, timeout_ms).run();
}

}  // namespace reward
