// The cgroup of one slot: limits and counters of all its processes together, version 1 or 2.
//
// A room joins once, when it starts, and its jobs are born inside: moving a process costs the kernel milliseconds, a fork
// costs nothing. Limits are set anew before each job and counters are read before and after. Folders are named for the process
// that owns them, so that those of dead owners can be found and removed.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace reward::sandbox {

// One controller: where its folders can be made, or why nowhere.
struct Controller {
  bool usable = false;
  int version = 0;
  std::string base;    // the folder to make ours in
  std::string detail;  // how, or why not
};

// Looks in the mount table and makes a folder for a moment, to see. `mounts` and `groups` are /proc/self/mountinfo and
// /proc/self/cgroup.
Controller find_controller(const std::string& name, const std::string& mounts, const std::string& groups);
Controller find_controller(const std::string& name);

struct Counters {
  int64_t cpu_nanos = -1;  // -1: nothing counts it
  int64_t oom_kills = 0, refused_forks = 0;
};

class Cgroup {
 public:
  // `name` is one folder name, made in every usable controller of `memory` and `pids`. Removes folders of dead owners.
  Cgroup(const std::string& name, bool memory, bool pids);
  ~Cgroup();
  Cgroup(const Cgroup&) = delete;
  Cgroup& operator=(const Cgroup&) = delete;

  bool limits_memory() const { return !memory_.empty(); }
  bool limits_pids() const { return !pids_.empty(); }
  void add(pid_t process) const;  // throws Error
  void limit(int64_t memory_bytes, int64_t processes);
  Counters read() const;

 private:
  std::string make(const Controller& controller, const std::string& name);
  std::string memory_, pids_, cpu_;  // folders; empty: that controller is not used
  int memory_version_ = 0, pids_version_ = 0, cpu_version_ = 0;
  std::vector<std::string> folders_;
  int64_t memory_limit_ = -1, process_limit_ = -1;
};

// ponder-sandbox-<process>-<its start time>-<slot>; the start time tells a process from a later one of the same number.
std::string folder_name(pid_t owner, int64_t slot);

}  // namespace reward::sandbox
