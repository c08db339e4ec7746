#include "rl/run_folder.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "rl/checkpoint.h"
#include "rl/checkpoint_folders.h"
#include "tests/rl/commands/folders.h"
#include "tests/support/catch.h"

namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

// What another process is told that wants the folder; empty: it gets it.
std::string told_to_another(const std::string& directory) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    const std::string said = testing::usage_error([&] { const rl::RunFolder folder(directory, false); });
    (void)!write(ends[1], said.data(), said.size());
    _exit(0);
  }
  close(ends[1]);
  std::string said(1000, ' ');
  said.resize(static_cast<size_t>(std::max<ssize_t>(0, read(ends[0], said.data(), said.size()))));
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return said == "no error" ? "" : said;
}

void put_checkpoint(const testing::Folder& run, int64_t step) {
  run.put(fmt::format("checkpoints/step-{:06d}/trainer/state.json", step), "{}");
}

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a run's folder belongs to one process, which the next one names", "[run_folder]") {
  const testing::Folder folder;
  const std::string run = folder / "run";
  {
    const rl::RunFolder mine(run + "/", true);
    CHECK_THAT(told_to_another(run), Contains(fmt::format("another ponder (process {}) runs in this folder", getpid())));
  }
  CHECK(names_in(run).empty());
  CHECK(told_to_another(run).empty());
  folder.put("run/.lock", "");  // of a process that was killed
  CHECK(told_to_another(run).empty());
}

TEST_CASE("an earlier run moves aside, and what takes its place is locked too", "[run_folder]") {
  const testing::Folder folder;
  const std::string run = folder / "run";
  folder.put("run/metrics.jsonl", "first");
  {
    const rl::RunFolder mine(run, true);
    CHECK(folder.text("run.1/metrics.jsonl") == "first");
    CHECK(names_in(folder / "run.1") == Names{"metrics.jsonl"});
    CHECK_THAT(told_to_another(run), Contains("another ponder"));
    folder.put("run/metrics.jsonl", "second");
  }
  { const rl::RunFolder resumed(run, false); }
  CHECK(folder.text("run/metrics.jsonl") == "second");
  { const rl::RunFolder third(run, true); }
  CHECK(folder.text("run.2/metrics.jsonl") == "second");
}

TEST_CASE("a run in a folder that cannot be renamed moves into a subfolder", "[run_folder]") {
  const testing::Folder folder;
  const std::string run = folder / "run";
  for (int i = 1; i <= 2; ++i) {
    folder.put("run/metrics.jsonl", fmt::format("run {}", i));
    folder.put("run/checkpoints/step-000001/config.json", "");
    folder.put("run/.lock", "");
    CHECK(rl::move_contents_aside(run) == fmt::format("{}/earlier.{}", run, i));
  }
  CHECK(names_in(run) == Names{".lock", "earlier.1", "earlier.2"});
  CHECK(folder.text("run/earlier.1/metrics.jsonl") == "run 1");
  CHECK(names_in(run + "/earlier.2") == Names{"checkpoints", "metrics.jsonl"});
}

TEST_CASE("after going on from an earlier checkpoint the later ones no longer pass for the newest", "[run_folder]") {
  const testing::Folder run;
  for (const int64_t step : {14, 15, 16, 17, 18}) put_checkpoint(run, step);
  run.put("checkpoints/.step-000019.partial/model.safetensors", "");
  run.put("checkpoints/abandoned-step-000018/config.json", "of another time");
  CHECK(rl::newest_checkpoint(run / "") == rl::checkpoint_path(run / "", 18));
  const auto abandoned = rl::abandon_later_checkpoints(run / "", 14, rl::checkpoint_path(run / "", 14));
  CHECK(abandoned.size() == 4);
  CHECK(fs::path(abandoned.back()).filename() == "abandoned-step-000018.1");
  CHECK(rl::newest_checkpoint(run / "") == rl::checkpoint_path(run / "", 14));
  CHECK(!fs::exists(run / "checkpoints/.step-000019.partial"));
  CHECK(run.text("checkpoints/abandoned-step-000018/config.json") == "of another time");

  // From a copy elsewhere: the folder's own checkpoint of that step is of another way too.
  CHECK(rl::abandon_later_checkpoints(run / "", 14, run / "elsewhere").size() == 1);
  CHECK(!rl::newest_checkpoint(run / ""));
}

TEST_CASE("old checkpoints go by their numbers, and never the one just saved", "[run_folder]") {
  const testing::Folder run;
  for (const int64_t step : {999998, 999999, 1000000, 1000001}) put_checkpoint(run, step);
  rl::delete_old_checkpoints(run / "", 2, rl::checkpoint_path(run / "", 999998));
  CHECK(names_in(run / "checkpoints") == Names{"step-1000000", "step-1000001", "step-999998"});
  CHECK(rl::newest_checkpoint(run / "") == rl::checkpoint_path(run / "", 1000001));
}

TEST_CASE("models are saved with the chat template of the stage's first data set", "[run_folder]") {
  rl::StageConfig stage;
  stage.chat_template.style = "plain";
  rl::DatasetConfig set;
  set.chat_template.style = "chatml";
  stage.datasets = {set};
  CHECK(rl::saved_chat_template(stage) == model::chat_template_of(set.chat_template));
  CHECK(rl::saved_chat_template(stage) != model::chat_template_of(stage.chat_template));
}
