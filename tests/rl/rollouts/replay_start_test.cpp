#include "rl/rollouts/replay_start.h"

#include <filesystem>
#include <fstream>

#include "tests/support/catch.h"

namespace fs = std::filesystem;

namespace {

const fs::path run = fs::temp_directory_path() / "ponder_replay_start";

// After `step` steps of `stage`; the summary knows the lengths of the stages that have ended.
void checkpoint(int name, int stage, int step, const std::string& lengths) {
  const fs::path folder = run / "checkpoints" / ("step-" + std::to_string(name)) / "trainer";
  fs::create_directories(folder);
  std::ofstream(folder / "state.json") << R"({"stage": )" << stage << R"(, "step": )" << step << R"(, "summary": {"stages": [)"
                                       << lengths << "]}}";
}

std::string start_of(int64_t stage, int64_t step) {
  const auto start = rl::replay_start(rl::checkpoint_places(run.string()), stage, step);
  return start ? fs::path(start->checkpoint).filename().string() + (start->begins_stage ? " begins" : "") : "none";
}

}  // namespace

TEST_CASE("a stage's first step begins where the stage before it ended, early or by epochs", "[replay]") {
  fs::remove_all(run);
  checkpoint(1, 0, 7, R"({"steps": 0})");
  checkpoint(2, 0, 9, R"({"steps": 9})");
  checkpoint(3, 1, 1, R"({"steps": 9}, {"steps": 0})");
  CHECK(start_of(0, 1) == " begins");  // the model as the run began
  CHECK(start_of(0, 8) == "step-1");
  CHECK(start_of(1, 1) == "step-2 begins");
  CHECK(start_of(1, 2) == "step-3");
  CHECK(start_of(1, 3) == "none");
  fs::remove_all(run / "checkpoints" / "step-2");  // step 7 is not where the stage ended
  CHECK(start_of(1, 1) == "none");
}
