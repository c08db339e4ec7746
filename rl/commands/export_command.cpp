// `ponder export`: a model folder for other tools.
#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>

#include "kernels/error.h"
#include "model/files/atomic_folder.h"
#include "model/files/checkpoint_folder.h"
#include "model/files/folder_files.h"
#include "model/files/folder_tensors.h"
#include "model/files/write_folder.h"
#include "model/lora/merge.h"
#include "rl/commands/commands.h"
#include "rl/commands/export_card.h"
#include "rl/commands/export_source.h"
#include "rl/commands/output_folder.h"
#include "rl/report/terminal.h"

namespace rl {
namespace {

namespace fs = std::filesystem;

// How a tensor that is stored as `stored` is written.
std::string written_type(const std::string& dtype, const std::string& stored, bool compute_float32) {
  if (dtype == "float32" || (dtype == "bf16" && compute_float32)) return "F32";
  if (dtype == "bf16") return "BF16";
  return stored == "F64" ? "F32" : stored.rfind("F8", 0) == 0 ? "BF16" : stored;
}

// The word of config.json: empty where it need not change.
std::string config_dtype(const std::string& dtype, const std::map<std::string, int64_t>& bytes, bool converted) {
  if (dtype == "float32") return "float32";
  if (dtype == "bf16") return "bfloat16";
  if (!converted) return "";
  const auto most = std::max_element(bytes.begin(), bytes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most->first == "BF16" ? "bfloat16" : most->first == "F16" ? "float16" : "float32";
}

struct Plan {
  std::vector<model::StreamedTensor> tensors;
  std::map<std::string, int64_t> bytes;  // by type
  int64_t total = 0;
  std::string dtype;  // of config.json
};

// `adapter`: to be merged; or null.
Plan plan_tensors(model::FolderTensors& folder, const model::ParameterList& list, const std::string& dtype,
                  const model::Adapter* adapter) {
  Plan plan;
  bool converted = false;
  const auto readers = folder.readers(list);
  for (size_t i = 0; i < readers.size(); ++i) {
    const model::Parameter& p = list.parameters()[i];
    const std::string& stored = folder.dtype_of(list.config(), p);
    const std::string type = written_type(dtype, stored, p.compute_float32);
    converted |= type != stored;
    const kernels::ReadRun read = adapter ? model::merged(readers[i], p, *adapter) : readers[i];
    for (auto& tensor : model::tensors_of(list.config(), p, type, read)) {
      plan.bytes[type] += tensor.bytes;
      plan.total += tensor.bytes;
      plan.tensors.push_back(std::move(tensor));
    }
  }
  plan.dtype = config_dtype(dtype, plan.bytes, converted);
  return plan;
}

std::string types_in_words(const std::map<std::string, int64_t>& bytes) {
  std::string words;
  for (const auto& [type, unused] : bytes) words += (words.empty() ? "" : " and ") + type;
  return words;
}

// Those of the base; where an adapter brings its tokenizer and template, these instead.
model::SourceFiles source_files(const model::ModelPlace& place) {
  model::SourceFiles files = model::read_source_files(place.base);
  if (place.texts() != place.base)
    for (auto& [name, text] : model::read_source_files(place.texts()).texts) files.texts[name] = text;
  return files;
}

void check_space(const std::string& folder, int64_t needed) {
  std::error_code error;
  const auto space = fs::space(folder, error);
  if (!error && static_cast<int64_t>(space.available) < needed)
    kernels::fail("{}: the disk has {} MB free, but the model needs {} MB. Free some space, or export to another disk.", folder,
                  space.available / 1'000'000, (needed + 999'999) / 1'000'000);
}

}  // namespace

int run_export(const ExportOptions& options) {
  ExportSource source = find_model(options.model, options.best);
  if (!options.run.empty()) {
    if (!fs::exists(fs::path(options.run) / "config.toml"))
      kernels::fail_usage("--run {}: has no config.toml: it is no folder of a run.", options.run);
    source.run = options.run;
  }
  const model::ModelPlace place = model::find_model_place(source.model, options.base);
  for (const std::string& from : {place.base, place.adapter})
    if (!from.empty() && fs::exists(options.out) && fs::equivalent(options.out, from))
      kernels::fail_usage("{}: is the model itself. Give another folder.", options.out);
  check_output_folder(options.out, options.force);
  const model::ModelConfig config = model::read_config(place.base);
  const auto tokenizer = model::Tokenizer::from_directory(place.texts());
  const model::ParameterList list(config);
  model::FolderTensors weights(place.base);
  std::optional<model::Adapter> adapter;
  if (!place.adapter.empty()) adapter = model::read_adapter(place.adapter, config);
  const Plan plan = plan_tensors(weights, list, options.dtype, adapter ? &*adapter : nullptr);
  const std::string types = types_in_words(plan.bytes);

  model::AtomicFolder folder(options.out);
  const std::string& out = folder.temporary();
  check_space(out, plan.total + (int64_t{64} << 20));
  const int64_t shard_bytes = options.shard_mb * 1'000'000;
  model::write_shards(out, plan.tensors, shard_bytes);
  model::write_folder_files(out, config, plan.dtype, *tokenizer, "", source_files(place));
  const std::string title = fs::path(folder.path()).filename().string();
  model::write_file_atomically(out + "/README.md",
                               model_card({title, place.base, source.run, config.family, types, list.size()}));
  folder.commit();
  const int64_t files = model::count_shards(plan.tensors, shard_bytes);
  fmt::print("{}: {}, {} parameters, {} tensors in {}, {:.1f} MB in {} file{}, from {}{}\n", options.out, config.family,
             count_text(static_cast<double>(list.size())), plan.tensors.size(), types, static_cast<double>(plan.total) / 1e6, files,
             files == 1 ? "" : "s", place.adapter.empty() ? place.base : place.adapter + " merged into " + place.base,
             source.run.empty() ? "" : " of the run " + source.run);
  if (model::read_text_file(options.out + "/README.md").find("unknown: fill in") != std::string::npos)
    fmt::print("README.md says \"unknown: fill in\" where nothing told: complete it before you share the model.\n");
  return 0;
}

}  // namespace rl
