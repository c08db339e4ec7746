// From "start this program" to the program's first instruction: what the processes of one job do to themselves.
//
// Compiled twice: into the launcher, whose rooms start native programs, and into a shared object that the Python zygote loads.
// So it needs the C library only, and speaks C types.
//
// A job is two processes. The first is process 1 of the job's own pid namespace and runs nothing but this code; when it ends,
// the kernel ends all others. The second drops every right and becomes the program. In order:
//   jail_serve(socket)  waits for a StartRequest, clones process 1, and returns in it with the work folder made and filled
//   fork
//   jail_guard(child)   in process 1: reaps until the child has ended, reports, ends
//   jail_drop()         in the child: descriptors, session, limits, user, capabilities, Landlock, system call filter
//
// Whatever fails before the walls stand is reported as a Report of kind `failed`; the program has then not run at all. The
// socket and the filter are descriptors `room_socket` and `room_filter` of a room.
#pragma once

#include <stdint.h>

namespace reward::sandbox {

constexpr int room_socket = 3, room_filter = 4;

enum class Kind : int32_t { python, native, compile_cpp, self_check };

// One packet, with the descriptors of StartDescriptor in this order.
struct StartRequest {
  int64_t memory_bytes, folder_bytes, folder_files, cpu_seconds, processes;
  int64_t stack_bytes;
  int32_t limit_address_space;  // where no memory cgroup stands
  int32_t landlock, filter;     // 0: that wall was waived or is missing
  int32_t channel;              // descriptor 3 is the caller's
  uint32_t uid, gid;
  Kind kind;
};
// spec: the files (count; name, bytes each) and the arguments (count; bytes each), written as in wire.h.
enum StartDescriptor { fd_spec, fd_input, fd_output, fd_errors, fd_report, fd_channel, start_descriptors };

// What comes back on the room's socket, with a pidfd of process 1 when `error` is 0.
struct StartAnswer {
  int32_t error;
};

// What comes back on the report socket of the job.
struct Report {
  enum : int32_t { failed, started, ended } kind;
  int32_t error;        // failed: errno
  int32_t wait_status;  // ended: of the program
  int32_t folder_full;  // ended
  int64_t cpu_micros;   // ended: of all its processes that were reaped
  char step[64];        // failed: what was tried
};

extern "C" {
void jail_begin();                     // once a room: dies with its parent, reads the filter
int jail_serve();                      // returns 0, in process 1 of a job
[[noreturn]] void jail_guard(int child);
void jail_drop();
int jail_argument_count();
const char* jail_argument(int index);  // its bytes end with a zero; the arguments of a program hold none
int jail_kind();
}

}  // namespace reward::sandbox
