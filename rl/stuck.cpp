#include "rl/stuck.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "rl/event_log.h"

namespace rl {
namespace {

// What takes longer is left behind.
void try_for(double seconds, std::function<void()> work) {
  std::packaged_task<void()> task(std::move(work));
  auto done = task.get_future();
  std::thread(std::move(task)).detach();
  done.wait_for(std::chrono::duration<double>(seconds));
}

}  // namespace

std::unique_ptr<kernels::Watchdog> watch_waits(const RunConfig& config) {
  if (config.wait_deadline_s == 0) return nullptr;
  const double patience = std::clamp(config.wait_deadline_s, 1.0, 10.0);
  const auto end = [patience, directory = config.output_dir](const std::string& what, const std::string& report) {
    const std::string file = (std::filesystem::path(directory) / "stuck.txt").string();
    try_for(patience, [=] {
      fmt::print(stderr, "\nponder: {}, longer than run.wait_deadline_s: the run ends here. What every thread does (also in {}):\n"
                 "{}Go on from the newest checkpoint with --resume auto.\n", what, file, report);
    });
    try_for(patience, [=] {
      std::ofstream(file) << what << '\n' << report;
      append_event(directory, "", 0, "stuck", what + "; see stuck.txt");
    });
    _exit(3);
  };
  return std::make_unique<kernels::Watchdog>(config.wait_deadline_s, end);
}

}  // namespace rl
