#include "reward/sandbox/sandbox.h"

#include <fmt/core.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>

#include "reward/reward.h"
#include "reward/sandbox/launcher_process.h"
#include "reward/sandbox/protocol.h"
#include "reward/sandbox/verdict.h"

namespace reward::sandbox {
namespace {

constexpr double answer_seconds = 40;  // beyond the job's own wall clock: for rooms to be made and killed jobs to end
constexpr const char* waivable[] = {"network namespace", "seccomp"};

// Walls are a matter of the machine: asked once a process.
const std::vector<Wall>& known_walls() {
  static const std::vector<Wall> walls = probe_walls();
  return walls;
}

bool stands(const char* name) {
  const auto& walls = known_walls();
  return std::any_of(walls.begin(), walls.end(), [&](const Wall& wall) { return wall.name == name && wall.stands; });
}

Plan make_plan() {
  Plan plan;
  plan.user = stands("user namespace");
  plan.network = stands("network namespace");
  plan.uts = stands("uts namespace");
  plan.cgroup = stands("cgroup namespace");
  plan.landlock = stands("landlock");
  plan.filter = stands("seccomp");
  plan.memory_cgroup = stands("cgroup memory");
  plan.pids_cgroup = stands("cgroup pids");
  return plan;
}

// Numbers of slots are unique in this process, over all sandboxes: they make the user ids.
class SlotNumbers {
 public:
  int64_t take() {
    const std::lock_guard lock(mutex_);
    int64_t number = 0;
    while (!taken_.insert(number).second) ++number;
    return number;
  }
  void give_back(int64_t number) {
    const std::lock_guard lock(mutex_);
    taken_.erase(number);
  }

 private:
  std::mutex mutex_;
  std::set<int64_t> taken_;
};

SlotNumbers& slot_numbers() {
  static SlotNumbers numbers;
  return numbers;
}

struct Slot {
  int64_t number = slot_numbers().take();
  LauncherProcess launcher;
  explicit Slot(const std::string& plan) : launcher({"serve", plan, std::to_string(number)}) {}
  ~Slot() {
    launcher.end(false);
    slot_numbers().give_back(number);
  }
};

Facts failed(const std::string& why) {
  Facts facts;
  facts.error = why;
  return facts;
}

Facts ask(LauncherProcess& launcher, const Job& job) {
  std::string bytes;
  try {
    if (!launcher.running()) {
      launcher.start();
      if (!launcher.receive(bytes, answer_seconds)) return failed("the launcher died before it was ready");
      if (bytes != "ready") {
        launcher.end(true);
        return failed(bytes);
      }
    }
    if (!launcher.send(encode(job))) return failed("the launcher is gone");
    if (!launcher.receive(bytes, job.limits.wall_seconds + answer_seconds)) return failed("the launcher did not answer");
    return decode_facts(bytes);
  } catch (const Error& error) {
    launcher.end(true);
    return failed(error.what());
  }
}

void require(bool good, const std::string& what) {
  if (!good) throw Error("sandbox: " + what);
}

// Mistakes of the caller, not of a program.
void check(const Job& job) {
  const char* main = job.runtime == Job::Runtime::native   ? "program"
                     : job.runtime == Job::Runtime::python ? "main.py"
                                                           : "main.cpp";
  const auto is = [](const char* name) { return [name](const auto& file) { return file.first == name; }; };
  require(std::any_of(job.files.begin(), job.files.end(), is(main)), fmt::format("a job needs a file {}", main));
  for (const auto& [name, bytes] : job.files) {
    require(!name.empty() && name != "." && name != ".." && name.find_first_of(std::string_view("/\0", 2)) == std::string::npos,
            fmt::format("\"{}\" is no file name; use one without a slash", name));
  }
  for (const auto& argument : job.arguments) {
    require(argument.find('\0') == std::string::npos, "an argument holds a zero byte");
  }
  require(job.arguments.size() < 200, fmt::format("{} arguments; at most 199 can be given", job.arguments.size()));
  const auto& limits = job.limits;
  const std::pair<const char*, double> positive[] = {
      {"wall_seconds", limits.wall_seconds}, {"cpu_seconds", limits.cpu_seconds},
      {"memory_mb", static_cast<double>(limits.memory_mb)}, {"processes", static_cast<double>(limits.processes)},
      {"work_folder_mb", static_cast<double>(limits.work_folder_mb)}, {"files", static_cast<double>(limits.files)},
      {"output_bytes", static_cast<double>(limits.output_bytes)}};
  for (const auto& [name, value] : positive) {
    require(value > 0 && value < 1e12, fmt::format("{} is {}; it must be above 0", name, value));
  }
}

}  // namespace

struct Sandbox::State {
  std::mutex mutex;
  std::condition_variable given_back;
  std::vector<std::unique_ptr<Slot>> slots;
  std::vector<Slot*> idle;  // the one used last is at the back: it is warm
};

Sandbox::Sandbox(int64_t workers, const std::vector<std::string>& allow_missing) : state_(std::make_unique<State>()) {
  require(workers >= 1, fmt::format("{} workers; there must be at least one", workers));
  require_walls(known_walls(), allow_missing);
  const std::string plan = encode(make_plan());
  for (int64_t i = 0; i < workers; ++i) {
    state_->slots.push_back(std::make_unique<Slot>(plan));
    state_->idle.push_back(state_->slots.back().get());
  }
}

Sandbox::~Sandbox() = default;

Result Sandbox::run(const Job& job) {
  check(job);
  std::unique_lock lock(state_->mutex);
  state_->given_back.wait(lock, [&] { return !state_->idle.empty(); });
  Slot* slot = state_->idle.back();
  state_->idle.pop_back();
  lock.unlock();
  Facts facts = ask(slot->launcher, job);
  if (!facts.error.empty()) {
    slot->launcher.end(true);
    facts = ask(slot->launcher, job);
  }
  lock.lock();
  state_->idle.push_back(slot);
  state_->given_back.notify_one();
  lock.unlock();
  return to_result(std::move(facts), job.limits);
}

void require_walls(const std::vector<Wall>& walls, const std::vector<std::string>& allow_missing) {
  for (const auto& name : allow_missing) {
    require(std::find(std::begin(waivable), std::end(waivable), name) != std::end(waivable),
            fmt::format("allow_missing names \"{}\"; only \"network namespace\" and \"seccomp\" can be done without", name));
  }
  std::string missing, names;
  for (const auto& wall : walls) {
    if (wall.stands || !wall.required) continue;
    if (std::find(allow_missing.begin(), allow_missing.end(), wall.name) != allow_missing.end()) continue;
    missing += fmt::format("\n  {}: {}", wall.name, wall.detail);
    names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", wall.name);
  }
  if (missing.empty()) return;
  throw Error(fmt::format(
      "sandbox: programs that nobody trusts cannot be run here, for these walls are missing:{}\n"
      "Give the process what it lacks (root, or user namespaces; in Docker --cap-add SYS_ADMIN --security-opt\n"
      "seccomp=unconfined), or name what you will do without: allow_missing = [{}] (of a code\n"
      "reward: allow_missing_walls; of ponder sandbox: --allow-missing). Only \"network namespace\" and \"seccomp\" can be\n"
      "left out.",
      missing, names));
}

}  // namespace reward::sandbox
