#include "rl/report/report_samples.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "rl/evaluation/statistics.h"
#include "rl/report/line_chart.h"

namespace rl {
namespace {

using Groups = std::vector<std::vector<DumpedSample>>;

constexpr size_t kPromptsShown = 6, kSamplesShown = 4;

// Green for a positive advantage, red for a negative one, stronger the larger it is beside the step's largest.
std::string tint(const DumpedSample& s, double largest) {
  if (!s.advantage || *s.advantage == 0 || largest == 0) return "";
  const double strength = 8 + 24 * std::min(1.0, std::abs(*s.advantage) / largest);
  return fmt::format(" style=\"background:color-mix(in srgb,var(--{}) {:.0f}%,transparent)\"", *s.advantage > 0 ? "good" : "bad", strength);
}

std::string sample_figure(const DumpedSample& s, double largest) {
  const std::string reward = s.reward ? fmt::format("reward {:.3g}", *s.reward) : s.status;
  const std::string advantage = s.advantage ? fmt::format("advantage {:+.3g}", *s.advantage) : "not trained on";
  return fmt::format("<figure class=\"sample\"><figcaption><span class=\"badge {}\">{}</span> <span class=\"note\">{}, {} tokens, {}</span>"
                     "</figcaption><pre{}>{}</pre></figure>\n",
                     s.reward && *s.reward > 0 ? "good" : "bad", html_escaped(reward), advantage, s.tokens.size(), html_escaped(s.finish),
                     tint(s, largest), html_escaped(s.text));
}

// The samples of a group that tell most: best, worst, and those between, by advantage.
std::vector<const DumpedSample*> chosen(const std::vector<DumpedSample>& group) {
  std::vector<const DumpedSample*> all;
  for (const auto& s : group) all.push_back(&s);
  std::stable_sort(all.begin(), all.end(), [](auto* a, auto* b) { return a->advantage.value_or(0) > b->advantage.value_or(0); });
  if (all.size() <= kSamplesShown) return all;
  std::vector<const DumpedSample*> out;
  for (size_t i = 0; i < kSamplesShown; ++i) out.push_back(all[i * (all.size() - 1) / (kSamplesShown - 1)]);
  return out;
}

// Groups whose samples differ come first: they are what the step learned from.
std::vector<const std::vector<DumpedSample>*> most_telling(const Groups& groups) {
  const auto spread = [](const std::vector<DumpedSample>& group) {
    double low = 1e300, high = -1e300;
    for (const auto& s : group) low = std::min(low, s.advantage.value_or(0)), high = std::max(high, s.advantage.value_or(0));
    return high - low;
  };
  std::vector<const std::vector<DumpedSample>*> all;
  for (const auto& group : groups) all.push_back(&group);
  std::stable_sort(all.begin(), all.end(), [&](auto* a, auto* b) { return spread(*a) > spread(*b); });
  if (all.size() > kPromptsShown) all.resize(kPromptsShown);
  return all;
}

std::string component_table(const Groups& groups) {
  std::map<std::string, std::vector<double>> parts;
  for (const auto& group : groups)
    for (const auto& s : group)
      for (const auto& [name, value] : s.components) parts[name].push_back(value);
  if (parts.empty()) return "";
  std::string rows;
  for (const auto& [name, values] : parts) {
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    rows += fmt::format("<tr><td><code>{}</code></td><td>{:.3g}</td><td>{:.3g}</td><td>{:.3g}</td><td>{}</td></tr>\n", html_escaped(name),
                        mean(values), *low, *high, values.size());
  }
  return "<div class=\"scroll\"><table><thead><tr><th>reward</th><th>mean</th><th>least</th><th>most</th><th>completions</th></tr></thead>"
         "<tbody>\n" + rows + "</tbody></table></div>\n";
}

}  // namespace

std::string svg_histogram(const std::vector<double>& values, const std::string& unit) {
  if (values.empty()) return "";
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  const int bins = static_cast<int>(std::clamp(*most - *least + 1, 1.0, 24.0));
  const double low = *least, width = (*most - low + 1) / bins;
  std::vector<int64_t> counts(static_cast<size_t>(bins), 0);
  for (const double v : values) ++counts[std::min<size_t>(static_cast<size_t>(bins - 1), static_cast<size_t>((v - low) / width))];
  const double tallest = static_cast<double>(*std::max_element(counts.begin(), counts.end()));
  constexpr double kLeft = 8, kTop = 8, kWide = 344, kHigh = 120;
  std::string out = "<svg viewBox=\"0 0 360 150\" role=\"img\">";
  for (int b = 0; b < bins; ++b) {
    const double height = kHigh * static_cast<double>(counts[static_cast<size_t>(b)]) / tallest, step = kWide / bins;
    out += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"var(--s0)\"><title>{:.4g} to {:.4g}: {}</title></rect>",
                       kLeft + step * b + 0.5, kTop + kHigh - height, step - 1, height, low + width * b, low + width * (b + 1),
                       counts[static_cast<size_t>(b)]);
  }
  out += fmt::format("<text class=\"tick\" x=\"8\" y=\"145\">{:.4g}</text><text class=\"tick\" x=\"352\" y=\"145\" text-anchor=\"end\">{:.4g} {}</text>",
                     low, *most, html_escaped(unit));
  return out + "</svg>";
}

std::string samples_section(const Groups& groups, const std::string& stage, int64_t step) {
  if (groups.empty()) return "";
  std::vector<double> lengths;
  double largest = 0;
  for (const auto& group : groups)
    for (const auto& s : group) {
      lengths.push_back(static_cast<double>(s.tokens.size()));
      largest = std::max(largest, std::abs(s.advantage.value_or(0)));
    }
  std::string out = fmt::format("<section><h2>Samples <small>{}, step {}</small></h2>\n<figure class=\"chart narrow\"><figcaption>"
                                "Completion lengths <small>of {}</small></figcaption>{}</figure>\n{}",
                                html_escaped(stage), step, lengths.size(), svg_histogram(lengths, "tokens"), component_table(groups));
  const auto shown = most_telling(groups);
  for (const auto* group : shown) {
    out += fmt::format("<details{}><summary>{}</summary><p class=\"note\">gold <code>{}</code>, {} samples</p><div class=\"pair\">\n",
                       group == shown[0] ? " open" : "", html_escaped(group->at(0).prompt), html_escaped(group->at(0).answer), group->size());
    for (const DumpedSample* s : chosen(*group)) out += sample_figure(*s, largest);
    out += "</div></details>\n";
  }
  return out + "</section>\n";
}

namespace {

bool is_bad(const std::string& kind) {
  return kind == "alarm" || kind == "idle" || kind == "stuck" || kind == "step_not_taken" || kind.ends_with("failed") ||
         kind.ends_with("refused");
}

}  // namespace

std::string events_section(const std::vector<Event>& events) {
  if (events.empty()) return "";
  std::string rows;
  for (const Event& e : events)
    rows += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td{}>{}</td><td>{}</td></tr>\n", html_escaped(e.time), html_escaped(e.stage),
                        e.step, is_bad(e.kind) ? " class=\"bad\"" : "",
                        html_escaped(e.kind), html_escaped(e.text));
  return "<section><h2>Events</h2><div class=\"scroll\"><table><thead><tr><th>time (UTC)</th><th>stage</th><th>step</th><th>event</th>"
         "<th></th></tr></thead><tbody>\n" + rows + "</tbody></table></div></section>\n";
}

}  // namespace rl
