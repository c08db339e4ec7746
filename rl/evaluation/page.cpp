#include "rl/evaluation/page.h"

#include <fmt/core.h>

#include "rl/evaluation/page_style.h"
#include "rl/report/line_chart.h"
#include "rl/report/report_style.h"

namespace rl {
namespace {

using Json = nlohmann::ordered_json;

Json problem_json(const EvaluatedProblem& problem) {
  Json samples = Json::array();
  for (const auto& s : problem.samples)
    samples.push_back({{"index", s.index},
                       {"text", s.completion},
                       {"answer", s.extracted},
                       {"detail", s.detail},
                       {"verdict", s.correct ? Json(*s.correct) : Json(nullptr)},
                       {"silent", s.status == name_of(reward::Status::no_answer)},
                       {"cut", s.truncated},
                       {"tokens", s.tokens}});
  return {{"id", problem.doc_id}, {"prompt", problem.prompt}, {"gold", problem.target}, {"samples", samples}};
}

// JSON that may stand inside of a script element: no "<" is left in it.
std::string script_safe(const Json& json) {
  std::string out;
  for (const char c : json.dump(-1, ' ', false, Json::error_handler_t::replace))
    out += c == '<' ? std::string("\\u003c") : std::string(1, c);
  return out;
}

struct Shown {
  Json suites = Json::array();
  int64_t problems = 0, left_out = 0;
};

Shown shown_samples(const EvalRun& run, int64_t budget) {
  Shown out;
  int64_t used = 0;
  for (const auto& result : run.suites) {
    Json problems = Json::array();
    for (const auto& problem : result.problems) {
      for (const auto& s : problem.samples) used += static_cast<int64_t>(s.completion.size());
      used += static_cast<int64_t>(problem.prompt.size() + problem.target.size());
      if (used > budget && out.problems > 0) {
        ++out.left_out;
        continue;
      }
      problems.push_back(problem_json(problem));
      ++out.problems;
    }
    out.suites.push_back({{"name", result.suite.name}, {"problems", problems}});
  }
  return out;
}

std::string percent(double share) { return fmt::format("{:.1f}%", 100 * share); }

std::string cards(const EvalRun& run) {
  std::string out = "<section class=\"cards\">\n";
  for (const auto& result : run.suites) {
    const EvalMetric& average = result.metrics.metrics.front();
    const std::string interval =
        average.interval ? fmt::format("{} to {}", percent(average.interval->low), percent(average.interval->high)) : "";
    out += fmt::format(
        "<div class=\"card\"><div class=\"label\">{}, {}</div><div class=\"value\">{}</div><div class=\"note\">{}, 95 %; {} "
        "problems × {} "
        "samples</div></div>\n",
        html_escaped(result.suite.name), average.name, percent(average.value), interval, result.metrics.problems,
        result.metrics.samples);
  }
  return out + "</section>\n";
}

std::string metric_rows(const SuiteResult& result) {
  std::string out, name = html_escaped(result.suite.name);
  for (const auto& metric : result.metrics.metrics) {
    if (!worth_a_row(metric)) continue;
    const std::string interval =
        metric.interval ? metric_text(metric, metric.interval->low) + " – " + metric_text(metric, metric.interval->high) : "";
    out += fmt::format(
        "<tr{}><td><b>{}</b></td><td title=\"{}\">{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td><td "
        "class=\"number\">{}</td>"
        "<td class=\"number\">{}</td></tr>\n",
        name.empty() ? "" : " class=\"first\"", name, html_escaped(metric.meaning), metric.name,
        metric_text(metric, metric.value), metric.name == "p95_tokens" ? "" : metric_text(metric, metric.standard_error),
        interval, metric.problems);
    name.clear();
  }
  if (result.metrics.samples > 1)
    out += fmt::format(
        "<tr><td></td><td title=\"standard deviation of the {0} runs' means, over the root of {0}\">noise of the "
        "runs</td><td></td>"
        "<td class=\"number\">{1:.4f}</td><td></td><td></td></tr>\n",
        result.metrics.samples, result.metrics.run_noise);
  return out;
}

std::string metric_table(const EvalRun& run) {
  std::string rows, notes;
  for (const auto& result : run.suites) {
    rows += metric_rows(result);
    for (const auto& note : result.notes)
      notes += fmt::format("<p class=\"note\"><b>{}</b>: {}</p>\n", html_escaped(result.suite.name), html_escaped(note));
  }
  return "<section><h2>Numbers</h2><div class=\"scroll\"><table><thead><tr><th>suite</th><th>metric</th><th "
         "class=\"number\">value</th>"
         "<th class=\"number\">± s.e.</th><th class=\"number\">95 % interval</th><th "
         "class=\"number\">problems</th></tr></thead><tbody>\n" +
         rows + "</tbody></table></div>\n<p class=\"note\">Standard errors and intervals run over problems.</p>\n" + notes +
         "</section>\n";
}

std::string details(const EvalRun& run) {
  std::string data;
  for (const auto& result : run.suites) {
    data += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td><code>{}</code></td><td>{}</td></tr>\n",
                        html_escaped(result.suite.name), html_escaped(result.suite.title), html_escaped(result.data_file),
                        result.data_sha256.substr(0, 16), html_escaped(result.template_style));
  }
  return "<section><details><summary>Data and settings</summary><div "
         "class=\"scroll\"><table><thead><tr><th>suite</th><th>what</th><th>file</th>"
         "<th>sha256</th><th>template</th></tr></thead><tbody>\n" +
         data + "</tbody></table></div><pre>" + html_escaped(run.settings.dump(1)) + "</pre></details></section>\n";
}

std::string sample_section(const EvalRun& run, const Shown& shown) {
  std::string options = "<option value=\"\">all suites</option>";
  for (const auto& result : run.suites) options += fmt::format("<option>{}</option>", html_escaped(result.suite.name));
  std::string buttons;
  const std::pair<const char*, const char*> kinds[] = {{"all", "all"},        {"right", "right"},   {"wrong", "wrong"},
                                                       {"none", "no answer"}, {"cut", "truncated"}, {"unscored", "no verdict"}};
  for (const auto& [kind, label] : kinds)
    buttons += fmt::format("<button type=\"button\" data-kind=\"{}\">{} <b></b></button>", kind, label);
  std::string out = fmt::format(
      "<section id=\"samples\"><h2>Samples</h2><div class=\"bar\"><select id=\"suite\" aria-label=\"Suite\"{}>{}</select>{}"
      "<input id=\"words\" type=\"search\" placeholder=\"Search prompts, completions and answers\" "
      "aria-label=\"Search\"></div>\n",
      run.suites.size() == 1 ? " hidden" : "", options, buttons);
  if (shown.left_out > 0)
    out += fmt::format("<p class=\"note\">The page holds {} problems; {} more are in the samples files.</p>\n", shown.problems,
                       shown.left_out);
  return out +
         "<div id=\"list\"></div><div class=\"pages\"><button id=\"back\" type=\"button\">Back</button><span id=\"where\"></span>"
         "<button id=\"next\" type=\"button\">Next</button></div></section>\n";
}

}  // namespace

std::string evaluation_page(const EvalRun& run, int64_t sample_bytes) {
  const Shown shown = shown_samples(run, sample_bytes);
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\"><title>{} · evaluation · "
      "Ponder</title>\n<style>{}{}</style></head>"
      "<body><main>\n",
      html_escaped(run.model_name), report_style, eval_page_style);
  const auto number = [&](const char* key) { return run.sampling.value(key, 0.0); };
  out += fmt::format(
      "<header><h1>{}</h1><p class=\"note\">{} · checkpoint {:.12}</p><p class=\"note\">temperature {:g} · top-p {:g} · top-k "
      "{:g} · seed {} · {} · Ponder {}</p></header>\n",
      html_escaped(run.model_name), html_escaped(run.model), run.checkpoint_id, number("temperature"), number("top_p"),
      number("top_k"), run.seed, run.date.substr(0, 10), html_escaped(run.version));
  out += cards(run) + metric_table(run) + details(run) + sample_section(run, shown);
  out += "<script type=\"application/json\" id=\"data\">" + script_safe(Json{{"suites", shown.suites}}) + "</script>\n<script>" +
         eval_page_script + "</script>\n";
  return out + "</main></body></html>\n";
}

}  // namespace rl
