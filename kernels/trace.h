// Where the time goes: spans of work, summed where the caller wants a sum, and written as a Chrome trace when one is on.
//
// The file is a JSON array of complete events, one lane for each thread or name of threads, for chrome://tracing and ui.perfetto.dev. It is written
// as it grows, so that a run that dies leaves what it had (both programs read an array without its end).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace kernels {

// Starts writing to `file`. One trace at a time. Throws Error when the file cannot be written.
void start_trace(const std::string& file);
// Writes what is recorded so far to the file. Nothing happens without a trace.
void flush_trace();
// Ends the file; what the disk refused is an Error here. Nothing happens without a trace.
void stop_trace();
// The lane of the calling thread, by a name that is a literal, and its name for the system. Threads of one name share a lane.
void name_trace_lane(const char* name);

// From its making to end() or its own end. Without a sum and a trace it costs a load and a branch.
class Span {
 public:
  // `name` is a literal. Adds its seconds to `*sum`; shows `count` beside the name, of what `unit` (a literal) says.
  explicit Span(const char* name, double* sum = nullptr, const char* unit = nullptr, int64_t count = 0);
  ~Span() { end(); }
  Span(const Span&) = delete;
  Span& operator=(const Span&) = delete;
  void end();

 private:
  using Clock = std::chrono::steady_clock;
  const char* name_;
  double* sum_;
  const char* unit_;
  int64_t count_;
  bool open_;
  Clock::time_point start_;
};

}  // namespace kernels
