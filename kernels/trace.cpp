#include "kernels/trace.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>

#include "kernels/error.h"

namespace kernels {

namespace {

using Clock = std::chrono::steady_clock;

struct Trace {
  std::string path, text;
  std::FILE* file = nullptr;
  Clock::time_point start = Clock::now();
  std::map<std::string, int64_t> lanes;  // by name
  int64_t last_lane = 0;
  int64_t number = 0;                    // of this trace

  ~Trace() {
    if (file) std::fclose(file);
  }
  bool write() {
    const bool whole = std::fwrite(text.data(), 1, text.size(), file) == text.size() && std::fflush(file) == 0;
    text.clear();
    return whole;
  }
};

std::atomic<bool> tracing{false};
std::mutex mutex;              // guards the two below
std::unique_ptr<Trace> trace;
int64_t traces = 0;

thread_local const char* lane_name = nullptr;
thread_local int64_t own_lane = 0, own_lane_trace = 0;  // of a thread without a name: its lane in that trace

double microseconds(Clock::duration d) { return std::chrono::duration<double, std::micro>(d).count(); }

// With the lock held.
int64_t lane_of_thread() {
  if (!lane_name) {
    if (own_lane_trace != trace->number) own_lane = ++trace->last_lane, own_lane_trace = trace->number;
    return own_lane;
  }
  const auto [it, fresh] = trace->lanes.try_emplace(lane_name, trace->last_lane + 1);
  if (fresh) {
    ++trace->last_lane;
    trace->text += fmt::format(R"({{"name":"thread_name","ph":"M","pid":1,"tid":{},"args":{{"name":"{}"}}}},)"
                               "\n", it->second, lane_name);
  }
  return it->second;
}

void record(const char* name, const char* unit, int64_t count, Clock::time_point start, Clock::time_point end) {
  const std::lock_guard lock(mutex);
  if (!trace || start < trace->start) return;
  const int64_t lane = lane_of_thread();
  trace->text += fmt::format(R"({{"name":"{}","ph":"X","pid":1,"tid":{},"ts":{:.3f},"dur":{:.3f})", name, lane,
                             microseconds(start - trace->start), microseconds(end - start));
  trace->text += unit ? fmt::format(R"(,"args":{{"{}":{}}}}},)"
                                    "\n", unit, count)
                      : "},\n";
}

}  // namespace

void start_trace(const std::string& file) {
  const std::lock_guard lock(mutex);
  if (trace) fail("trace: {} is being written; one trace at a time.", trace->path);
  auto next = std::make_unique<Trace>();
  next->path = file;
  next->number = ++traces;
  next->file = std::fopen(file.c_str(), "w");
  if (!next->file) fail("{}: cannot be written: {}. Give --trace another file.", file, std::strerror(errno));
  next->text = "[\n";
  trace = std::move(next);
  tracing = true;
}

void flush_trace() {
  const std::lock_guard lock(mutex);
  if (trace) trace->write();
}

void stop_trace() {
  const std::lock_guard lock(mutex);
  if (!trace) return;
  tracing = false;
  trace->text += R"({"name":"process_name","ph":"M","pid":1,"args":{"name":"ponder"}})" "\n]\n";
  const auto ended = std::move(trace);
  if (!ended->write() || std::ferror(ended->file)) fail("{}: cannot be written: {}. Is the disk full?", ended->path, std::strerror(errno));
}

void name_trace_lane(const char* name) {
  lane_name = name;
  // The first thread's name is the program's, for ps and top.
  if (syscall(SYS_gettid) != getpid()) pthread_setname_np(pthread_self(), std::string(name).substr(0, 15).c_str());
}

Span::Span(const char* name, double* sum, const char* unit, int64_t count)
    : name_(name), sum_(sum), unit_(unit), count_(count), open_(sum || tracing.load(std::memory_order_relaxed)) {
  if (open_) start_ = Clock::now();
}

void Span::end() {
  if (!open_) return;
  open_ = false;
  const auto now = Clock::now();
  if (sum_) *sum_ += std::chrono::duration<double>(now - start_).count();
  if (tracing.load(std::memory_order_relaxed)) record(name_, unit_, count_, start_, now);
}

}  // namespace kernels
