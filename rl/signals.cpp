#include "rl/signals.h"

#include <unistd.h>

#include <atomic>
#include <csignal>

namespace rl {
namespace {

std::atomic<bool> stop_asked{false}, stop_asked_by_hand{false}, save_asked{false};

extern "C" void on_interrupt(int) {
  stop_asked = true;
  if (stop_asked_by_hand.exchange(true)) _exit(130);
  const char text[] = "\nponder: finishing this step, then saving. Once more to stop at once.\n";
  (void)!write(STDERR_FILENO, text, sizeof text - 1);
}

extern "C" void on_hang_up(int) { stop_asked = true; }
extern "C" void on_save_request(int) { save_asked = true; }
extern "C" void on_failed_write(int) {}  // and not SIG_IGN, which programs that the run starts would inherit

// Only the disk gives it here: memory that is mapped has no page behind it. The instruction then runs again, and ends the run.
extern "C" void on_bus_error(int) {
  const char text[] = "ponder: the disk did not give a page of a mapped file (SIGBUS): it is full or failing, or a model's file was cut. "
                      "With model.offload_folder, see that disk. Then go on with --resume auto.\n";
  (void)!write(STDERR_FILENO, text, sizeof text - 1);
}

void handle(int signal, void (*handler)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigaction(signal, &action, nullptr);
}

}  // namespace

void install_signal_handlers() {
  handle(SIGUSR1, on_save_request, SA_RESTART);
  handle(SIGPIPE, on_failed_write, SA_RESTART);
  handle(SIGXFSZ, on_failed_write, SA_RESTART);  // ulimit -f
  handle(SIGBUS, on_bus_error, SA_RESETHAND);
}

void install_interrupt_handlers() {
  handle(SIGINT, on_interrupt, 0);
  handle(SIGTERM, on_interrupt, 0);
  struct sigaction before {};
  sigaction(SIGHUP, nullptr, &before);
  if (before.sa_handler != SIG_IGN) handle(SIGHUP, on_hang_up, SA_RESTART);
}

bool interrupted() { return stop_asked.load(); }
bool interrupted_by_hand() { return stop_asked_by_hand.load(); }

bool take_save_request() { return save_asked.exchange(false); }

}  // namespace rl
