// Facts about a run -> the verdict word.
//
// Pure, and outside the walls. What a program prints can change the word among the bad ones only: never to ok, and never to
// sandbox_error, which would take it out of the scoring.
#pragma once

#include "reward/sandbox/protocol.h"

namespace reward::sandbox {

// First that holds:
//   facts.error                                             sandbox_error
//   the memory cgroup killed one of its processes           memory
//   stopped by the launcher                                 output_limit, timeout_cpu, timeout_wall
//   SIGXCPU, or more processor time than allowed            timeout_cpu
//   exit code 0                                             ok
//   SIGXFSZ                                                 file_limit
//   a fork was refused                                      pids
//   the work folder is full                                 file_limit
//   the last line of stderr names a limit that it hit       memory, pids, file_limit
//   else                                                    runtime_error
Verdict decide(const Facts& facts, const Limits& limits);

// Verdict, exit code or signal, and everything that is handed on.
Result to_result(Facts facts, const Limits& limits);

}  // namespace reward::sandbox
