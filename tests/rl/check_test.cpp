#include "rl/check.h"

#include <chrono>
#include <map>

#include "kernels/error.h"
#include "kernels/file_memory.h"
#include "rl/memory_plan.h"
#include "tests/support/catch.h"
#include "tests/support/source_dir.h"

namespace {

const std::string folder = testing::source_dir() + "/tests/rl/broken/";

// What `ponder check` says about a file, whether the reader or the check finds it.
std::string complaints(const std::string& file, const std::vector<std::string>& overrides = {}) {
  try {
    std::string all;
    for (const auto& line : rl::check_run(rl::read_config(file, overrides)).errors) all += (all.empty() ? "" : "\n") + line;
    return all;
  } catch (const kernels::UsageError& error) {
    return error.what();
  }
}

// A file whose only mistake is a sample count of one, mended: a good base for other cases.
std::string complaints_of(std::vector<std::string> overrides) {
  overrides.insert(overrides.begin(), "rollout.samples_per_prompt=4");
  return complaints(folder + "group_of_one.toml", overrides);
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("each of ten broken files gives one clear line, with its place, in under two seconds", "[check]") {
  const std::map<std::string, std::string> expected = {
      {"unknown_key", ":21: rollout.sample_per_prompt: unknown key. Did you mean samples_per_prompt?"},
      {"wrong_type", ":21: rollout.prompts_per_step: is \"many\", which is text, but this key takes an integer."},
      {"group_of_one", ":21: rollout.samples_per_prompt: is 1, but GRPO compares completions"},
      {"missing_file", ":17: data.train: tests/rl/broken/no_such_file.jsonl: the data file cannot be read."},
      {"missing_data_key",
       ":17: data.train: tests/rl/broken/problems.jsonl:1: has no key \"problem\"; its keys are: question, answer."},
      {"budget_too_small", ":4: run.memory_mb: is 100, but stage grpo needs "},
      {"unknown_reward", ":21: reward: reward \"exactt\": unknown. Did you mean exact?"},
      {"template_mismatch", ":22: template.style: is chatml, but the tokenizer has no token <|im_start|>."},
      {"negative_value", ":22: optimizer.lr: is -0.001, but must be above 0."},
      {"conflicting_keys", ":23: loss.constant_length: is 32, but loss.aggregation is \"token_mean\""},
  };
  for (const auto& [name, line] : expected) {
    const auto start = std::chrono::steady_clock::now();
    const std::string said = complaints(folder + name + ".toml");
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    INFO(name << ": " << said);
    CHECK(said.rfind(folder + name + ".toml" + line, 0) == 0);
    CHECK(!contains(said, "\n"));
    CHECK(took.count() < 2.0);
  }
}

TEST_CASE("the shipped quickstart passes the check and its report names the numbers of a step", "[check]") {
  const auto result = rl::check_run(rl::read_config(testing::source_dir() + "/configs/quickstart.toml"));
  REQUIRE(result.errors.empty());
  REQUIRE(result.warnings.empty());
  // 32 prompts of 8 samples are 256; 256 * 33 new tokens = 8448.
  REQUIRE(contains(result.report, "32 prompts x 8 samples = 256, 1 update, at most 8448 new tokens"));
  REQUIRE(contains(result.report, "ratio clipped to [0.8, 1.28]"));
  REQUIRE(contains(result.report, "+1 exact [only if format > 0]"));
  // Five digits and five signs: a prompt of 10 characters.
  REQUIRE(contains(result.report, "longest 10 tokens"));
}

TEST_CASE("prompts and completions that do not fit the model are refused", "[check]") {
  REQUIRE(complaints_of({}).empty());
  REQUIRE(contains(complaints_of({"rollout.max_new_tokens=200"}),
                   "16 prompt tokens and 200 new ones make 216, but the model has 128 positions"));
  REQUIRE(contains(complaints_of({"data.max_prompt_tokens=9", "data.overlong_prompt=error"}),
                   "data.max_prompt_tokens: is 9, but 256 of 256 prompts are longer, up to 10 tokens. Raise it to 10"));
  REQUIRE(contains(complaints_of({"data.train=generator:countdown"}), "template.style: "));  // letters are not in the alphabet
  REQUIRE(contains(complaints_of({"run.device=cuda"}),
                   "--set run.device=cuda: run.device: is \"cuda\", but this build has no CUDA"));
  REQUIRE(contains(complaints_of({"model.heads=3", "model.key_heads=2"}), "model: "));
  REQUIRE(contains(complaints_of({"checkpoint.resume=nowhere"}), "checkpoint.resume: is \"nowhere\", which is not a folder"));
}

TEST_CASE("a length reward that measures against another length than the rollout's is pointed out", "[check]") {
  const auto warned = [](std::vector<std::string> overrides) {
    overrides.insert(overrides.begin(), {"rollout.samples_per_prompt=4", "rollout.max_new_tokens=24"});
    std::string all;
    for (const auto& line : rl::check_run(rl::read_config(folder + "group_of_one.toml", overrides)).warnings) all += line + "\n";
    return all;
  };
  REQUIRE(contains(warned({"reward.exact.name=cosine", "reward.cosine.of=exact", "reward.cosine.max_tokens=30"}),
                   "reward: cosine: max_tokens is 30, but completions end at rollout.max_new_tokens = 24. Set max_tokens = 24."));
  REQUIRE(contains(warned({"reward.exact.name=overlong", "reward.overlong.cache_tokens=8", "reward.overlong.max_tokens=100"}), "overlong: max_tokens is 100"));
  REQUIRE(warned({"reward.exact.name=overlong", "reward.overlong.cache_tokens=8", "reward.overlong.max_tokens=24"}).empty());
  REQUIRE(warned({"reward.exact.name=overlong", "reward.overlong.cache_tokens=8"}).empty());  // left out: the rollout's
}

TEST_CASE("an sft stage needs completions in its data", "[check]") {
  const std::string said =
      complaints_of({"data.train=tests/rl/broken/problems.jsonl", "stage.grpo.kind=sft", "stage.0.steps=1"});
  REQUIRE(contains(said, "data.completion_key: row 1 of tests/rl/broken/problems.jsonl has no text under \"completion\""));
}

TEST_CASE("partial rollouts need groups to be left over, and staleness is said to be off-policy", "[check]") {
  CHECK(contains(complaints_of({"rollout.partial=true"}), "rollout.partial: is true, but rollout.overprovision is 1"));
  CHECK(complaints_of({"rollout.partial=true", "rollout.overprovision=1.5"}).empty());
  CHECK(contains(complaints_of({"rollout.max_staleness_steps=-1"}), "rollout.max_staleness_steps"));
  const auto report = [](std::vector<std::string> extra) {
    extra.insert(extra.begin(), "rollout.samples_per_prompt=4");
    return rl::check_run(rl::read_config(folder + "group_of_one.toml", extra)).report;
  };
  CHECK_FALSE(contains(report({}), "off-policy"));
  const std::string ahead = report({"rollout.max_staleness_steps=2"});
  CHECK(contains(ahead, "2 steps ahead: 2 more copies of the weights"));
  CHECK(contains(ahead, "updates are off-policy: the ratio is to the log-probabilities of the weights that drew a token"));
  CHECK(contains(ahead, "older weights"));
  CHECK(contains(report({"rollout.max_staleness_steps=1", "correction.mode=truncate", "correction.old_logprobs=recompute"}),
                 "correction.mode = \"truncate\" weighs"));
}

TEST_CASE("the memory plan counts parameters, and sixteen bytes and the packed weights of each", "[memory]") {
  const auto config =
      rl::read_config(folder + "group_of_one.toml", {"rollout.samples_per_prompt=4", "model.compute_dtype=float32"});
  const auto plan = rl::plan_memory(config);
  // Embedding and head 2 * 18 * 32 = 1152; attention 4 * 32 * 32 = 4096; feed-forward 3 * 32 * 64 = 6144; three norms of 32.
  REQUIRE(plan.parameters == 1152 + 4096 + 6144 + 96);
  REQUIRE(plan.master == 4 * plan.parameters);
  REQUIRE(plan.gradient == 4 * plan.parameters);
  REQUIRE(plan.moments == 8 * plan.parameters);
  REQUIRE(plan.weights == 4 * plan.parameters);
  REQUIRE(plan.reference == 0);
  // Keys and values of two heads of 16 in one layer, float32: 2 * 32 * 4 = 256 bytes a token.
  REQUIRE(plan.cache_bytes_per_token == 256);
  // 32 prompts x 4 samples at 16 + 32 tokens.
  REQUIRE(plan.wanted_cache_tokens == 128 * 48);
  REQUIRE(plan.cache == 128 * 48 * 256);
  // 32 groups of 16 + 4 * 32 = 144 rows are 4608, below the limit of 16384.
  REQUIRE(plan.microbatch_rows == 4608);
  REQUIRE(plan.error.empty());
}

TEST_CASE("short of memory, micro-batches shrink to one group first, then as few blocks as fit run again", "[memory]") {
  // Groups of 64 + 8 * 128 = 1,088 rows; a step of 8 of them is more than the 4,096 rows that a micro-batch may have.
  const auto with = [](int64_t megabytes) {
    return rl::plan_memory(rl::read_config(folder + "group_of_one.toml",
        {"rollout.samples_per_prompt=8", "rollout.prompts_per_step=8", "rollout.max_new_tokens=128", "data.max_prompt_tokens=64",
         "model.max_positions=256", "model.layers=24", "optimizer.max_tokens_per_microbatch=4096",
         "run.memory_mb=" + std::to_string(megabytes)}));
  };
  const auto wide = with(2000), cut = with(270), tight = with(180), impossible = with(162);
  CHECK(wide.microbatch_rows == 4096);
  CHECK(wide.recomputed_blocks == 0);
  CHECK(cut.microbatch_rows < 4096);
  CHECK(cut.microbatch_rows >= 1088);
  CHECK(cut.recomputed_blocks == 0);
  CHECK(tight.microbatch_rows == 1088);
  CHECK(tight.recomputed_blocks > 0);
  CHECK(tight.recomputed_blocks < 24);
  for (const auto* plan : {&wide, &cut, &tight}) {
    CHECK(plan->error.empty());
    CHECK(plan->total() <= plan->budget);
  }
  CHECK_FALSE(impossible.error.empty());
}

TEST_CASE("masters and moments in files take a window of memory", "[memory]") {
  const auto with = [](const std::string& folder_of_state) {
    return rl::plan_memory(rl::read_config(folder + "group_of_one.toml",
        {"rollout.samples_per_prompt=4", "kl.coef=0.1", "model.layers=24", "model.width=512", "model.dense_width=1024", "run.threads=2",
         "model.offload_folder=" + folder_of_state}));
  };
  const auto inside = with(""), outside = with("/tmp");
  CHECK(inside.window == 0);
  CHECK(outside.master + outside.moments == 0);
  CHECK(outside.offloaded == 12 * outside.parameters);
  REQUIRE(outside.offloaded > kernels::file_memory_window(2));
  CHECK(outside.window == kernels::file_memory_window(2));
  CHECK(inside.fixed() - outside.fixed() == outside.offloaded - outside.window);
  CHECK(outside.reference == inside.reference);  // stays in memory
  // Short of memory, the folder is named where it would help.
  const auto little = [](const std::string& more) {
    return rl::plan_memory(rl::read_config(folder + "group_of_one.toml",
        {"rollout.samples_per_prompt=4", "model.layers=24", "model.width=512", "model.dense_width=1024",
         "model.offload_folder=" + more, "run.threads=2", "run.memory_mb=700"})).error;
  };
  CHECK(little("").find("set model.offload_folder") != std::string::npos);
  CHECK(little("/tmp") == "");
}

TEST_CASE("a reference policy costs its weights and masters again", "[memory]") {
  const auto plan =
      rl::plan_memory(rl::read_config(folder + "group_of_one.toml", {"rollout.samples_per_prompt=4", "kl.coef=0.1"}));
  REQUIRE(plan.reference == plan.weights + plan.master);
}

TEST_CASE("sampling ahead costs a copy of the weights a step, and cache and activations no longer take turns", "[memory]") {
  const auto with = [](std::vector<std::string> extra) {
    extra.insert(extra.begin(), "rollout.samples_per_prompt=4");
    return rl::plan_memory(rl::read_config(folder + "group_of_one.toml", extra));
  };
  const auto now = with({}), ahead = with({"rollout.max_staleness_steps=3"});
  CHECK(now.stale == 0);
  CHECK(ahead.stale == 3 * ahead.weights);
  CHECK(ahead.total() == now.fixed() + 3 * now.weights + now.cache + now.sampling + now.activations);
  CHECK(ahead.error.empty());
  // Short of memory the cache gives way to half of what is left, and micro-batches fit into the other half.
  const auto tight = with({"rollout.max_staleness_steps=1", "rollout.max_sequences=2000", "rollout.prompts_per_step=256",
                           "rollout.overprovision=2", "model.layers=24", "run.memory_mb=215"});
  CHECK(tight.error.empty());
  CHECK(tight.total() <= tight.budget);
  CHECK(tight.cache_tokens < tight.wanted_cache_tokens);
  CHECK(with({"rollout.max_staleness_steps=1", "run.memory_mb=161"}).error.find("lower rollout.max_staleness_steps") != std::string::npos);
}

TEST_CASE("a cache that does not fit beside the weights is refused, and blocks are recomputed before that", "[memory]") {
  const std::vector<std::string> good = {"rollout.samples_per_prompt=4", "run.memory_mb=250"};
  auto with = [&](std::vector<std::string> extra) {
    extra.insert(extra.begin(), good.begin(), good.end());
    return rl::plan_memory(rl::read_config(folder + "group_of_one.toml", extra));
  };
  REQUIRE(with({}).error.empty());
  const std::string crowded = with({"rollout.cache_mb=100"}).error;
  REQUIRE(crowded.find("rollout.cache_mb: is 100, but ") == 0);
  REQUIRE(crowded.find(" MB are left of run.memory_mb = 250.") != std::string::npos);
  REQUIRE(with({"model.layers=64", "model.max_positions=65536", "rollout.max_new_tokens=60000", "rollout.cache_mb=1",
                "run.memory_mb=60000"})
              .error.find("rollout.cache_mb: is 1, but one sequence of 60016 tokens needs ") == 0);
  REQUIRE(with({}).recomputed_blocks == 0);
  // All layers no longer fit as a whole; one block at a time does.
  const auto tight = with({"model.layers=24", "run.memory_mb=175"});
  REQUIRE(tight.recomputed_blocks > 0);
  REQUIRE(tight.error.empty());
  REQUIRE(!with({"model.layers=24", "run.memory_mb=175", "model.activation_checkpointing=off"}).error.empty());
}
