// Runs one untrusted program at a time behind walls, and says what became of it. Any number of threads may call run().
//
// The program gets its files, its arguments and its input, and nothing else: no expected values, no environment, no network,
// no host files but a read-only runtime. What it prints comes back with a cap; comparing is the caller's work, outside.
//
// Each worker is a small launcher process (reward/sandbox/launcher/main.cpp) that keeps a room of namespaces ready
// (launcher/room.h) and in it a Python interpreter to fork from (launcher/zygote.py). A program is process 2 of its own pid
// namespace, has its own work folder /work (also /tmp and /dev/shm), the slot's user id and no rights; when it ends, or a limit
// is hit, all its processes end with it. Nothing is left on the host, also when this process is killed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace reward::sandbox {

// What became of a program. sandbox_error says nothing about the program and is never a score.
enum class Verdict {
  ok,             // ended by itself with exit code 0
  runtime_error,  // another exit code, or a signal of its own making
  timeout_wall, timeout_cpu,
  memory, output_limit, pids, file_limit,
  sandbox_error,
};
const char* name_of(Verdict verdict);

struct Limits {
  double wall_seconds = 10, cpu_seconds = 5;
  int64_t memory_mb = 512;         // of all its processes and its work folder together; of each process where no cgroup stands
  int64_t processes = 16;          // threads too
  int64_t work_folder_mb = 32, files = 256;
  int64_t output_bytes = 1 << 20;  // of stdout, stderr and the result channel, each
};

struct Job {
  enum class Runtime { python, native, compile_cpp } runtime = Runtime::python;
  // Name (no slash) and bytes, in the work folder. python runs main.py, native ./program; compile_cpp makes program of
  // main.cpp (C++20).
  std::vector<std::pair<std::string, std::string>> files;
  std::vector<std::string> arguments;  // of the program; compile_cpp: of g++, such as -O2
  std::string input;               // stdin
  bool result_channel = false;     // python: descriptor 3 is a pipe to the caller
  Limits limits;
};

struct Result {
  Verdict verdict = Verdict::sandbox_error;
  int exit_code = -1, signal = 0;
  std::string output, errors, channel;       // stdout, stderr, descriptor 3
  std::string program;                       // compile_cpp: the binary
  double wall_seconds = 0, cpu_seconds = 0;
  std::string detail;                        // of a sandbox_error: which wall or call, and why
};

// The walls, as this machine and user can raise them.
struct Wall {
  std::string name;    // "mount namespace", and so pid, network, ipc, uts, cgroup and user; "cgroup memory", "cgroup pids",
                       // "private root", "unprivileged uid", "capabilities dropped", "no new privileges", "seccomp",
                       // "landlock", "rlimits", "empty environment"
  bool stands = false, required = false;
  std::string detail;  // how, or why not
};
std::vector<Wall> probe_walls();              // takes milliseconds; tries each for real
std::string describe_walls(const std::vector<Wall>& walls);  // a table for people
// Throws reward::Error if a required wall does not stand and is not in `allow_missing`; it names them and the way out.
void require_walls(const std::vector<Wall>& walls, const std::vector<std::string>& allow_missing);

class Sandbox {
 public:
  // Throws reward::Error if a required wall is missing and is not in `allow_missing`. The walls are tried once a process.
  // Launchers start with the first job that needs them, so more workers than needed cost nothing.
  explicit Sandbox(int64_t workers, const std::vector<std::string>& allow_missing = {});
  ~Sandbox();  // no run() may be going on
  // Waits for a free worker. A sandbox_error is tried once more. Throws reward::Error for a job that its caller got wrong: no
  // main file, a file name with a slash, a limit that is not above 0.
  Result run(const Job& job);
 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace reward::sandbox
