// One tokenizer.json over the lines of a text file, for end_to_end/long/compare_tokenizers.py:
//
//   tokenizer_bench TOKENIZER.json
//
// Commands come line by line on standard input; each answer is one line of JSON.
//   "load FILE"       each line of FILE is a JSON string; takes them as texts. Answers how many.
//   "ids" / "decoded" all texts' ids / the texts that these ids decode to, by decode; by TextStream it must be the same.
//   "time"            seconds of this process on a core to encode all texts once, one after another on this thread
//   "batch THREADS"   seconds by the clock for the same by encode_batch
#include <fmt/core.h>

#include <ctime>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "kernels/thread_pool.h"
#include "model/files/json_fields.h"
#include "model/tokenizer/tokenizer.h"
#include "tests/bench/bench.h"

using nlohmann::json;

namespace {

struct Texts {
  std::vector<std::string> list;
  std::vector<std::string_view> views;
};

json load(Texts& texts, const std::string& file) {
  texts = {};
  std::ifstream in(file, std::ios::binary);
  for (std::string line; std::getline(in, line);) texts.list.push_back(json::parse(line));
  texts.views.assign(texts.list.begin(), texts.list.end());
  return texts.list.size();
}

json decoded(const std::shared_ptr<const model::Tokenizer>& tokenizer, const Texts& texts) {
  json all = json::array();
  for (const auto text : texts.views) {
    const auto ids = tokenizer->encode(text);
    model::TextStream stream(tokenizer);
    std::string by_stream;
    for (const int32_t id : ids) by_stream += stream.push(id);
    by_stream += stream.finish();
    const auto at_once = tokenizer->decode(ids);
    if (at_once != by_stream) bench::wrong("TextStream gives " + by_stream + ", decode " + at_once);
    all.push_back(at_once);
  }
  return all;
}

json answer(const std::shared_ptr<const model::Tokenizer>& tokenizer, Texts& texts, const std::string& command) {
  if (command.starts_with("load ")) return load(texts, command.substr(5));
  if (command == "decoded") return decoded(tokenizer, texts);
  if (command == "ids") {
    json all = json::array();
    for (const auto text : texts.views) all.push_back(tokenizer->encode(text));
    return all;
  }
  if (command == "time") {
    const std::clock_t start = std::clock();
    for (const auto text : texts.views) tokenizer->encode(text);
    return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  }
  const double start = bench::now();
  if (command.starts_with("batch ")) {
    kernels::set_threads(std::stoll(command.substr(6)));
    tokenizer->encode_batch(texts.views);
  } else {
    bench::wrong("no command: " + command);
  }
  return bench::now() - start;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) bench::wrong("one argument: TOKENIZER.json");
  try {
    const auto text = model::read_text_file(argv[1]);
    const double start = bench::now();
    const auto tokenizer = model::Tokenizer::from_json(text, argv[1]);
    std::cout << json{{"tokens", tokenizer->size()}, {"load_seconds", bench::now() - start}} << std::endl;
    Texts texts;
    for (std::string command; std::getline(std::cin, command);) std::cout << answer(tokenizer, texts, command) << std::endl;
  } catch (const std::exception& e) {
    bench::wrong(e.what());
  }
}
