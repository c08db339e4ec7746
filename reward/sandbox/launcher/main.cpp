// The launcher: a small program of its own, started with an empty environment, that runs one job at a time for a trainer.
//
// The trainer is large, has many threads and holds what no program may see; this process holds nothing, so it may be cloned.
// It ends, and everything it started with it, when its socket to the trainer (descriptor 3) is closed: also by kill -9.
//   probe                   sends the list of walls and ends
//   serve PLAN SLOT         answers jobs by facts until the socket closes
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <string>

#include "reward/sandbox/launcher/probe.h"
#include "reward/sandbox/launcher/supervise.h"
#include "reward/sandbox/protocol.h"

namespace {

using namespace reward::sandbox;
constexpr int trainer = 3;

int serve(const std::string& plan, int64_t number) {
  Slot slot(decode_plan(plan), number);
  if (!send_message(trainer, "ready")) return 1;
  for (std::string bytes; receive_message(trainer, bytes, -1);) {
    const Job job = decode_job(bytes);
    if (!send_message(trainer, encode(slot.run(job, kind_of(job.runtime), trainer)))) break;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  close_range(trainer + 1, ~0u, 0);
  prctl(PR_SET_NAME, "ponder-sandbox");
  try {
    const std::string command = argc > 1 ? argv[1] : "";
    if (command == "probe") return send_message(trainer, encode(probe())) ? 0 : 1;
    if (command == "serve" && argc == 4) return serve(argv[2], std::atoll(argv[3]));
  } catch (const std::exception& error) {
    send_message(trainer, error.what());
  }
  return 1;
}
