// Claims over whole files, and over the problems of a run.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "rl/data/identity.h"
#include "rl/data/json_rows.h"

namespace rl {
namespace {

constexpr std::string_view asking_keys[] = {"question", "problem", "prompt", "instruction", "input",
                                            "system",   "query",   "user",   "context"};

// What the row asks, and what its assistant says.
struct Dialogue {
  std::string asked;
  std::vector<std::string> said;
};

std::string text_under(const nlohmann::ordered_json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// {"role", "content"} or ShareGPT's {"from", "value"}.
void add_message(const nlohmann::ordered_json& message, Dialogue& out) {
  std::string role = text_under(message, "role"), text = text_under(message, "content");
  if (role.empty()) role = text_under(message, "from"), text = text_under(message, "value");
  if (role == "assistant" || role == "gpt" || role == "model")
    out.said.push_back(text);
  else if (!role.empty())
    out.asked += text + "\n";
}

void add_value(const std::string& key, const nlohmann::ordered_json& value, bool wanted, Dialogue& out) {
  if (value.is_string()) {
    const bool asks = !wanted && std::find(std::begin(asking_keys), std::end(asking_keys), key) != std::end(asking_keys);
    if (asks)
      out.asked += value.get<std::string>() + "\n";
    else
      out.said.push_back(value.get<std::string>());
  } else if (value.is_array()) {
    for (const auto& part : value) {
      if (part.is_object())
        add_message(part, out);
      else if (part.is_string())
        add_value(key, part, wanted, out);
    }
  }
}

Dialogue dialogue_of(const nlohmann::ordered_json& row, const std::string& key) {
  Dialogue out;
  for (const auto& [name, value] : row.items()) {
    const bool wanted = name == key,
               asks = std::find(std::begin(asking_keys), std::end(asking_keys), name) != std::end(asking_keys);
    if (key.empty() || wanted || asks) add_value(name, value, wanted, out);
  }
  return out;
}

}  // namespace

IdentityReport scan_identity(const std::string& file, const std::string& key) {
  IdentityReport report;
  report.file = file;
  bool key_seen = key.empty();
  for_each_row(file, [&](int64_t line, const nlohmann::ordered_json& row) {
    ++report.rows;
    key_seen = key_seen || row.contains(key);
    const Dialogue dialogue = dialogue_of(row, key);
    const bool asked = asks_identity(dialogue.asked);
    const size_t before = report.claims.size();
    for (const auto& text : dialogue.said)
      for (auto& claim : find_claims(text, asked)) report.claims.push_back({line, std::move(claim)});
    report.rows_with_claims += report.claims.size() > before;
    return true;
  });
  if (!key_seen)
    kernels::fail_usage("{}: no row has the key \"{}\". Name the key of what the assistant says with --key.", file, key);
  return report;
}

std::string vendor_counts(const std::vector<ClaimAt>& claims) {
  std::map<std::string, int64_t> counts;
  for (const auto& at : claims) ++counts[at.claim.vendor];
  std::vector<std::pair<std::string, int64_t>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string out;
  for (const auto& [vendor, count] : sorted) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", vendor, count);
  return out;
}

std::string identity_warning(const DataConfig& data, const std::vector<Problem>& problems) {
  std::vector<ClaimAt> claims;
  std::vector<int64_t> lines;
  for (const auto& problem : problems) {
    const size_t before = claims.size();
    for (auto& claim : find_claims(problem.completion, asks_identity(problem.question)))
      claims.push_back({problem.line, std::move(claim)});
    if (claims.size() > before) lines.push_back(problem.line);
  }
  if (lines.empty()) return "";
  const size_t shown = std::min<size_t>(lines.size(), 5);
  return fmt::format(
      "in {} of {} completions of {} the model claims to be another vendor's assistant ({}), and learns to: line{} {}{}. "
      "`ponder data identity {}` lists them all.",
      lines.size(), problems.size(), data.train, vendor_counts(claims), lines.size() == 1 ? "" : "s",
      fmt::join(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
      shown < lines.size() ? fmt::format(" and {} more", lines.size() - shown) : "", data.train);
}

}  // namespace rl
