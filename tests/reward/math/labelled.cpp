#include "tests/reward/math/labelled.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace labelled {
namespace {

using nlohmann::json;
using reward::math::Extraction;

Case case_of(const json& line, const std::string& category) {
  Case c;
  c.category = category;
  line.at("id").get_to(c.id);
  line.at("prediction").get_to(c.prediction);
  line.at("match").get_to(c.match);
  if (const auto& gold = line.at("gold"); gold.is_array()) gold.get_to(c.golds);
  else c.golds = {gold.get<std::string>()};
  c.why = line.value("why", "");
  c.profile = line.value("profile", "default");
  c.extraction = line.value("extraction", "");
  c.one_way = line.value("one_way", false);
  return c;
}

void read_file(const std::filesystem::path& file, std::vector<Case>& cases) {
  std::ifstream in(file);
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    try {
      cases.push_back(case_of(json::parse(line), file.stem().string()));
    } catch (const json::exception& e) {
      throw std::runtime_error(fmt::format("{}:{}: {}", file.string(), number, e.what()));
    }
  }
}

}  // namespace

std::vector<Case> read_cases(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".jsonl") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<Case> cases;
  for (const auto& file : files) read_file(file, cases);
  return cases;
}

std::vector<Gold> read_golds(const std::string& file) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error(fmt::format("{}: cannot be read", file));
  std::vector<Gold> golds;
  for (std::string line; std::getline(in, line);)
    if (const size_t tab = line.find('\t'); tab != std::string::npos)
      golds.push_back({line.substr(0, tab), line.substr(tab + 1)});
  return golds;
}

Extraction extraction_of(const std::string& name) {
  if (name == "strict") return Extraction::strict;
  if (name == "marked") return Extraction::marked;
  if (name == "lenient") return Extraction::lenient;
  if (name.empty() || name == "whole") return Extraction::whole;
  throw std::runtime_error(fmt::format("\"{}\" is no extraction. Known: strict, marked, lenient, whole.", name));
}

reward::math::Verdict verdict_of(const Case& c) {
  return reward::math::Verifier(c.profile, extraction_of(c.extraction)).verify(c.prediction, c.golds);
}

std::string describe(const Case& c, const reward::math::Verdict& v) {
  return fmt::format("{}: should {}. prediction `{}` ({}), gold `{}`; answer {}, gold {}; {}, {}{}{}", c.id,
                     c.match ? "match" : "not match", c.prediction, v.extracted, fmt::join(c.golds, "` or `"), v.answer, v.gold,
                     reward::math::name_of(v.status), v.reason, c.why.empty() ? "" : ": ", c.why);
}

std::vector<std::string> large_inputs() {
  constexpr size_t bytes = 16384;
  const auto run = [](const std::string& piece, size_t size) {
    std::string out;
    while (out.size() + piece.size() <= size) out += piece;
    return out;
  };
  return {run("{", bytes),
          run("{", bytes / 2) + run("}", bytes / 2),
          run("\\frac{", bytes),
          run("\\sqrt", bytes),
          run("(", bytes),
          run("1+", bytes - 1) + "1",
          run("x^", bytes - 1) + "x",
          run("9", bytes),
          run("(x+y)", bytes),
          run("9^", bytes - 1) + "9",
          run("|", bytes),
          run("\\pm 1,", bytes)};
}

std::string last_digit_raised(const std::string& text) {
  const auto digit = [](char ch) { return ch >= '0' && ch <= '9'; };
  const auto last = std::find_if(text.rbegin(), text.rend(), digit);
  if (last == text.rend()) return "";
  std::string out = text;
  auto at = static_cast<ptrdiff_t>(text.size() - 1) - (last - text.rbegin());
  for (; at >= 0 && digit(out[static_cast<size_t>(at)]); --at) {
    char& d = out[static_cast<size_t>(at)];
    if (d != '9') {
      ++d;
      return out;
    }
    d = '0';
  }
  return out.insert(static_cast<size_t>(at + 1), "1");
}

}  // namespace labelled
