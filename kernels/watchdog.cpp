#include "kernels/watchdog.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <fmt/core.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <thread>
#include <vector>

namespace kernels {
namespace {

using Clock = std::chrono::steady_clock;

struct Entry {
  std::string what;
  pid_t thread;
  Clock::time_point start;
};

std::mutex mutex;  // guards the waits
std::map<int64_t, Entry> waits;
int64_t last_id = 0;

pid_t this_thread() { return static_cast<pid_t>(syscall(SYS_gettid)); }

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// The stack of one thread at a time: its own signal handler takes it.
struct Stack {
  void* frames[64];
  int count = 0;
  std::atomic<pid_t> of{0};  // whose it is, once it is there
};
Stack stack;

int stack_signal() { return SIGRTMIN + 4; }

extern "C" void take_stack(int) {
  stack.count = backtrace(stack.frames, 64);
  stack.of.store(this_thread(), std::memory_order_release);
}

std::string frame_text(void* address) {
  Dl_info found{};
  if (!dladdr(address, &found) || !found.dli_fname) return fmt::format("{}", address);
  const auto offset = static_cast<const char*>(address) - static_cast<const char*>(found.dli_fbase);
  const std::string file = std::filesystem::path(found.dli_fname).filename().string();
  if (!found.dli_sname) return fmt::format("{} + {:#x}", file, offset);
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(found.dli_sname, nullptr, nullptr, &status), std::free);
  return fmt::format("{} + {:#x} {}", file, offset, status == 0 ? name.get() : found.dli_sname);
}

// Empty when the thread does not answer: it blocks signals, hangs inside the system, or has ended.
std::vector<void*> stack_of(pid_t thread) {
  stack.of = 0;
  if (syscall(SYS_tgkill, getpid(), thread, stack_signal()) != 0) return {};
  for (int i = 0; i < 200 && stack.of.load(std::memory_order_acquire) != thread; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  if (stack.of != thread) return {};
  return std::vector<void*>(stack.frames, stack.frames + stack.count);
}

// "name" of /proc/self/task/THREAD/comm, then state and processor time of its stat.
std::string state_text(pid_t thread) {
  const std::string folder = fmt::format("/proc/self/task/{}/", thread);
  std::string name, line;
  std::getline(std::ifstream(folder + "comm"), name);
  std::getline(std::ifstream(folder + "stat"), line);
  // The name in parentheses may hold anything; what follows the last one are fields 3 and on.
  const size_t end = line.rfind(')');
  if (end == std::string::npos) return fmt::format("thread {} has ended", thread);
  std::istringstream rest(line.substr(end + 1));
  std::vector<std::string> fields;
  for (std::string field; rest >> field;) fields.push_back(field);
  if (fields.size() < 13) return fmt::format("thread {} \"{}\"", thread, name);
  const double ticks = std::strtod(fields[11].c_str(), nullptr) + std::strtod(fields[12].c_str(), nullptr);
  return fmt::format("thread {} \"{}\", state {}, {:.1f} s of processor time", thread, name, fields[0],
                     ticks / static_cast<double>(sysconf(_SC_CLK_TCK)));
}

std::string waits_of(pid_t thread) {
  const std::lock_guard lock(mutex);
  std::string text;
  for (const auto& [id, entry] : waits)
    if (entry.thread == thread) text += fmt::format("  waits for {} since {:.1f} s\n", entry.what, seconds_since(entry.start));
  return text;
}

struct Watch {
  std::mutex mutex;
  std::condition_variable ended;
  bool ends = false;
  std::thread thread;
};
std::unique_ptr<Watch> watch;

// What waits longer than `seconds`; empty: nothing.
std::string late_one(double seconds) {
  const std::lock_guard lock(mutex);
  for (const auto& [id, entry] : waits)
    if (const double waited = seconds_since(entry.start); waited > seconds)
      return fmt::format("waiting for {} since {:.0f} s", entry.what, waited);
  return {};
}

// The process itself stood still (Ctrl-Z, a paused container): nobody waited in that time.
void leave_out(Clock::duration pause) {
  const std::lock_guard lock(mutex);
  for (auto& [id, entry] : waits) entry.start = std::min(entry.start + pause, Clock::now());
}

}  // namespace

Wait::Wait(std::string what) {
  const std::lock_guard lock(mutex);
  id_ = ++last_id;
  waits.emplace(id_, Entry{std::move(what), this_thread(), Clock::now()});
}

Wait::~Wait() {
  const std::lock_guard lock(mutex);
  waits.erase(id_);
}

Watchdog::Watchdog(double seconds, OnLate on_late) {
  void* unused[1];
  backtrace(unused, 1);  // loads what it needs now, not in a signal handler
  struct sigaction action {};
  action.sa_handler = take_stack;
  action.sa_flags = SA_RESTART;
  sigaction(stack_signal(), &action, nullptr);
  watch = std::make_unique<Watch>();
  watch->thread = std::thread([seconds, on_late = std::move(on_late), own = watch.get()] {
    const std::chrono::duration<double> asked(std::clamp(seconds / 10, 0.01, 1.0));
    const auto pause = std::chrono::duration_cast<Clock::duration>(asked);
    std::unique_lock lock(own->mutex);
    for (auto start = Clock::now(); !own->ended.wait_for(lock, pause, [&] { return own->ends; }); start = Clock::now()) {
      if (const auto took = Clock::now() - start; took > 2 * pause) leave_out(took - pause);
      const std::string what = late_one(seconds);
      if (what.empty()) continue;
      on_late(what, thread_report());
      return;
    }
  });
}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(watch->mutex);
    watch->ends = true;
  }
  watch->ended.notify_all();
  watch->thread.join();
  watch.reset();
}

std::string thread_report() {
  std::string text;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
    const pid_t thread = std::atoi(entry.path().filename().c_str());
    text += state_text(thread) + "\n" + waits_of(thread);
    if (thread == this_thread()) {
      text += "  writes this report\n";
      continue;
    }
    const auto frames = stack_of(thread);
    if (frames.empty()) text += "  does not answer: it hangs inside the system, or blocks signals\n";
    // The first two are the handler and the return from it.
    for (size_t i = 2; i < frames.size(); ++i) text += "    " + frame_text(frames[i]) + "\n";
  }
  return text;
}

}  // namespace kernels
