#include "rl/evaluation/folder.h"

#include <fmt/chrono.h>
#include <fmt/ranges.h>

#include <chrono>
#include <filesystem>
#include <iterator>

#include "kernels/error.h"
#include "model/files/safetensors.h"

namespace rl {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string whole_file(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

int64_t microseconds_now() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string date_text(int64_t micros) {
  return fmt::format("{:%Y-%m-%dT%H-%M-%S}.{:06d}", fmt::gmtime(static_cast<std::time_t>(micros / 1000000)), micros % 1000000);
}

// doc_id of each whole line.
std::map<int64_t, std::string> by_doc(const std::string& text, const std::string& file) {
  std::map<int64_t, std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    if (end == std::string::npos) break;
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    const auto json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    const auto id = json.is_object() ? json.find("doc_id") : json.end();
    if (!json.is_object() || id == json.end() || !id->is_number_integer())
      kernels::fail_usage("{}: holds a line that `ponder eval` did not write. Delete the folder and evaluate again.", file);
    lines[id->get<int64_t>()] = line;
  }
  return lines;
}

std::string value_text(const Json& value) {
  const std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.size() > 60 ? text.substr(0, 57) + "..." : text;
}

void collect_differences(const Json& there, const Json& here, const std::string& path, std::vector<std::string>& out) {
  if (there == here) return;
  if (!there.is_object() || !here.is_object()) {
    out.push_back(fmt::format("{} is {} there and {} here", path, value_text(there), value_text(here)));
    return;
  }
  const auto below = [&](const std::string& key) { return path.empty() ? key : path + "." + key; };
  for (const auto& [key, value] : there.items()) collect_differences(value, here.value(key, Json(nullptr)), below(key), out);
  for (const auto& [key, value] : here.items())
    if (!there.contains(key)) collect_differences(Json(nullptr), value, below(key), out);
}

}  // namespace

std::string differences(const Json& there, const Json& here) {
  std::vector<std::string> all;
  collect_differences(there, here, "", all);
  return fmt::format("{}", fmt::join(all, "; "));
}

std::string short_model_name(const std::string& model) {
  std::vector<std::string> parts;
  for (const auto& part : fs::path(model).lexically_normal())
    if (const std::string name = part.string(); !name.empty() && name != "." && name != "/" && name != "checkpoints")
      parts.push_back(name);
  if (parts.empty()) return "model";
  const std::string last = parts.back();
  if (parts.size() < 2) return last;
  const std::string above = parts[parts.size() - 2];
  if (last == "final") return above;
  return last.rfind("step-", 0) == 0 || last == "best" ? above + "-" + last : last;
}

EvalFolder::EvalFolder(const std::string& directory, const Json& settings) : directory_(directory) {
  const std::string file = directory + "/eval.json";
  if (fs::exists(file)) {
    const auto begun = Json::parse(whole_file(file), nullptr, /*allow_exceptions=*/false);
    if (!begun.is_object() || !begun.value("date", Json()).is_string() || !begun.value("begun", Json()).is_number() ||
        !begun.contains("settings"))
      kernels::fail_usage("{}: cannot be read. Delete the folder, or name another with --output.", file);
    if (const std::string other = differences(begun["settings"], settings); !other.empty())
      kernels::fail_usage(
          "eval: {} holds an evaluation with other settings: {}. Name another folder with --output, or delete this one.",
          directory, other);
    date_ = begun["date"].get<std::string>();
    begun_ = begun["begun"].get<double>();
    return;
  }
  std::error_code error;
  fs::create_directories(directory, error);
  if (error)
    kernels::fail_usage("eval: the folder {} cannot be made: {}. Name another with --output.", directory, error.message());
  const int64_t now = microseconds_now();
  date_ = date_text(now);
  begun_ = static_cast<double>(now) / 1e6;
  model::write_file_atomically(file, Json{{"date", date_}, {"begun", begun_}, {"settings", settings}}.dump(1) + "\n");
}

std::string EvalFolder::unfinished_file(const std::string& suite) const { return directory_ + "/unfinished_" + suite + ".jsonl"; }

std::string EvalFolder::samples_file(const std::string& suite) const {
  return fmt::format("{}/samples_{}_{}.jsonl", directory_, suite, date_);
}

std::map<int64_t, std::string> EvalFolder::lines(const std::string& suite) {
  const std::string unfinished = unfinished_file(suite);
  if (!fs::exists(unfinished)) return by_doc(whole_file(samples_file(suite)), samples_file(suite));
  const std::string text = whole_file(unfinished);
  const size_t whole = text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1;
  if (whole < text.size()) fs::resize_file(unfinished, whole);
  return by_doc(text.substr(0, whole), unfinished);
}

void EvalFolder::append(const std::string& suite, const std::string& line) {
  if (open_suite_ != suite) {
    open_.close();
    open_.clear();
    open_.open(unfinished_file(suite), std::ios::binary | std::ios::app);
    open_suite_ = suite;
  }
  open_ << line << '\n' << std::flush;
  if (!open_) kernels::fail("{}: cannot be written. Check the space on the disk.", unfinished_file(suite));
}

void EvalFolder::write_samples(const std::string& suite, const std::map<int64_t, std::string>& lines) const {
  std::string text;
  for (const auto& [id, line] : lines) text += line + "\n";
  model::write_file_atomically(samples_file(suite), text);
}

void EvalFolder::remove_unfinished(const std::vector<std::string>& suites) const {
  for (const auto& suite : suites) fs::remove(unfinished_file(suite));
}

}  // namespace rl
