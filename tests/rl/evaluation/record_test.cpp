#include "rl/evaluation/record.h"

#include <filesystem>
#include <fstream>
#include <functional>

#include "kernels/error.h"
#include "rl/evaluation/folder.h"
#include "tests/support/catch.h"

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

rl::EvalProblem problem() {
  rl::EvalProblem out;
  out.doc_id = 7;
  out.doc = Json{{"a", "é\n"}, {"b", Json::array({1, 2.5})}, {"c", "x"}};
  out.question = "q";
  out.target = "2";
  return out;
}

rl::Group group(const std::vector<double>& values) {
  rl::Group out;
  out.prompt = "<user>q";
  for (const double value : values) {
    rl::ScoredSample s;
    s.record.sample_index = static_cast<int64_t>(out.samples.size());
    s.record.tokens = {1, 2, 3};
    s.record.finish = value < 0 ? rollout::FinishReason::length : rollout::FinishReason::stop;
    s.text = value > 0 ? "it is \\boxed{2}" : "no idea\xff";
    if (value < 0) s.outcome.status = reward::Status::infra_error;
    s.outcome.value = value;
    s.outcome.extracted = value > 0 ? "2" : "";
    s.outcome.components = {{"math", value}};
    out.samples.push_back(s);
  }
  return out;
}

rl::RecordContext context() { return {"toy", "box", "c1", "d1", 9, Json{{"temperature", 0.5}}}; }

std::string folder(const std::string& name) {
  const auto path = fs::temp_directory_path() / ("ponder_eval_folder_" + name);
  fs::remove_all(path);
  return path.string();
}

std::string error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const kernels::UsageError& error) {
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a line has lm-eval's keys, with each sample's own beside them", "[eval]") {
  const Json line = Json::parse(rl::record_line(problem(), group({1, 0, -1}), context()));
  for (const char* key : {"doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics", "doc_hash",
                          "prompt_hash", "target_hash"}) {
    INFO(key);
    REQUIRE(line.contains(key));
  }
  REQUIRE(line["arguments"]["gen_args_0"]["arg_0"] == "<user>q");
  REQUIRE(line["resps"][0].size() == 3);
  REQUIRE(line["metrics"] == Json::array({"avg@3"}));
  REQUIRE(line["avg@3"] == 0.5);  // one of two verdicts; the third sample has none
  // Python: hashlib.sha256(json.dumps(doc, indent=2, ensure_ascii=False).encode()).hexdigest()
  REQUIRE(line["doc_hash"] == "1d394618b4e45720b440a7deb32062589c343b2854e16a3c24b02981d56cbc65");
  REQUIRE(line["samples"][0]["correct"] == true);
  REQUIRE(line["samples"][0]["well_formed"] == true);
  REQUIRE(line["samples"][1]["correct"] == false);
  REQUIRE(line["samples"][2]["correct"].is_null());
  REQUIRE(line["samples"][2]["value"].is_null());
  REQUIRE(line["samples"][2]["finish_reason"] == "length");
  REQUIRE(line["samples"][1]["seed"] == 9);
}

TEST_CASE("a line reads back as it was, bytes that are no UTF-8 as U+FFFD", "[eval]") {
  const rl::EvaluatedProblem read = rl::read_record(rl::record_line(problem(), group({1, 0, -1}), context()), "here");
  REQUIRE(read.doc_id == 7);
  REQUIRE(read.prompt == "<user>q");
  REQUIRE(read.samples.size() == 3);
  REQUIRE(read.samples[1].completion == "no idea\xef\xbf\xbd");
  REQUIRE(read.samples[2].truncated);
  REQUIRE(read.scored() == 2);
  REQUIRE(read.right() == 1);
  REQUIRE(*read.share_right() == 0.5);
  REQUIRE(contains(error_of([] { rl::read_record("{\"doc_id\": 1}", "x.jsonl:3"); }),
                   "x.jsonl:3: is no line that `ponder eval` wrote"));
}

TEST_CASE("the form that was asked for is recognised", "[eval]") {
  REQUIRE(rl::has_form("box", "", "so \\boxed{\\frac{1}{2}}."));
  REQUIRE(!rl::has_form("box", "", "so \\boxed{1"));
  REQUIRE(rl::has_form("answer_tags", "", "<answer>1</answer>"));
  REQUIRE(!rl::has_form("answer_tags", "", "<answer>1"));
  REQUIRE(rl::has_form("hashes", "", "#### 5"));
  REQUIRE(rl::has_form("code", "", "```python\nx\n```"));
  REQUIRE(!rl::has_form("code", "", "```python\nx\n"));
  REQUIRE(rl::has_form("r1-zero", "", "<think>a</think><answer>b</answer>"));
  REQUIRE(!rl::has_form("r1-zero", "", "<think>a<answer>b</answer>"));
}

TEST_CASE("a stopped evaluation is taken up where it was, without the line that was cut off", "[eval]") {
  const std::string path = folder("resume");
  const Json settings{{"samples", 2}, {"seed", 1}};
  std::string date;
  {
    rl::EvalFolder begun(path, settings);
    date = begun.date();
    begun.append("toy", "{\"doc_id\":5,\"x\":1}");
    begun.append("toy", "{\"doc_id\":2}");
    begun.append("other", "{\"doc_id\":0}");
  }
  std::ofstream(path + "/unfinished_toy.jsonl", std::ios::app) << "{\"doc_id\":3,\"x";
  rl::EvalFolder again(path, settings);
  REQUIRE(again.date() == date);
  auto lines = again.lines("toy");
  REQUIRE(lines.size() == 2);
  REQUIRE(again.lines("other").size() == 1);
  again.append("toy", "{\"doc_id\":3}");
  lines = again.lines("toy");
  REQUIRE(lines.size() == 3);
  again.write_samples("toy", lines);
  again.remove_unfinished({"toy", "other"});
  REQUIRE(!fs::exists(path + "/unfinished_toy.jsonl"));
  std::ifstream in(again.samples_file("toy"));
  const std::string all((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  REQUIRE(all == "{\"doc_id\":2}\n{\"doc_id\":3}\n{\"doc_id\":5,\"x\":1}\n");
  REQUIRE(rl::EvalFolder(path, settings).lines("toy").size() == 3);  // an ended one is there too
}

TEST_CASE("other settings in the same folder are refused, and the differences are named", "[eval]") {
  const std::string path = folder("other");
  rl::EvalFolder(path, Json{{"samples", 2}, {"suites", {{"toy", {{"data_sha256", "d1"}}}}}});
  const std::string error = error_of([&] {
    rl::EvalFolder(path, Json{{"samples", 4}, {"suites", {{"toy", {{"data_sha256", "d2"}}}}}});
  });
  REQUIRE(contains(error, "samples is 2 there and 4 here; suites.toy.data_sha256 is \"d1\" there and \"d2\" here."));
  REQUIRE(contains(error, "--output"));
  REQUIRE(rl::differences(Json{{"a", 1}}, Json{{"b", 1}}) == "a is 1 there and null here; b is null there and 1 here");
}

TEST_CASE("result folders are named for the run, not for the folder final", "[eval]") {
  REQUIRE(rl::short_model_name("runs/quickstart/final") == "quickstart");
  REQUIRE(rl::short_model_name("runs/a/final/") == "a");
  REQUIRE(rl::short_model_name("/x/runs/a/checkpoints/step-000120") == "a-step-000120");
  REQUIRE(rl::short_model_name("models/smollm2-135m/") == "smollm2-135m");
  REQUIRE(rl::short_model_name("./models/m") == "m");
  REQUIRE(rl::short_model_name("final") == "final");
}
