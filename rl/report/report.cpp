#include "rl/report/report.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>

#include "kernels/error.h"
#include "rl/report/line_chart.h"
#include "rl/report/report_costs.h"
#include "rl/report/report_samples.h"
#include "rl/report/report_style.h"
#include "rl/report/terminal.h"

namespace rl {
namespace {

std::string card(const std::string& label, const std::string& value, const std::string& note) {
  return fmt::format(
      "<div class=\"card\"><div class=\"label\">{}</div><div class=\"value\">{}</div><div class=\"note\">{}</div></div>\n",
      html_escaped(label), value, html_escaped(note));
}

std::string arrow(const std::string& before, const std::string& after) {
  return fmt::format("<span class=\"before\">{}</span> <span class=\"to\">→</span> {}", before, after);
}

std::string percent(double share) { return fmt::format("{:.1f}%", 100 * share); }

// The stage that a reader came for: the last one with an evaluation before and after.
const StageSummary* headline_stage(const RunSummary& summary) {
  const StageSummary* found = nullptr;
  for (const auto& stage : summary.stages) {
    if (stage.greedy_before && stage.greedy_after) found = &stage;
  }
  return found;
}

std::string cards(const RunSummary& summary, const std::vector<MetricsLine>& metrics) {
  std::string out = "<section class=\"cards\">\n";
  if (const StageSummary* stage = headline_stage(summary)) {
    const Evaluation &before = *stage->greedy_before, &after = *stage->greedy_after;
    out += card("Accuracy", arrow(percent(before.accuracy), percent(after.accuracy)),
                fmt::format("greedy, {} held-back problems, {}", after.problems, stage->name));
    out += card("Answer length", arrow(fmt::format("{:.1f}", before.mean_length), fmt::format("{:.1f}", after.mean_length)),
                "tokens, greedy, mean");
  }
  for (auto stage = summary.stages.rbegin(); stage != summary.stages.rend(); ++stage) {
    const std::vector<double> rewards = metric_of(metrics, stage->name, "reward");
    if (rewards.empty()) continue;
    out += card("Reward", arrow(fmt::format("{:.2f}", rewards.front()), fmt::format("{:.2f}", rewards.back())),
                fmt::format("first and last step of {}", stage->name));
    break;
  }
  int64_t tokens = 0;
  for (const auto& stage : summary.stages) tokens += stage.tokens;
  out += card("Time", duration_text(summary.seconds),
              fmt::format("{} trained tokens, {} MB at most", count_text(static_cast<double>(tokens)),
                          static_cast<int64_t>(summary.peak_memory_mb)));
  return out + "</section>\n";
}

std::string sample_box(const char* title, const ShownSample& sample) {
  const char* mark = sample.reward > 0 ? "good" : "bad";
  return fmt::format(
      "<figure class=\"sample\"><figcaption>{} <span class=\"badge {}\">reward {:.2f}</span> <span class=\"note\">{} "
      "tokens</span>"
      "</figcaption><pre>{}</pre></figure>\n",
      html_escaped(title), mark, sample.reward, sample.tokens, html_escaped(sample.completion));
}

std::string samples(const RunSummary& summary) {
  if (!summary.before && !summary.after) return "";
  const ShownSample& any = summary.before ? *summary.before : *summary.after;
  std::string out = "<section><h2>One problem, before and after</h2>\n";
  out += fmt::format(
      "<p class=\"prompt\"><b>Prompt</b></p><pre>{}</pre><p><b>True answer</b> <code>{}</code></p>\n<div class=\"pair\">\n",
      html_escaped(any.prompt), html_escaped(any.answer));
  if (summary.before) out += sample_box("Before", *summary.before);
  if (summary.after) out += sample_box("After", *summary.after);
  return out + "</div></section>\n";
}

std::string evaluation_cells(const std::optional<Evaluation>& before, const std::optional<Evaluation>& after) {
  const auto cell = [](const std::optional<Evaluation>& e, bool accuracy) {
    if (!e) return std::string("–");
    return accuracy ? fmt::format("{} <small>± {:.1f}</small>", percent(e->accuracy), 100 * e->standard_error)
                    : fmt::format("{:.1f}", e->mean_length);
  };
  return fmt::format("<td>{}</td><td>{}</td><td>{}</td><td>{}</td>", cell(before, true), cell(after, true), cell(before, false),
                     cell(after, false));
}

std::string stage_table(const RunSummary& summary) {
  std::string out =
      "<section><h2>Stages</h2><div class=\"scroll\"><table><thead><tr><th>stage</th><th>steps</th><th>trained "
      "tokens</th><th>time</th>"
      "<th>decoding</th><th>accuracy before</th><th>after</th><th>length before</th><th>after</th></tr></thead><tbody>\n";
  for (const auto& stage : summary.stages) {
    const bool sampled = stage.sampled_before || stage.sampled_after;
    out += fmt::format(
        "<tr><td{0}><b>{1}</b> <small>{2}</small></td><td{0}>{3}</td><td{0}>{4}</td><td{0}>{5}</td><td>greedy</td>{6}</tr>\n",
        sampled ? " rowspan=\"2\"" : "", html_escaped(stage.name), html_escaped(stage.kind), stage.steps,
        count_text(static_cast<double>(stage.tokens)), duration_text(stage.seconds),
        evaluation_cells(stage.greedy_before, stage.greedy_after));
    if (sampled)
      out += fmt::format("<tr><td>sampled</td>{}</tr>\n", evaluation_cells(stage.sampled_before, stage.sampled_after));
  }
  return out + "</tbody></table></div></section>\n";
}

// Charts of a stage, in the order of the metric table.
std::vector<Chart> charts_of(const std::vector<MetricsLine>& metrics, const std::string& stage) {
  std::vector<Chart> charts;
  std::map<std::string, std::map<std::string, ChartSeries>> by_chart;
  for (const auto& line : metrics) {
    if (line.stage != stage) continue;
    for (const auto& [name, value] : line.values) {
      const MetricInfo* info = find_metric(name);
      if (info == nullptr || *info->chart == '\0') continue;
      ChartSeries& series = by_chart[info->chart][name];
      series.name = name;
      series.x.push_back(static_cast<double>(line.step));
      series.y.push_back(value);
    }
  }
  for (const auto& info : metric_infos()) {
    const auto found = by_chart.find(info.chart);
    if (found == by_chart.end()) continue;
    Chart chart{info.chart, info.unit, {}};
    for (const auto& known : metric_infos()) {
      for (const auto& [name, series] : found->second) {
        if (find_metric(name) == &known) chart.series.push_back(series);
      }
    }
    charts.push_back(chart);
    by_chart.erase(found);
  }
  return charts;
}

std::string last_value(const ChartSeries& series) {
  for (auto y = series.y.rbegin(); y != series.y.rend(); ++y) {
    if (std::isfinite(*y)) return std::abs(*y) >= 1e4 ? count_text(*y) : fmt::format("{:.4g}", *y);
  }
  return "–";
}

std::string chart_figure(const Chart& chart) {
  const std::string svg = svg_line_chart(chart);
  if (svg.empty()) return "";
  std::string legend;
  for (size_t i = 0; i < chart.series.size(); ++i) {
    const MetricInfo* info = find_metric(chart.series[i].name);
    legend += fmt::format("<span class=\"key\" title=\"{}\"><i class=\"s{}\"></i>{} <b>{}</b></span>",
                          info == nullptr ? "" : html_escaped(info->meaning), i % series_colours,
                          html_escaped(chart.series[i].name), last_value(chart.series[i]));
  }
  const std::string unit = chart.unit.empty() ? "" : fmt::format(" <small>{}</small>", html_escaped(chart.unit));
  return fmt::format("<figure class=\"chart\"><figcaption>{}{}</figcaption>{}<div class=\"legend\">{}</div></figure>\n",
                     html_escaped(chart.title), unit, svg, legend);
}

std::string stage_charts(const RunSummary& summary, const std::vector<MetricsLine>& metrics) {
  std::string out;
  // The RL stage comes first: its curves are what people open the page for.
  for (auto stage = summary.stages.rbegin(); stage != summary.stages.rend(); ++stage) {
    std::string figures;
    for (const auto& chart : charts_of(metrics, stage->name)) figures += chart_figure(chart);
    if (!figures.empty())
      out += fmt::format("<section><h2>{} <small>by step</small></h2><div class=\"charts\">\n{}</div></section>\n",
                         html_escaped(stage->name), figures);
  }
  return out;
}

std::string metric_glossary(const std::vector<MetricsLine>& metrics) {
  std::string rows;
  for (const auto& info : metric_infos()) {
    const bool used = std::any_of(metrics.begin(), metrics.end(), [&](const MetricsLine& line) {
      return std::any_of(line.values.begin(), line.values.end(),
                         [&](const auto& value) { return find_metric(value.first) == &info; });
    });
    if (used)
      rows += fmt::format("<tr><td><code>{}</code></td><td>{}</td><td>{}</td></tr>\n", html_escaped(info.name),
                          html_escaped(info.unit), html_escaped(info.meaning));
  }
  return "<details><summary>What each metric means</summary><div "
         "class=\"scroll\"><table><thead><tr><th>metric</th><th>unit</th><th>meaning</th></tr></thead><tbody>\n" +
         rows + "</tbody></table></div></details>\n";
}

}  // namespace

std::vector<double> metric_of(const std::vector<MetricsLine>& metrics, const std::string& stage, const std::string& name) {
  std::vector<double> values;
  for (const auto& line : metrics) {
    if (line.stage != stage) continue;
    for (const auto& [known, value] : line.values) {
      if (known == name) values.push_back(value);
    }
  }
  return values;
}

std::string report_html(const RunSummary& summary, const std::vector<MetricsLine>& metrics, const std::string& config_toml,
                        const std::string& more) {
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\">"
      "<meta name=\"color-scheme\" content=\"light dark\"><title>{} · Ponder</title>\n<style>{}</style></head><body><main>\n",
      html_escaped(summary.name), report_style);
  out += fmt::format("<header><h1>{}{}</h1><p class=\"note\">{}</p><p class=\"note\">{} · seed {} · Ponder {}</p></header>\n",
                     html_escaped(summary.name), summary.interrupted ? " <span class=\"badge bad\">interrupted</span>" : "",
                     html_escaped(summary.model), html_escaped(summary.machine), summary.seed, html_escaped(summary.version));
  out += cards(summary, metrics) + stage_charts(summary, metrics) + samples(summary) + stage_table(summary) + endings(summary) + losses_section(summary) +
         costs_section(summary) + more;
  out += "<section><h2>Details</h2>\n";
  out += fmt::format("<details><summary>Settings of the run</summary><pre>{}</pre></details>\n", html_escaped(config_toml));
  out += metric_glossary(metrics) + "</section>\n";
  return out + "</main></body></html>\n";
}

void write_report(const std::string& directory, const RunSummary& summary, const std::string& config_toml) {
  const std::string file = directory + "/report.html";
  std::ofstream out(file, std::ios::binary);
  std::string more;
  if (const auto steps = steps_with_samples(directory); !steps.empty())
    more = samples_section(read_samples(steps.back()), steps.back().stage, steps.back().step);
  more += events_section(read_events(directory));
  out << report_html(summary, read_metrics(directory + "/metrics.jsonl"), config_toml, more) << std::flush;
  if (!out) kernels::fail("{}: cannot be written. Check run.output_dir and the space on the disk.", file);
}

}  // namespace rl
