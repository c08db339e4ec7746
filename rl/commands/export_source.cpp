#include "rl/commands/export_source.h"

#include <filesystem>

#include "kernels/error.h"
#include "rl/best_checkpoint.h"
#include "rl/checkpoint_folders.h"

namespace rl {

namespace fs = std::filesystem;

std::string run_of(const std::string& model_folder) {
  fs::path folder = fs::absolute(model_folder).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  const fs::path above = folder.parent_path();
  const fs::path run = folder.filename() == "final" ? above : above.filename() == "checkpoints" ? above.parent_path() : fs::path();
  return !run.empty() && fs::exists(run / "config.toml") ? run.string() : "";
}

ExportSource find_model(const std::string& path, bool best) {
  const fs::path folder(path);
  if (!fs::is_directory(folder)) kernels::fail_usage("{}: is no folder. Give a model folder or a run folder.", path);
  if (best) {
    if (!read_best(path))
      kernels::fail_usage("{}: --best asks for checkpoints/best, but there is none. Give the folder of a run that had checkpoint.keep_best "
                          "set, or leave --best out.", path);
    return {best_folder(path), path};
  }
  // The file that is written last, of a model or of an adapter.
  const auto last_file = [](const fs::path& of) {
    return fs::exists(of / "config.json") ? of / "config.json" : of / "adapter_config.json";
  };
  if (fs::exists(last_file(folder))) return {path, run_of(path)};
  const auto checkpoint = newest_checkpoint(path);
  const fs::path last = last_file(folder / "final");
  // A finished run that went on and was stopped has a checkpoint after its final/.
  const auto written = [](const fs::path& file) { return fs::last_write_time(file); };
  if (fs::exists(last) && (!checkpoint || written(last) >= written(last_file(*checkpoint))))
    return {last.parent_path().string(), path};
  if (checkpoint) return {*checkpoint, path};
  kernels::fail_usage("{}: has no config.json, no final/ and no checkpoint: it is neither a model folder, nor an adapter, nor a "
                      "run.", path);
}

}  // namespace rl
