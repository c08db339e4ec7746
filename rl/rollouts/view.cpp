#include "rl/rollouts/view.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "rl/evaluation/statistics.h"
#include "rl/rollouts/token_table.h"

namespace rl {
namespace {

using Groups = std::vector<std::vector<DumpedSample>>;

std::string number(const std::optional<double>& value, const char* format) {
  return value ? fmt::format(fmt::runtime(format), *value) : "-";
}

// The group as one row a sample, the shown one marked.
std::string group_table(const std::vector<DumpedSample>& group, size_t shown) {
  std::string out = fmt::format("    {:>6} {:>8} {:>10} {:>7}  {:<8} {}\n", "sample", "reward", "advantage", "tokens", "finish", "answer");
  for (size_t i = 0; i < group.size(); ++i) {
    const DumpedSample& s = group[i];
    const std::string reward = s.reward ? fmt::format("{:.3f}", *s.reward) : s.status;
    out += fmt::format("  {} {:>6} {:>8} {:>10} {:>7}  {:<8} {}\n", i == shown ? ">" : " ", s.sample_index, reward,
                       number(s.advantage, "{:+.3f}"), s.tokens.size(), s.finish, printable(s.extracted));
  }
  return out;
}

std::string components(const DumpedSample& s) {
  std::string out;
  for (const auto& [name, value] : s.components) out += fmt::format("{}{} {:g}", out.empty() ? "" : ", ", name, value);
  return out;
}

// Mean log-probability of its tokens; the perplexity of what the policy chose.
double mean_logprob(const DumpedSample& s) { return mean(s.logprobs); }

}  // namespace

std::string step_list(const std::vector<DumpedStep>& steps) {
  std::string out = fmt::format("  {:<16} {:>6} {:>7} {:>8} {:>8} {:>8}\n", "stage", "step", "groups", "samples", "reward", "tokens");
  for (const DumpedStep& step : steps) {
    const Groups groups = read_samples(step);
    std::vector<double> rewards, lengths;
    for (const auto& group : groups)
      for (const auto& s : group) {
        if (s.reward) rewards.push_back(*s.reward);
        lengths.push_back(static_cast<double>(s.tokens.size()));
      }
    out += fmt::format("  {:<16} {:>6} {:>7} {:>8} {:>8.3f} {:>8.1f}\n", step.stage, step.step, groups.size(), lengths.size(), mean(rewards),
                       mean(lengths));
  }
  return out;
}

std::string sample_page(const std::vector<DumpedStep>& steps, const Groups& groups, const ViewPlace& place,
                        const model::Tokenizer* tokenizer, bool colour) {
  const auto& group = groups.at(place.group);
  const DumpedSample& s = group.at(place.sample);
  const DumpedStep& step = steps.at(place.step);
  std::string out = fmt::format("{} step {}   prompt {} of {}   sample {} of {}\n\n", step.stage, step.step, place.group + 1, groups.size(),
                                place.sample + 1, group.size());
  out += fmt::format("{}\n\ngold    {}\n{}\n", printable(s.prompt, true), printable(s.answer, true), group_table(group, place.sample));
  out += fmt::format("reward  {} ({}{}{})   advantage {}   mean log-probability {:.4f}\n", number(s.reward, "{:g}"), s.status,
                     s.reason.empty() ? "" : ", " + s.reason, s.components.empty() ? "" : ": " + components(s), number(s.advantage, "{:+.4f}"),
                     mean_logprob(s));
  if (!s.detail.empty()) out += fmt::format("        {}\n", printable(s.detail));
  const TokenView view{s.tokens, s.trained, s.logprobs, s.advantage, s.kept};
  if (place.table) return out + "\n" + token_table(view, tokenizer, static_cast<int64_t>(s.tokens.size()));
  return out + "\n" + (colour && tokenizer ? coloured_text(view, *tokenizer) : printable(s.text, true)) + "\n";
}

bool move(ViewPlace& place, const std::string& key, const std::vector<DumpedStep>& steps, const Groups& groups, bool* new_step) {
  const auto to = [](size_t& index, int by, size_t count) {
    if (by < 0 && index > 0) --index;
    if (by > 0 && index + 1 < count) ++index;
  };
  const auto extreme = [&](double sign) {
    double best = -1e300;
    for (size_t g = 0; g < groups.size(); ++g)
      for (size_t i = 0; i < groups[g].size(); ++i)
        if (const auto& reward = groups[g][i].reward; reward && sign * *reward > best) best = sign * *reward, place.group = g, place.sample = i;
  };
  const size_t group = place.group, step = place.step;
  if (key == "n" || key == "right") to(place.sample, 1, groups.at(place.group).size());
  else if (key == "p" || key == "left") to(place.sample, -1, groups.at(place.group).size());
  else if (key == "N" || key == "down") to(place.group, 1, groups.size());
  else if (key == "P" || key == "up") to(place.group, -1, groups.size());
  else if (key == "]") to(place.step, 1, steps.size());
  else if (key == "[") to(place.step, -1, steps.size());
  else if (key == "b") extreme(1);
  else if (key == "w") extreme(-1);
  else if (key == "t") place.table = !place.table;
  else return false;
  *new_step = place.step != step;
  if (*new_step) place.group = place.sample = 0;
  else if (place.group != group && key != "b" && key != "w") place.sample = 0;
  return true;
}

}  // namespace rl
