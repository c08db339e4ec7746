#include "rl/report/report_costs.h"

#include <fmt/core.h>

#include "rl/report/line_chart.h"
#include "rl/report/terminal.h"

namespace rl {
namespace {

std::string tokens(int64_t count) { return count_text(static_cast<double>(count)); }

std::string price(const Cost& cost, const std::string& currency) {
  return cost.price > 0 ? fmt::format("{:.3g} {}", cost.price, html_escaped(currency)) : "–";
}

std::string row(const std::string& name, const Cost& cost, const std::string& point, const std::string& currency) {
  return fmt::format("<tr><td><b>{}</b></td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                     html_escaped(name), tokens(cost.sampled_tokens), tokens(cost.prefilled_tokens), tokens(cost.trained_tokens),
                     flops_text(cost.flops), duration_text(cost.seconds), duration_text(cost.cpu_seconds),
                     cost.joules > 0 ? energy_text(cost.joules) : "–", price(cost, currency), point);
}

std::string change(double before, double after, const char* format) {
  return fmt::format(fmt::runtime(format), before) + " → " + fmt::format(fmt::runtime(format), after);
}

}  // namespace

std::string costs_section(const RunSummary& summary) {
  std::string rows;
  Cost all;
  for (const auto& stage : summary.stages) {
    const auto point = cost_per_point(stage);
    rows += row(stage.name, stage.cost, point ? html_escaped(cost_text(*point, summary.currency)) : "–", summary.currency);
    all.add(stage.cost);
  }
  if (all.seconds == 0) return "";
  rows += row("run", all, "", summary.currency);
  return "<section><h2>Cost</h2><div class=\"scroll\"><table><thead><tr><th>stage</th><th>tokens sampled</th><th>prefilled</th>"
         "<th>trained</th><th>operations</th><th>time</th><th>CPU time</th><th>energy</th><th>price</th>"
         "<th>a point of accuracy</th></tr></thead><tbody>\n" +
         rows + "</tbody></table></div></section>\n";
}

std::string losses_section(const RunSummary& summary) {
  std::string rows;
  for (const auto& stage : summary.stages) {
    if (!stage.loss_before || !stage.loss_after) continue;
    const HeldOutLoss &before = *stage.loss_before, &after = *stage.loss_after;
    rows += fmt::format("<tr><td><b>{}</b></td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n", html_escaped(stage.name),
                        change(before.loss, after.loss, "{:.4f}"), change(before.perplexity, after.perplexity, "{:.4g}"),
                        change(100 * before.token_accuracy, 100 * after.token_accuracy, "{:.1f}%"), after.rows);
  }
  if (rows.empty()) return "";
  return "<section><h2>Held-back completions</h2><div class=\"scroll\"><table><thead><tr><th>stage</th><th>loss, nats a token</th>"
         "<th>perplexity</th><th>tokens right</th><th>rows</th></tr></thead><tbody>\n" +
         rows + "</tbody></table></div></section>\n";
}

std::string endings(const RunSummary& summary) {
  std::string out;
  for (const auto& stage : summary.stages)
    if (!stage.stopped.empty())
      out += fmt::format("<p class=\"note\"><b>{}</b> ended early, after {} steps: {}.</p>\n", html_escaped(stage.name), stage.steps,
                         html_escaped(stage.stopped));
  if (summary.best)
    out += fmt::format("<p class=\"note\">Best model: {} {:.4g} at step {} of {}, in <code>{}</code>.</p>\n", html_escaped(summary.best->metric),
                       summary.best->value, summary.best->step, html_escaped(summary.best->stage), html_escaped(best_folder(summary.output_dir)));
  return out;
}

}  // namespace rl
