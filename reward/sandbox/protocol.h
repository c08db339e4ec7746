// What the trainer and its launchers say to each other, over one stream socket a launcher.
//
// A message is its length in eight bytes and a row of wire.h. `serve`: the trainer sends jobs, each is answered by Facts.
// `probe`: the launcher sends one list of walls. Facts say what was seen; reward/sandbox/verdict.h makes a verdict of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reward/sandbox/sandbox.h"

namespace reward::sandbox {

// How the walls are raised on this machine, from a probe. Passed to launchers as text.
struct Plan {
  bool user = false, network = false, uts = false, cgroup = false;  // namespaces of a room; mount, pid and ipc are always there
  bool landlock = false, filter = false;
  bool memory_cgroup = false, pids_cgroup = false;
};
std::string encode(const Plan& plan);
Plan decode_plan(const std::string& text);

struct Facts {
  std::string error;         // not empty: a wall could not be raised, and nothing ran; all else is then meaningless
  enum class Stop { itself, wall, cpu, output } stop = Stop::itself;
  bool ended = false;        // its own end was seen, and wait_status is set
  int wait_status = 0;
  int64_t oom_kills = 0;     // of the memory cgroup
  int64_t refused_forks = 0; // of the pids cgroup
  bool folder_full = false;
  double wall_seconds = 0, cpu_seconds = 0;
  std::string output, errors, channel, program;
};

std::string encode(const Job& job);
Job decode_job(const std::string& bytes);
std::string encode(const Facts& facts);
Facts decode_facts(const std::string& bytes);
std::string encode(const std::vector<Wall>& walls);
std::vector<Wall> decode_walls(const std::string& bytes);

// One message. receive_message returns false when the other side is gone or `deadline_ms` (of the steady clock; < 0: none)
// has passed. send_message returns false when the other side is gone.
bool send_message(int socket, const std::string& bytes);
bool receive_message(int socket, std::string& bytes, int64_t deadline_ms);
int64_t now_ms();

}  // namespace reward::sandbox
