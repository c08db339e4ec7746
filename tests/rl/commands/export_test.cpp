#include "rl/commands/export_source.h"

#include "model/files/checkpoint_folder.h"
#include "rl/commands/commands.h"
#include "rl/commands/output_folder.h"
#include "tests/rl/commands/folders.h"
#include "tests/support/catch.h"

using Catch::Matchers::Contains;
using testing::contents;
using testing::Folder;
using testing::usage_error;

namespace {

void init(const Folder& folder, const std::string& name, const std::string& more = "") {
  rl::run_init(folder.put("sizes.toml", testing::sizes_toml(more)), folder / name, {});
}

std::vector<float> weights(const std::string& directory) {
  model::ParameterStore store(model::read_config(directory), false);
  model::read_weights(directory, store);
  return {kernels::f32(store.master), kernels::f32(store.master) + store.size()};
}

}  // namespace

TEST_CASE("an export as-is differs from the model by its card only, and exporting it again by nothing", "[export]") {
  const Folder folder;
  init(folder, "model");
  folder.put("model/special_tokens_map.json", "{ }");
  CHECK(rl::run_export({.model = folder / "model", .out = folder / "one"}) == 0);
  auto files = contents(folder / "one");
  CHECK(files.erase("README.md") == 1);
  CHECK(files == contents(folder / "model"));
  rl::run_export({.model = folder / "one", .out = folder / "again/one"});
  CHECK(contents(folder / "again/one") == contents(folder / "one"));
}

TEST_CASE("shards and one file hold the same weights", "[export]") {
  const Folder folder;
  // Two layers of three matrices of 1200 x 160 x 4 = 768,000 bytes: no two fit in 1,000,000, what is between them does.
  folder.put("sizes.toml", testing::sizes_toml("compute_dtype = \"float32\"\n"));
  rl::run_init(folder / "sizes.toml", folder / "large", {"model.width=160", "model.dense_width=1200"});
  rl::run_export({.model = folder / "large", .out = folder / "shards", .shard_mb = 1});
  const auto files = contents(folder / "shards");
  CHECK(files.contains("model.safetensors.index.json"));
  CHECK(files.contains("model-00001-of-00006.safetensors"));
  CHECK_FALSE(files.contains("model.safetensors"));
  CHECK(weights(folder / "shards") == weights(folder / "large"));
  rl::run_export({.model = folder / "shards", .out = folder / "single"});
  CHECK(contents(folder / "single")["model.safetensors"] == contents(folder / "large")["model.safetensors"]);
}

TEST_CASE("--dtype rounds once, keeps norms in float32, and config.json says it", "[export]") {
  const Folder folder;
  init(folder, "model", "compute_dtype = \"float32\"\n");
  rl::run_export({.model = folder / "model", .out = folder / "half", .dtype = "bf16"});
  const model::SafetensorsFile file(folder / "half/model.safetensors");
  CHECK(file.find("model.embed_tokens.weight")->dtype == "BF16");
  CHECK(file.find("model.norm.weight")->dtype == "F32");
  CHECK(folder.json("half/config.json")["dtype"] == "bfloat16");
  // What was rounded stays as it is: bf16 to float32 and back gives the same file.
  rl::run_export({.model = folder / "half", .out = folder / "wide", .dtype = "float32"});
  CHECK(weights(folder / "wide") == weights(folder / "half"));
  rl::run_export({.model = folder / "wide", .out = folder / "back", .dtype = "bf16"});
  CHECK(contents(folder / "back")["model.safetensors"] == contents(folder / "half")["model.safetensors"]);
}

TEST_CASE("a folder with something in it is left alone; --force replaces a model, and only a model", "[export]") {
  const Folder folder;
  init(folder, "model");
  const auto error = [&](const std::string& out, bool force) {
    return usage_error([&] { rl::run_export({.model = folder / "model", .out = folder / out, .force = force}); });
  };
  folder.put("notes/diary.txt", "dear diary");
  CHECK_THAT(error("notes", false), Contains("notes: is not empty. Give a new folder, or --force"));
  CHECK_THAT(error("notes", true), Contains("has no config.json: it is no model folder, and --force leaves it alone"));
  CHECK(folder.text("notes/diary.txt") == "dear diary");
  CHECK(error("out", false) == "no error");
  CHECK_THAT(error("out", false), Contains("out: is not empty"));
  folder.put("out/old.safetensors", "of an earlier export");
  CHECK(error("out", true) == "no error");
  CHECK_FALSE(contents(folder / "out").contains("old.safetensors"));
  folder.put("out/photo.jpg", "mine");
  CHECK_THAT(error("out", true), Contains("photo.jpg: is no part of a model that was exported"));
  std::filesystem::create_directories(folder / "model/sub");
  CHECK_THAT(error("model", true), Contains("model: is the model itself"));
  CHECK_THAT(error("sizes.toml", true), Contains("sizes.toml: is a file"));
}

TEST_CASE("a run means its final model, or its newest checkpoint when that is newer", "[export]") {
  const Folder folder;
  init(folder, "run/final");
  init(folder, "run/checkpoints/step-000007");
  init(folder, "other");
  folder.put("run/config.toml", "[run]\nseed = 3\n");
  folder.put("run/checkpoints/step-000007/trainer/state.json", "{}");
  const auto now = std::filesystem::file_time_type::clock::now();
  const auto age = [&](const std::string& file, int hours) {
    std::filesystem::last_write_time(folder / file, now - std::chrono::hours(hours));
  };
  const auto found = [&](const std::string& name) { return rl::find_model(folder / name); };
  age("run/final/config.json", 1), age("run/checkpoints/step-000007/config.json", 2);
  CHECK(found("run").model == folder / "run/final");
  CHECK(found("run").run == folder / "run");
  age("run/final/config.json", 3);
  CHECK(found("run").model == folder / "run/checkpoints/step-000007");
  CHECK(found("run/final").run == folder / "run");
  CHECK(found("run/checkpoints/step-000007/").run == folder / "run");
  CHECK(found("other").run == "");
  std::filesystem::create_directories(folder / "empty");
  CHECK_THAT(usage_error([&] { found("empty"); }), Contains("has no config.json, no final/ and no checkpoint"));
  CHECK_THAT(usage_error([&] { found("none"); }), Contains("none: is no folder"));
  CHECK_THAT(usage_error([&] { rl::run_export({.model = folder / "other", .out = folder / "x", .run = folder / "empty"}); }),
             Contains("--run") && Contains("has no config.toml"));
}
