// `ponder tokenize` and `ponder detokenize`: lines in, lines out, in their order, a chunk of them on all threads at a time.
#include <fmt/core.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "kernels/thread_pool.h"
#include "model/tokenizer/byte_level.h"
#include "rl/commands/model_source.h"
#include "rl/commands/output_file.h"
#include "rl/commands/tool_commands.h"

namespace rl {
namespace {

using Json = nlohmann::json;
using kernels::fail_usage;
// One line, without its line break, and where it stands -> what is written for it, line break included.
using Convert = std::function<std::string(const std::string& line, const std::string& place)>;

constexpr size_t chunk_bytes = size_t{4} << 20;
constexpr size_t chunk_lines = 16384;

class LineReader {
 public:
  explicit LineReader(const std::string& path) : name_(path.empty() ? "stdin" : path), in_(path.empty() ? &std::cin : &file_) {
    if (path.empty()) return;
    file_.open(path, std::ios::binary);
    if (!file_ || std::filesystem::is_directory(path)) fail_usage("{}: cannot be read. Check --input.", path);
  }

  // The next lines; none: the end.
  std::vector<std::string> next() {
    std::vector<std::string> lines;
    size_t bytes = 0;
    for (std::string line; bytes < chunk_bytes && lines.size() < chunk_lines && std::getline(*in_, line);) {
      bytes += line.size();
      lines.push_back(std::move(line));
    }
    if (in_->bad()) kernels::fail("{}: reading failed.", name_);
    return lines;
  }
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  std::ifstream file_;
  std::istream* in_;
};

void convert_lines(const TokenizeOptions& options, const Convert& convert) {
  kernels::set_threads(options.threads);
  LineReader reader(options.input);
  OutputFile out(options.output, options.input);
  int64_t number = 1;
  for (auto lines = reader.next(); !lines.empty(); lines = reader.next()) {
    // Every line before a wrong one is still written: the first error in the order of the lines is the one that is told.
    std::vector<std::string> errors(lines.size());
    kernels::parallel_for(static_cast<int64_t>(lines.size()), [&](int64_t i) {
      const auto at = static_cast<size_t>(i);
      try {
        lines[at] = convert(lines[at], fmt::format("{}:{}", reader.name(), number + i));
      } catch (const kernels::Error& e) {
        errors[at] = e.what();
      }
    });
    std::string text, error;
    for (size_t i = 0; i < lines.size() && error.empty(); ++i) {
      error = errors[i];
      if (error.empty()) text += lines[i];
    }
    out.write(text);
    if (!error.empty()) fail_usage("{}", error);
    number += static_cast<int64_t>(lines.size());
  }
}

Json parsed(const std::string& line, const std::string& place, const char* wanted) {
  const auto json = Json::parse(line, nullptr, false);
  if (json.is_discarded()) fail_usage("{}: is not JSON; {}.", place, wanted);
  return json;
}

std::string text_of(const std::string& line, const std::string& place, bool json) {
  if (!json) {
    if (const size_t bad = model::find_invalid_utf8(line); bad != std::string::npos)
      fail_usage("{}: byte {} of the line is not UTF-8. Convert the text to UTF-8.", place, bad + 1);
    return line;
  }
  const auto text = parsed(line, place, "with --json each line is one JSON string, such as \"two\\nlines\"");
  if (!text.is_string()) fail_usage("{}: with --json each line is one JSON string, such as \"two\\nlines\".", place);
  return text.get<std::string>();
}

std::vector<int32_t> ids_of(const std::string& line, const std::string& place, int64_t size) {
  constexpr const char* wanted = "each line is a JSON list of token ids, such as [1, 2, 3]";
  const auto list = parsed(line, place, wanted);
  if (!list.is_array()) fail_usage("{}: {}.", place, wanted);
  std::vector<int32_t> ids;
  for (const auto& id : list) {
    if (!id.is_number_integer() || id < 0 || id >= size)
      fail_usage("{}: holds {}, but must hold ids from 0 to {}.", place, id.dump(), size - 1);
    ids.push_back(id.get<int32_t>());
  }
  return ids;
}

}  // namespace

int run_tokenize(const TokenizeOptions& options) {
  const auto tokenizer = open_tokenizer(options.model);
  convert_lines(options, [&](const std::string& line, const std::string& place) {
    std::string out = "[";
    for (const int32_t id : tokenizer->encode(text_of(line, place, options.json), options.special))
      out += fmt::format("{}{}", out.size() > 1 ? "," : "", id);
    return out + "]\n";
  });
  return 0;
}

int run_detokenize(const TokenizeOptions& options) {
  const auto tokenizer = open_tokenizer(options.model);
  convert_lines(options, [&](const std::string& line, const std::string& place) {
    const auto text = tokenizer->decode(ids_of(line, place, tokenizer->size()), options.skip_special);
    return (options.json ? Json(text).dump(-1, ' ', false, Json::error_handler_t::replace) : text) + "\n";
  });
  return 0;
}

}  // namespace rl
