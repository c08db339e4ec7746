#include "rl/check.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <set>

#include "kernels/error.h"
#include "kernels/file_memory.h"
#include "model/lora/peft_targets.h"
#include "model/tokenizer/tokenizer.h"
#include "rl/commands/commands.h"
#include "rl/data/identity.h"
#include "rl/data/prompt_text.h"
#include "rl/data/test_sets.h"
#include "rl/dataset.h"
#include "rl/data/generators.h"
#include "rl/data/jsonl.h"
#include "rl/describe_stage.h"
#include "rl/memory_plan.h"
#include "rl/sft/end_token.h"
#include "rl/sft/rows.h"

namespace rl {
namespace {

// Prompts that are tokenised for their length: enough to be sure of the policy, and done in a moment.
constexpr int64_t prompts_looked_at = 2000;
constexpr int64_t generated_looked_at = 256;

// The problems of one of a stage's data sets.
struct SetRows {
  DatasetConfig set;
  std::vector<Problem> training, held_back;
};

class Check {
 public:
  explicit Check(const Config& config) : config_(config) {}

  CheckResult run() {
    check_device();
    check_model();
    for (const auto& stage : config_.stages) check_stage(stage);
    if (result_.errors.empty()) plan();
    return result_;
  }

 private:
  void error(const StageConfig* stage, const std::string& path, const std::string& what) {
    add(result_.errors, line_of(stage == nullptr ? "" : stage->name, path, what));
  }
  void warning(const StageConfig& stage, const std::string& path, const std::string& what) {
    add(result_.warnings, line_of(stage.name, path, what));
  }
  // A key of [data] or [template] is its [[dataset]]'s while one is looked at.
  std::string line_of(const std::string& stage, const std::string& path, const std::string& what) const {
    const bool of_set = set_name_ != "" && (path.rfind("data.", 0) == 0 || path.rfind("template.", 0) == 0);
    if (!of_set) return fmt::format("{}: {}: {}", place_of(config_, path, stage), path, what);
    return fmt::format("{}: dataset {}: {}: {}", place_of(config_, fmt::format("dataset.{}", set_index_), stage), set_name_,
                       path.substr(path.find('.') + 1), what);
  }
  static std::string report_key(const StageConfig& stage, const DatasetConfig& set) { return stage.name + "/" + set.name; }
  static void add(std::vector<std::string>& lines, const std::string& line) {
    if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(line);
  }

  void check_device() {
    if (config_.run.device == "cuda")
      error(nullptr, "run.device", "is \"cuda\", but this build has no CUDA kernels. Set it to \"auto\" or \"cpu\".");
    const std::string& resume = config_.checkpoint.resume;
    if (resume != "off" && resume != "auto" && !std::filesystem::is_directory(resume))
      error(nullptr, "checkpoint.resume",
            fmt::format("is \"{}\", which is not a folder. Write \"auto\", \"off\" or a checkpoint folder.", resume));
  }

  void check_model() {
    const ModelSettings& model = config_.model;
    const bool born = model.init == "random";
    const std::string key = born ? "model" : "model.path";
    if (!born && !std::filesystem::is_directory(model.path)) {
      error(nullptr, key,
            fmt::format("\"{}\" is not a folder. Give one with config.json and model.safetensors; "
                        "`./ponder fetch {}` brings it if it is a known model.",
                        model.path, std::filesystem::path(model.path).filename().string()));
      return;
    }
    try {
      sizes_ = model_sizes(config_);
      tokenizer_ = born ? model::Tokenizer::from_json(model::character_tokenizer_json(model.alphabet, model.special_tokens),
                                                      config_.file)
                        : model::Tokenizer::from_directory(model.path);
    } catch (const kernels::Error& failure) {
      error(nullptr, key, failure.what());
      return;
    }
    try {
      const std::string unread = model.lora.on() ? model::peft_problem(model::adapter_parameters(sizes_, model.lora)) : "";
      if (!unread.empty()) add(result_.warnings, line_of("", "model.lora_targets", unread));
    } catch (const kernels::Error& failure) {
      const std::string what = failure.what(), path = "model.lora_targets";
      error(nullptr, path, what.starts_with(path) ? what.substr(path.size() + 2) : what);
    }
    if (sizes_.eos_token_ids.empty())
      error(nullptr, key,
            "the model names no end token, so completions would end only by length. Add eos_token_id to its config.json.");
  }

  void check_stage(const StageConfig& stage) {
    std::vector<SetRows> all;
    for (const DatasetConfig& set : stage.sets()) {
      set_index_ = all.size(), set_name_ = set.name;
      all.push_back(check_set(stage, set));
    }
    set_name_ = "";
    check_rewards(stage, all);
    check_lengths(stage);
    const RolloutConfig& rollout = stage.rollout;
    if (stage.kind == "grpo" && stage.correction.truncation == "off" && (rollout.top_p < 1 || rollout.top_k > 0 || rollout.min_p > 0))
      warning(stage, "rollout.top_p",
              "top-p, top-k or min-p cut the distribution, but the loss uses the full one: samples are slightly "
              "off policy. The mean kept mass is logged. correction.truncation = \"keep_mask\" trains on the cut one.");
  }

  SetRows check_set(const StageConfig& whole, const DatasetConfig& set) {
    StageConfig stage = whole;  // as if the set were its only one
    stage.data = set.data, stage.chat_template = set.chat_template;
    stage.datasets.clear();
    SetRows rows{set, read(stage, "data.train", set.data.train, 0), read(stage, "data.eval", set.data.eval, set.data.eval_problems)};
    for (auto* problems : {&rows.training, &rows.held_back})
      for (Problem& problem : *problems) problem.dataset = set.name;
    const std::string key = report_key(stage, set);
    check_data(stage, rows.training, key);
    check_prompts(stage, rows.training, key);
    rows_[key] = std::count_if(rows.training.begin(), rows.training.end(), [](const Problem& p) { return !p.blank_completion; });
    if (stage.kind == "sft") check_completions(stage, rows, key);
    if (stage.kind == "sft") rows.training.clear();  // no reward scores them
    return rows;
  }

  // Reads every line of a file; a generator's first problems.
  std::vector<Problem> read(const StageConfig& stage, const std::string& path, const std::string& source, int64_t limit) {
    if (source.empty()) return {};
    try {
      if (find_generator(source) == nullptr) return read_jsonl(source, stage.data, limit);
      DataConfig data = stage.data;
      data.train = source;
      const auto dataset = open_dataset(data, static_cast<uint64_t>(config_.run.seed));
      std::vector<Problem> problems;
      for (int64_t i = 0; i < generated_looked_at; ++i) problems.push_back(dataset->problem(i));
      return problems;
    } catch (const kernels::Error& failure) {
      error(&stage, path, failure.what());
      return {};
    }
  }

  // What the problems themselves must not hold: test problems, and completions that claim to be another assistant.
  void check_data(const StageConfig& stage, const std::vector<Problem>& training, const std::string& key) {
    if (training.empty()) return;
    const DataFindings found = check_test_sets(stage.data, training);
    for (const auto& [path, what] : found.errors) error(&stage, path, what);
    for (const auto& [path, what] : found.warnings) warning(stage, path, what);
    test_set_reports_[key] = found.report;
    const std::string claims = stage.kind == "sft" ? identity_warning(stage.data, training) : "";
    if (!claims.empty()) warning(stage, "data.train", claims);
  }

  void check_prompts(const StageConfig& stage, const std::vector<Problem>& problems, const std::string& key) {
    if (tokenizer_ == nullptr || problems.empty()) return;
    model::TemplateConfig& chat = templates_[key] = stage.chat_template;
    std::string mismatch;
    try {
      model::resolve_template(chat, config_.model.path, "plain");
      mismatch = model::template_mismatch(chat, *tokenizer_);
    } catch (const kernels::Error& failure) {
      mismatch = failure.what();
    }
    if (!mismatch.empty()) {
      templates_.erase(key);
      if (const std::string told = "template.style: "; mismatch.rfind(told, 0) == 0) mismatch.erase(0, told.size());
      error(&stage, "template.style", mismatch);
      return;
    }
    const auto looked_at = std::min<int64_t>(prompts_looked_at, static_cast<int64_t>(problems.size()));
    int64_t longest = 0, overlong = 0;
    try {
      for (int64_t i = 0; i < looked_at; ++i) {
        const auto text = stage.kind == "grpo" ? prompt_text(chat, problems[i]) : model::render_prompt(chat, problems[i].question);
        const auto tokens = static_cast<int64_t>(tokenizer_->encode(text).size());
        longest = std::max(longest, tokens);
        overlong += tokens > stage.data.max_prompt_tokens;
      }
    } catch (const kernels::Error& failure) {
      error(&stage, "template.style", fmt::format("a prompt of {} cannot be tokenised: {}", stage.data.train, failure.what()));
      return;
    }
    prompt_reports_[key] = fmt::format("template {}; {} prompts looked at, longest {} tokens",
                                              model::describe_template(chat), looked_at, longest);
    if (overlong > 0) judge_overlong(stage, overlong, looked_at, longest);
  }

  void judge_overlong(const StageConfig& stage, int64_t overlong, int64_t looked_at, int64_t longest) {
    const std::string found = fmt::format("is {}, but {} of {} prompts are longer, up to {} tokens",
                                          stage.data.max_prompt_tokens, overlong, looked_at, longest);
    if (stage.data.overlong_prompt == "error" || (stage.data.overlong_prompt == "drop" && overlong == looked_at))
      error(&stage, "data.max_prompt_tokens",
            fmt::format("{}. Raise it to {}, or set data.overlong_prompt = \"truncate_left\".", found, longest));
    else
      warning(stage, "data.max_prompt_tokens",
              fmt::format("{}; they are {}.", found, stage.data.overlong_prompt == "drop" ? "dropped" : "cut at the left"));
  }

  // The rows of an sft stage as they will be trained, and of its held-back problems those that have a completion.
  void check_completions(const StageConfig& stage, const SetRows& rows, const std::string& key) {
    const auto found = templates_.find(key);
    if (tokenizer_ == nullptr || found == templates_.end()) return;
    StageConfig resolved = stage;
    resolved.chat_template = found->second;
    if (const std::string other = end_token_warning(found->second, *tokenizer_, stop_tokens()); !other.empty())
      warning(stage, "template.style", other);
    SftLook look = look_at(resolved, rows.training, "data.train");
    if (!look.fine) return;
    if (look.blank > 0)
      warning(stage, "data.train", fmt::format("{} of {} rows have an empty completion and are left out.", look.blank,
                                               look.rows + look.blank));
    if (look.rows == 0 && look.blank > 0)
      return error(&stage, "data.train", "every row has an empty completion, so there is nothing to learn.");
    if (look.left_out == look.rows)
      return error(&stage, "sft.max_tokens", fmt::format("is {}, but every row of {} that was looked at is longer, up to {} tokens. Raise it.",
                                                         stage.sft.max_tokens, stage.data.train, look.longest));
    if (look.left_out > 0)
      warning(stage, "data.train", fmt::format("{} of {} rows are too long (up to {} tokens) and left out; see data.max_prompt_tokens and "
                                               "sft.max_tokens.", look.left_out, look.rows, look.longest));
    std::string& report = sft_reports_[key];
    report = fmt::format("  rows: {} looked at, longest {} tokens, {:.0f} learnt tokens each in the mean ({})\n", look.rows, look.longest,
                         static_cast<double>(look.learnt) / static_cast<double>(look.rows - look.left_out), stage.sft.train_on);
    std::vector<Problem> answered = rows.held_back;
    std::erase_if(answered, [](const Problem& p) { return p.completion.empty(); });
    resolved.data.train = stage.data.eval;
    look = look_at(resolved, answered, "data.eval");
    if (!answered.empty()) report += fmt::format("  held-back loss: over {} rows of {}\n", look.rows - look.left_out, stage.data.eval);
  }

  struct SftLook {
    int64_t rows = 0, left_out = 0, longest = 0, learnt = 0;
    int64_t blank = 0;  // not among `rows`
    bool fine = true;
  };

  std::vector<int32_t> stop_tokens() const { return {sizes_.eos_token_ids.begin(), sizes_.eos_token_ids.end()}; }

  SftLook look_at(const StageConfig& stage, const std::vector<Problem>& problems, const char* path) {
    const SftTokenizer tokenizer(tokenizer_, stage, stop_tokens(), sizes_.max_positions);
    SftLook look;
    for (const auto& problem : problems) {
      if (look.rows == prompts_looked_at) break;
      if (problem.blank_completion) {
        ++look.blank;
        continue;
      }
      if (problem.completion.empty() && problem.messages.empty()) {
        error(&stage, "data.completion_key", fmt::format("row {} of {} has no text under \"{}\", which an sft stage learns. "
                                                         "Set the key that holds the completion.",
                                                         problem.prompt_id + 1, stage.data.train, stage.data.completion_key));
        look.fine = false;
        return look;
      }
      try {
        const auto row = tokenizer.sequence(problem);
        look.longest = std::max(look.longest, tokenizer.whole(problem).length());
        look.rows += 1, look.left_out += !row;
        look.learnt += row ? row->trained_tokens() : 0;
      } catch (const kernels::Error& failure) {
        error(&stage, path, failure.what());
        look.fine = false;
        return look;
      }
    }
    return look;
  }

  void check_rewards(const StageConfig& stage, const std::vector<SetRows>& all) {
    for (size_t r = 0; r < stage.rewards.size(); ++r) {
      const reward::Settings& settings = stage.rewards[r];
      const std::string place = place_of(config_, fmt::format("reward.{}", r), stage.name) + ": reward: ";
      std::unique_ptr<reward::Reward> made;
      try {
        made = reward::make_reward(settings);
      } catch (const reward::Error& failure) {
        add(result_.errors, place + failure.what());
        continue;
      }
      check_max_tokens(stage, settings);
      const std::string broken = made->self_test();
      if (!broken.empty()) add(result_.errors, fmt::format("{}{}: its self-test failed: {}", place, settings.name, broken));
      bool any_training = false, any_routed = false;
      for (const SetRows& rows : all) {
        set_index_ = static_cast<size_t>(&rows - all.data()), set_name_ = rows.set.name;
        const auto training = routed_to(settings, rows.training);
        any_training = any_training || !rows.training.empty();
        any_routed = any_routed || !training.empty();
        check_golds(stage, *made, rows.set.data.train, training);
        check_golds(stage, *made, rows.set.data.eval, routed_to(settings, rows.held_back));
      }
      set_name_ = "";
      if (any_training && !any_routed)
        add(result_.warnings, fmt::format("{}{}: its applies_to names no data source of {}, so it scores nothing; they are: {}.", place,
                                          settings.name, all.size() == 1 ? all[0].set.data.train : "the data sets", sources_of(all)));
    }
  }

  static std::vector<Problem> routed_to(const reward::Settings& settings, std::vector<Problem> problems) {
    std::erase_if(problems, [&](const Problem& problem) { return !reward::applies(settings, problem.data_source, problem.dataset); });
    return problems;
  }

  static std::string sources_of(const std::vector<SetRows>& all) {
    std::set<std::string> names;
    for (const auto& rows : all)
      for (const auto& problem : rows.training) names.insert(problem.data_source);
    return fmt::format("{}", fmt::join(names, ", ")).substr(0, 300);
  }

  // A length that completions cannot reach makes these two say less than they seem to.
  void check_max_tokens(const StageConfig& stage, const reward::Settings& settings) {
    if (settings.name != "cosine" && settings.name != "overlong") return;
    const std::string wanted = fmt::format("{}", stage.rollout.max_new_tokens);
    const auto given = std::find_if(settings.options.begin(), settings.options.end(), [](const auto& o) { return o.first == "max_tokens"; });
    if (given == settings.options.end() || given->second == wanted) return;
    warning(stage, "reward",
            fmt::format("{}: max_tokens is {}, but completions end at rollout.max_new_tokens = {}. Set max_tokens = {}.", settings.name,
                        given->second, wanted, wanted));
  }

  void check_golds(const StageConfig& stage, reward::Reward& reward, const std::string& source,
                   const std::vector<Problem>& problems) {
    int64_t unreadable = 0;
    std::string first;
    for (const auto& problem : problems) {
      const std::string why = reward.check_answer(problem.answer);
      if (why.empty()) continue;
      if (++unreadable == 1) first = fmt::format("row {}: {}", problem.prompt_id + 1, why);
    }
    if (unreadable == 0) return;
    const std::string what =
        fmt::format("{} cannot score {} of {} answers of {}; {}", reward.name(), unreadable, problems.size(), source, first);
    // A few odd rows leave their groups and are counted; more of them mean the wrong key or the wrong reward.
    if (unreadable * 100 > static_cast<int64_t>(problems.size())) error(&stage, "data.answer_key", what);
    else warning(stage, "data.answer_key", what);
  }

  void check_lengths(const StageConfig& stage) {
    if (stage.kind == "sft" && (stage.rewards.empty() || stage.eval_problems() == 0)) return;  // it samples nothing
    const int64_t completion = std::max(stage.rollout.max_new_tokens, stage.eval.max_new_tokens);
    if (tokenizer_ != nullptr && stage.max_prompt_tokens() + completion > sizes_.max_positions)
      error(&stage, "rollout.max_new_tokens",
            fmt::format("{} prompt tokens and {} new ones make {}, but the model has {} positions. Lower "
                        "data.max_prompt_tokens or this to fit.",
                        stage.max_prompt_tokens(), completion, stage.max_prompt_tokens() + completion,
                        sizes_.max_positions));
  }

  void plan() {
    const MemoryPlan plan = plan_memory(config_);
    const std::string& folder = config_.model.offload_folder;
    const std::string no_room = folder.empty() ? "" : kernels::file_memory_problem(folder, plan.offloaded);
    if (!no_room.empty()) error(nullptr, "model.offload_folder", no_room);
    const std::string risk = folder.empty() ? "" : kernels::file_memory_warning(folder);
    if (!risk.empty()) add(result_.warnings, line_of("", "model.offload_folder", risk));
    if (!plan.error.empty()) {
      const size_t colon = plan.error.find(": ");
      const auto stage =
          std::find_if(config_.stages.begin(), config_.stages.end(), [&](const auto& s) { return s.name == plan.stage; });
      error(&*stage, plan.error.substr(0, colon), plan.error.substr(colon + 2));
      return;
    }
    result_.report =
        fmt::format("run {}, seed {}, to {}\nmodel {}, {} layers, width {}, {:.2f}M parameters, {}\n", config_.run.name,
                    config_.run.seed, config_.run.output_dir, sizes_.family, sizes_.layers, sizes_.width,
                    static_cast<double>(plan.parameters) / 1e6, kernels::name_of(config_.model.compute_dtype));
    for (const auto& stage : config_.stages) {
      std::string data;
      for (size_t i = 0; i < stage.sets().size(); ++i) data += data_line(stage, i);
      result_.report += describe_stage(stage, data, rows_of(stage), config_.checkpoint.keep_best);
    }
    result_.report += memory_table(plan);
  }

  int64_t rows_of(const StageConfig& stage) const {
    int64_t rows = 0;
    for (const DatasetConfig& set : stage.sets()) rows += rows_.at(report_key(stage, set));
    return rows;
  }

  std::string data_line(const StageConfig& stage, size_t set) const {
    const DatasetConfig config = stage.sets().at(set);
    const std::string key = report_key(stage, config);
    std::string report = fmt::format("{}; {}\n  {}\n", config.data.train, prompt_reports_.at(key), test_set_reports_.at(key));
    if (stage.kind == "sft") report += sft_reports_.at(key);
    if (stage.datasets.empty()) return "  data: " + report;
    double total = 0;
    for (const auto& other : stage.datasets) total += other.weight;
    const auto rows = static_cast<double>(rows_.at(key));
    const double share = stage.epochs > 0 ? rows / static_cast<double>(rows_of(stage)) : config.weight / total;
    return fmt::format("  data {}, {:.1f} % of the draws, scored by {}: {}", config.name, 100 * share,
                       config.rewards.empty() ? "all rewards" : fmt::format("{}", fmt::join(config.rewards, ", ")), report);
  }

  const Config& config_;
  CheckResult result_;
  model::ModelConfig sizes_;
  std::shared_ptr<const model::Tokenizer> tokenizer_;  // null when the model cannot be read
  std::map<std::string, model::TemplateConfig> templates_;  // of data sets whose template fits, by report_key
  std::map<std::string, std::string> prompt_reports_, test_set_reports_, sft_reports_;  // the same
  std::map<std::string, int64_t> rows_;                                                 // of data.train, the same
  size_t set_index_ = 0;
  std::string set_name_;  // of the [[dataset]] that is looked at; empty: none
};

}  // namespace

CheckResult check_run(const Config& config) { return Check(config).run(); }

int run_check(const Config& config) {
  const CheckResult result = check_run(config);
  for (const auto& line : result.errors) fmt::print(stderr, "{}\n", line);
  for (const auto& line : result.warnings) fmt::print(stderr, "warning: {}\n", line);
  if (!result.errors.empty()) return 2;
  fmt::print("{}no mistakes found in {}\n", result.report, config.file);
  return 0;
}

}  // namespace rl
