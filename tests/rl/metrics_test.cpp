#include "rl/metrics.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>

#include "kernels/error.h"
#include "rl/report/progress.h"
#include "rl/report/tensorboard.h"
#include "rl/report/terminal.h"
#include "tests/support/catch.h"

namespace {

std::string fresh_folder() {
  const auto folder = std::filesystem::temp_directory_path() / "ponder_metrics_test";
  std::filesystem::remove_all(folder);
  return folder.string();
}

std::string text_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out += static_cast<char>(value);
  return out;
}

}  // namespace

TEST_CASE("a metrics line keeps its order, writes counts as integers and what is not finite as null", "[metrics]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  REQUIRE(rl::metrics_line("grpo", 3, {{"reward", 0.1}, {"num_tokens", 12345678}, {"kl", nan}, {"grad_norm", 1.0 / 3}}) ==
          R"({"stage":"grpo","step":3,"reward":0.1,"num_tokens":12345678,"kl":null,"grad_norm":0.3333333333333333})");
}

TEST_CASE("a step is on the disk when log returns, and reads back", "[metrics]") {
  const std::string folder = fresh_folder();
  rl::MetricsLog log(folder, /*tensorboard=*/false);
  log.log("cold", 1, {{"loss", 2.5}, {"timing/step_seconds", 0.25}});
  REQUIRE(text_of(folder + "/metrics.jsonl") == "{\"stage\":\"cold\",\"step\":1,\"loss\":2.5,\"timing/step_seconds\":0.25}\n");
  log.log("cold", 2, {{"loss", INFINITY}});
  const auto lines = rl::read_metrics(folder + "/metrics.jsonl");
  REQUIRE(lines.size() == 2);
  REQUIRE(lines[0].values[1].second == 0.25);
  REQUIRE(lines[1].step == 2);
  REQUIRE(std::isnan(lines[1].values[0].second));
}

TEST_CASE("a metric that is not in the table is refused by name", "[metrics]") {
  rl::MetricsLog log(fresh_folder(), false);
  REQUIRE_THROWS_WITH(log.log("s", 1, {{"rewrad", 1}}),
                      "metrics: \"rewrad\" is not in the table of rl/metrics.cpp. Add it with its unit and meaning.");
  REQUIRE(rl::find_metric("rewards/exact/mean") == rl::find_metric("rewards/format/mean"));
  REQUIRE(rl::find_metric("rewards/exact/max") == nullptr);
}

TEST_CASE("a resumed run cuts the lines after its checkpoint", "[metrics]") {
  const std::string folder = fresh_folder();
  const std::vector<std::string> stages = {"cold", "grpo"};
  const auto fill = [&] {
    std::filesystem::remove_all(folder);
    rl::MetricsLog log(folder, false);
    for (int64_t step = 1; step <= 3; ++step) log.log("cold", step, {{"loss", 1.0}});
    log.log("grpo", 0, {{"eval/accuracy", 0.1}});
    for (int64_t step = 1; step <= 3; ++step) log.log("grpo", step, {{"reward", 0.5}});
  };
  const auto kept = [&](const std::string& stage, int64_t step) {
    rl::truncate_lines_after(folder + "/metrics.jsonl", stages, stage, step);
    std::string out;
    for (const auto& line : rl::read_metrics(folder + "/metrics.jsonl")) out += line.stage[0] + std::to_string(line.step) + " ";
    return out;
  };
  fill();
  REQUIRE(kept("grpo", 2) == "c1 c2 c3 g0 g1 g2 ");
  REQUIRE(kept("grpo", 0) == "c1 c2 c3 g0 ");
  fill();
  REQUIRE(kept("cold", 2) == "c1 c2 ");
  REQUIRE(kept("cold", 0).empty());
  // A kill in the middle of a line leaves half of it.
  fill();
  std::ofstream(folder + "/metrics.jsonl", std::ios::app) << "{\"stage\":\"grpo\",\"step\":4,\"rew";
  REQUIRE(kept("grpo", 9) == "c1 c2 c3 g0 g1 g2 g3 ");
  REQUIRE(text_of(folder + "/metrics.jsonl").back() == '\n');
  // The evaluation of a step that is to be made again.
  rl::MetricsLog(folder, false).log("grpo", 3, {{"eval/accuracy", 0.5}});
  REQUIRE(kept("grpo", 3) == "c1 c2 c3 g0 g1 g2 g3 g3 ");
  rl::truncate_lines_after(folder + "/metrics.jsonl", stages, "grpo", 3, true);
  REQUIRE(kept("grpo", 3) == "c1 c2 c3 g0 g1 g2 g3 ");
  // And a new log goes on behind it.
  rl::MetricsLog(folder, false).log("grpo", 4, {{"reward", 1.0}});
  REQUIRE(kept("grpo", 9) == "c1 c2 c3 g0 g1 g2 g3 g4 ");
  // A line inside that cannot be read costs none of those behind it.
  fill();
  std::ofstream(folder + "/metrics.jsonl", std::ios::app) << "{\"stage\":\"grpo\",\"st{\"stage\":3}\n";
  rl::MetricsLog(folder, false).log("grpo", 5, {{"reward", 1.0}});
  REQUIRE(kept("grpo", 9) == "c1 c2 c3 g0 g1 g2 g3 g5 ");
  REQUIRE(kept("grpo", 3) == "c1 c2 c3 g0 g1 g2 g3 ");
  std::filesystem::remove_all(folder);
  REQUIRE_NOTHROW(rl::truncate_lines_after(folder + "/metrics.jsonl", stages, "cold", 1));
}

TEST_CASE("each name stands once in the metric table", "[metrics]") {
  std::set<std::string> names;
  for (const auto& info : rl::metric_infos()) {
    REQUIRE(names.insert(info.name).second);
    REQUIRE(std::string(info.meaning) != "");
  }
}

TEST_CASE("CRC32C has its published check value", "[tensorboard]") {
  REQUIRE(rl::crc32c("123456789") == 0xe3069283u);
  // 0xe3069283 >> 15 = 0x1c60d; << 17 = 0x25060000 (mod 2^32); together 0x2507c60d; + 0xa282ead8 = 0xc78ab0e5.
  REQUIRE(rl::masked_crc32c("123456789") == 0xc78ab0e5u);
}

TEST_CASE("a TensorBoard event is the protobuf that is written by hand here", "[tensorboard]") {
  // wall_time 1.0: tag 1<<3|1 = 9, then the double. step 5: tag 2<<3|0 = 16. version: tag 3<<3|2 = 26, 13 bytes.
  const std::string wall = bytes({9, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f});
  REQUIRE(rl::version_event(1.0) == wall + bytes({26, 13}) + "brain.Event:2");
  // Value: tag 10, "g/loss" (6 bytes); tag 2<<3|5 = 21, float 0.5 = 0x3f000000. 8 + 5 = 13 bytes.
  // Summary: tag 10, 13 bytes. Event field 5: tag 42, 15 bytes. NaN is left out.
  const std::string value = bytes({10, 6}) + "g/loss" + bytes({21, 0, 0, 0, 0x3f});
  REQUIRE(rl::scalars_event(1.0, 5, "g/", {{"loss", 0.5}, {"kl", std::nan("")}}) ==
          wall + bytes({16, 5, 42, 15, 10, 13}) + value);
  // Steps above 127 take two bytes: 300 = 0b10'0101100 -> 0xac 0x02.
  REQUIRE(rl::scalars_event(1.0, 300, "", {}) == wall + bytes({16, 0xac, 2, 42, 0}));
}

TEST_CASE("a TensorBoard record frames its data with lengths and checksums", "[tensorboard]") {
  const std::string record = rl::tensorboard_record("123456789");
  REQUIRE(record.size() == 8 + 4 + 9 + 4);
  REQUIRE(record.substr(0, 8) == bytes({9, 0, 0, 0, 0, 0, 0, 0}));
  REQUIRE(record.substr(12, 9) == "123456789");
  REQUIRE(record.substr(21) == bytes({0xe5, 0xb0, 0x8a, 0xc7}));
  const std::string folder = fresh_folder();
  rl::MetricsLog(folder, /*tensorboard=*/true).log("s", 1, {{"loss", 1.0}});
  int64_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder + "/tensorboard")) {
    ++files;
    REQUIRE(entry.path().filename().string().rfind("events.out.tfevents.", 0) == 0);
    // Version: 9 + 2 + 13 = 24 bytes. Scalars: 9 + 2 + 2 + 2 + (2 + 6 + 5) = 28. Frames of 16.
    REQUIRE(entry.file_size() == 24 + 16 + 28 + 16);
  }
  REQUIRE(files == 1);
}

TEST_CASE("a sparkline spans its values from the lowest block to the highest", "[terminal]") {
  REQUIRE(rl::sparkline({0, 1, 2, 3, 4, 5, 6, 7}, 8) == "▁▂▃▄▅▆▇█");
  REQUIRE(rl::sparkline({0, 0, 7, 7}, 2) == "▁█");  // means of pairs
  REQUIRE(rl::sparkline({0, std::nan(""), 1}, 3) == "▁ █");
  REQUIRE(rl::sparkline({5, 5}, 4) == "▄▄");
  REQUIRE(rl::sparkline({}, 4).empty());
}

TEST_CASE("the curve draws higher values higher and labels its axes", "[terminal]") {
  // Two rows of eight: 0 fills one eighth, 1 fills all sixteen, so the upper row is empty and then full.
  REQUIRE(rl::text_curve({0, 1}, 10, 2, "reward") == "  reward\n        1 ┤ █\n        0 ┤▁█\n          └──\n           1 2\n");
  // Equal values have one label.
  REQUIRE(rl::text_curve({3, 3}, 10, 2, "x") == "  x\n          ┤  \n        3 ┤██\n          └──\n           1 2\n");
  REQUIRE(rl::text_curve({std::nan("")}, 10, 2, "x").empty());
}

TEST_CASE("the progress line tells rate and time left over the steps of this run", "[progress]") {
  // 10 of 50 steps done, 6 of them by this run in 3 s: 2 steps a second, 40 left: 20 s.
  rl::ProgressState state{"grpo", "reward 0.5", 10, 50, 4, 3.0};
  REQUIRE(rl::progress_line(state, 0) == "grpo  10/50  20%  reward 0.5  2.0 steps/s  left 20 s");
  state.step = 50;
  state.seconds = 92;
  REQUIRE(rl::progress_line(state, 4) == "grpo  50/50  ████  100%  reward 0.5  2.0 s/step  in 1m 32s");
  state.step = 4;  // nothing done yet: no rate
  REQUIRE(rl::progress_line(state, 0) == "grpo  4/50  8%  reward 0.5");
}

TEST_CASE("durations and counts are short", "[terminal]") {
  REQUIRE(rl::duration_text(0.84) == "0.8 s");
  REQUIRE(rl::duration_text(59.4) == "59 s");
  REQUIRE(rl::duration_text(200) == "3m 20s");
  REQUIRE(rl::duration_text(3840) == "1h 04m");
  REQUIRE(rl::count_text(999) == "999");
  REQUIRE(rl::count_text(12345) == "12.3k");
  REQUIRE(rl::count_text(4500000) == "4.5M");
}
