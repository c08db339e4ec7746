#include "rl/checkpoint_folders.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "kernels/error.h"

namespace rl {
namespace {

namespace fs = std::filesystem;

struct Found {
  int64_t step = 0;
  fs::path path;
};

std::optional<int64_t> step_of(const std::string& name) {
  constexpr std::string_view start = "step-";
  if (name.rfind(start, 0) != 0) return std::nullopt;
  int64_t step = 0;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + start.size(), end, step);
  if (error != std::errc() || stop != end) return std::nullopt;
  return step;
}

// Whole ones, oldest first.
std::vector<Found> checkpoints_of(const std::string& run_directory) {
  std::vector<Found> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(fs::path(run_directory) / "checkpoints", ignored)) {
    const auto step = step_of(entry.path().filename().string());
    if (step && fs::exists(entry.path() / "trainer" / "state.json", ignored)) found.push_back({*step, entry.path()});
  }
  std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.step < b.step; });
  return found;
}

fs::path abandoned_name(const fs::path& checkpoint) {
  const std::string name = "abandoned-" + checkpoint.filename().string();
  fs::path path = checkpoint.parent_path() / name;
  for (int i = 1; fs::exists(path); ++i) path = checkpoint.parent_path() / fmt::format("{}.{}", name, i);
  return path;
}

void remove_half_written(const std::string& run_directory) {
  std::error_code ignored;
  std::vector<fs::path> left;
  for (const auto& entry : fs::directory_iterator(fs::path(run_directory) / "checkpoints", ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.front() == '.' && name.find(".partial") != std::string::npos) left.push_back(entry.path());
  }
  for (const auto& path : left) fs::remove_all(path, ignored);
}

}  // namespace

std::string checkpoint_path(const std::string& run_directory, int64_t step) {
  return (fs::path(run_directory) / "checkpoints" / fmt::format("step-{:06d}", step)).string();
}

std::optional<std::string> newest_checkpoint(const std::string& run_directory) {
  const auto all = checkpoints_of(run_directory);
  if (all.empty()) return std::nullopt;
  return all.back().path.string();
}

void delete_old_checkpoints(const std::string& run_directory, int64_t keep_last, const std::string& just_saved) {
  std::error_code ignored;
  const auto all = checkpoints_of(run_directory);
  for (size_t i = 0; i + static_cast<size_t>(std::max<int64_t>(1, keep_last)) < all.size(); ++i)
    if (all[i].path != fs::path(just_saved)) fs::remove_all(all[i].path, ignored);
}

std::vector<std::string> abandon_later_checkpoints(const std::string& run_directory, int64_t step, const std::string& from) {
  std::vector<std::string> abandoned;
  std::error_code error;
  for (const auto& [own_step, path] : checkpoints_of(run_directory)) {
    if (own_step < step || (own_step == step && fs::equivalent(path, from, error))) continue;
    const fs::path name = abandoned_name(path);
    fs::rename(path, name, error);
    if (error)
      kernels::fail("{}: is later than {}, where the run goes on, and cannot be renamed to {}: {}. Move it away.", path.string(),
                    from, name.string(), error.message());
    abandoned.push_back(name.string());
  }
  remove_half_written(run_directory);
  return abandoned;
}

}  // namespace rl
