// A deadline on every wait: who waits for something that may never come (a sample, a reward, a disk) says so by a Wait.
// When one passes the deadline, a report of all threads is made, so that a run that hung in the night says where.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace kernels {

// While it lives, the calling thread waits for `what`: "a sample", "the checkpoint to be written". Only for things that end
// by themselves soon; never around other Waits. Costs a lock and a copy of the text.
class Wait {
 public:
  explicit Wait(std::string what);
  ~Wait();
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;

 private:
  int64_t id_;
};

// Watches all Waits of the process while it lives. The first that takes longer than `seconds` is told to `on_late`, once, on
// a thread of the watchdog's own, with one line that names it and thread_report(). Time in which the whole process stood still
// (SIGSTOP, a paused container) does not count. One watchdog at a time.
class Watchdog {
 public:
  using OnLate = std::function<void(const std::string& what, const std::string& report)>;
  Watchdog(double seconds, OnLate on_late);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
};

// Every thread of the process: name, state as Linux tells it (R runs, S sleeps, D waits for a disk), processor seconds, what
// it waits for and since when, and its stack. Addresses of the program itself are for `addr2line -Cfe PROGRAM`.
std::string thread_report();

}  // namespace kernels
