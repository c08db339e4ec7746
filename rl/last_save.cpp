#include "rl/last_save.h"

#include <thread>

#include "kernels/error.h"
#include "rl/event_log.h"

namespace rl {

void save_with_patience(const Run& run, const std::string& what, const std::function<void()>& save) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const double most = run.config.run.wait_deadline_s;
  const bool asked_before = interrupted();
  for (bool told = false;; told = true) {
    try {
      save();
      return;
    } catch (const kernels::Error& error) {
      const bool given_up = interrupted() && !asked_before;
      if (given_up || (most > 0 && std::chrono::duration<double>(Clock::now() - start).count() > most)) throw;
      if (!told) {
        append_event(run.config.run.output_dir, run.config.stages.at(static_cast<size_t>(run.state.stage)).name, run.state.step, "save_failed",
                     error.what());
        fmt::print(stderr, "\nwarning: {} could not be saved: {}\nIt is kept in memory and tried again every two seconds{}; make room, or "
                   "press Ctrl-C to give it up.\n", what, error.what(), most > 0 ? fmt::format(" for {:.0f} s (run.wait_deadline_s)", most) : "");
      }
      std::this_thread::sleep_for(std::chrono::seconds(2));
    }
  }
}

}  // namespace rl
