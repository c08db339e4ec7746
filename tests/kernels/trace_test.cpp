#include "kernels/trace.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "kernels/error.h"
#include "tests/support/catch.h"

using nlohmann::json;

namespace {

struct File {
  std::string path = (std::filesystem::temp_directory_path() / ("ponder_trace_" + std::to_string(getpid()) + ".json")).string();
  ~File() { std::filesystem::remove(path); }
  std::string text() const {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

const json* find(const json& events, const std::string& name) {
  for (const json& e : events)
    if (e["name"] == name) return &e;
  return nullptr;
}

}  // namespace

TEST_CASE("a trace is a JSON array of complete events, a span inside another lies within its time", "[trace]") {
  File file;
  kernels::start_trace(file.path);
  {
    const kernels::Span outer("step");
    const kernels::Span inner("forward", nullptr, "rows", 42);
  }
  kernels::stop_trace();
  const json events = json::parse(file.text());
  const json *outer = find(events, "step"), *inner = find(events, "forward");
  REQUIRE((outer && inner));
  CHECK((*outer)["ph"] == "X");
  CHECK((*inner)["args"]["rows"] == 42);
  CHECK((*inner)["tid"] == (*outer)["tid"]);
  const double start = (*outer)["ts"], end = start + (*outer)["dur"].get<double>();
  CHECK((*inner)["ts"] >= start);
  CHECK((*inner)["ts"].get<double>() + (*inner)["dur"].get<double>() <= end + 0.002);  // times are written to a nanosecond
}

TEST_CASE("threads have lanes of their own, those of one name the same", "[trace]") {
  File file;
  kernels::start_trace(file.path);
  for (const char* what : {"score", "score again"})
    std::thread([what] {
      kernels::name_trace_lane("rewards");
      kernels::Span{what};
    }).join();
  kernels::Span("step");
  kernels::stop_trace();
  const json events = json::parse(file.text());
  CHECK((*find(events, "score"))["tid"] == (*find(events, "score again"))["tid"]);
  const json* name = find(events, "thread_name");
  REQUIRE(name);
  CHECK((*name)["args"]["name"] == "rewards");
  CHECK((*name)["tid"] == (*find(events, "score"))["tid"]);
  CHECK((*name)["tid"] != (*find(events, "step"))["tid"]);
}

TEST_CASE("what was flushed is in the file before the trace ends", "[trace]") {
  File file;
  kernels::start_trace(file.path);
  kernels::Span("early");
  kernels::flush_trace();
  const std::string cut = file.text();
  kernels::stop_trace();
  // An array without its end: without the last comma and with a bracket it is whole.
  CHECK(json::parse(cut.substr(0, cut.size() - 2) + "]").size() == 1);
}

TEST_CASE("a span adds its seconds to a sum without any trace, once", "[trace]") {
  double sum = 0;
  {
    kernels::Span span("work", &sum);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    span.end();
    CHECK(sum >= 0.002);
    const double once = sum;
    span.end();
    CHECK(sum == once);
  }
  kernels::flush_trace();  // nothing is traced: nothing happens
  kernels::stop_trace();
}

TEST_CASE("a second trace and a file that cannot be written are refused", "[trace]") {
  CHECK_THROWS_WITH(kernels::start_trace("/nowhere/trace.json"), Catch::Contains("/nowhere/trace.json"));
  File file;
  kernels::start_trace(file.path);
  CHECK_THROWS_AS(kernels::start_trace(file.path), kernels::Error);
  kernels::stop_trace();
}
