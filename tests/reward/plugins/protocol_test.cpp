#include "reward/plugins/protocol.h"

#include "tests/reward/plugins/support.h"

using Catch::Matchers::Contains;
namespace protocol = reward::protocol;

namespace {

std::string reason_of(const std::string& reply, const std::vector<reward::Item>& items) {
  try {
    protocol::read_results(reply, 5, items);
    return "";
  } catch (const protocol::Violation& violation) {
    return violation.reason;
  }
}

}  // namespace

TEST_CASE("requests are single lines in the documented shape", "[protocol]") {
  CHECK(protocol::hello_request({{"a", "1"}}) == R"({"type":"hello","protocol":1,"config":{"a":"1"}})");
  CHECK(protocol::ping_request(3) == R"({"type":"ping","id":3})");
  CHECK(protocol::shutdown_request() == R"({"type":"shutdown"})");
  auto items = group_of({"line\nbreak"}, 3);
  items[0].completion_tokens = 2;
  items[0].data_source = "toy";
  CHECK(protocol::score_request(9, 250, items) ==
        R"({"type":"score","id":9,"deadline_ms":250,"items":[{"uid":"3-0-0","prompt":"prompt","completion":"line\nbreak",)"
        R"("completion_tokens":2,"finish_reason":"stop","truth":"42","data_source":"toy","group":3,"extra":{}}]})");
}

TEST_CASE("a hello needs protocol 1 and a name; capabilities have defaults", "[protocol]") {
  const auto plain = protocol::read_hello(R"({"type":"hello","protocol":1,"name":"x"})");
  CHECK((plain.name == "x" && plain.version.empty() && plain.batch && !plain.group && plain.max_batch == 256));
  const auto full = protocol::read_hello(
      R"({"type":"hello","protocol":1,"name":"x","version":"2","capabilities":{"batch":false,"group":true,"max_batch":8}})");
  CHECK((full.version == "2" && !full.batch && full.group && full.max_batch == 8));
  for (const char* text : {"", "hello", "[]", "{}", R"({"type":"hello"})", R"({"type":"hello","protocol":2,"name":"x"})",
                           R"({"type":"hello","protocol":"1","name":"x"})", R"({"type":"hello","protocol":1})",
                           R"({"type":"hello","protocol":1,"name":"x","capabilities":[]})",
                           R"({"type":"hello","protocol":1,"name":"x","capabilities":{"batch":1}})",
                           R"({"type":"hello","protocol":1,"name":"x","capabilities":{"max_batch":0}})"})
    CHECK_THROWS_AS(protocol::read_hello(text), protocol::Violation);
}

TEST_CASE("results belong to their request and their items, in order, or are none", "[protocol]") {
  const auto items = group_of({"a", "b"}, 1);
  const std::string one = R"({"uid":"1-0-0","score":1})", two = R"({"uid":"1-1-1","score":0.5,"status":"ok"})";
  const auto reply = [](const std::string& results, const std::string& id = "5") {
    return R"({"type":"result","id":)" + id + R"(,"results":[)" + results + "]}";
  };
  const auto got = protocol::read_results(reply(one + "," + two), 5, items);
  CHECK((got[0].value == 1 && got[1].value == 0.5));
  CHECK(reason_of(reply(two + "," + one), items) == "wrong_uid");
  CHECK(reason_of(reply(one + "," + one), items) == "wrong_uid");
  CHECK(reason_of(reply(one), items) == "wrong_count");
  CHECK(reason_of(reply(one + "," + two + "," + two), items) == "wrong_count");
  CHECK(reason_of(reply(one + "," + two, "4"), items) == "wrong_id");
  CHECK(reason_of(reply(one + "," + two, "5.0"), items) == "wrong_id");
  CHECK(reason_of(reply("1,2"), items) == "wrong_type");
  CHECK(reason_of(R"({"type":"result","id":5})", items) == "wrong_type");
  CHECK(reason_of(R"({"type":"pong","id":5})", items) == "wrong_type");
  CHECK(reason_of(reply(one + "," + R"({"uid":"1-1-1","score":NaN})"), items) == "junk");
  CHECK(reason_of(reply(one + "," + R"({"uid":"1-1-1","score":1e999})"), items) == "junk");
}

TEST_CASE("what the plug-in's side reads is what the trainer's side wrote", "[protocol]") {
  auto items = group_of({"a", "b", "c"}, 4);
  items[1].truncated = true;
  items[2].extra = R"({"k":[1]})";
  const auto request = protocol::read_request(protocol::score_request(8, 100, items));
  REQUIRE((request.type == "score" && request.id == 8 && request.deadline_ms == 100 && request.items.size() == 3));
  CHECK((request.items[1].truncated && !request.items[0].truncated && request.items[2].extra == R"({"k":[1]})"));
  CHECK((request.items[2].completion == "c" && request.items[2].answer == "42" && request.items[2].group_id == 4));
  std::vector<reward::Outcome> outcomes(3);
  outcomes[0].value = 0.25;
  outcomes[0].components = {{"x", 2}};
  outcomes[1].status = reward::Status::timeout;
  outcomes[2].status = reward::Status::not_applicable;
  const auto back = protocol::read_results(protocol::result_reply(request, outcomes), 8, items);
  CHECK((back[0].value == 0.25 && back[0].components == outcomes[0].components));
  CHECK(told({back[1], back[2]}) == std::vector<std::string>{"infra_error plugin_error", "not_applicable skipped"});
}

TEST_CASE("what cannot be printed does not get into a message", "[protocol]") {
  CHECK(protocol::shown("a\n\xff\x1b[31mb") == "a???[31mb");
  CHECK(protocol::shown(std::string(500, 'x')).size() == 203);
}

TEST_CASE("a reply that nests without end is junk, and no reason to die", "[protocol]") {
  const auto items = group_of({"a"}, 1);
  const auto nested = [](size_t levels) {
    return R"({"type":"result","id":5,"results":[{"uid":"1-0-0","score":1,"detail":)" + std::string(levels, '[') +
           std::string(levels, ']') + "}]}";
  };
  CHECK(reason_of(nested(100), items).empty());
  CHECK(reason_of(nested(300000), items) == "junk");
  const std::string quoted = '"' + std::string(5000, '[') + '"';  // brackets in a text do not nest
  CHECK(reason_of(R"({"type":"result","id":5,"results":[{"uid":"1-0-0","score":1,"detail":)" + quoted + "}]}", items).empty());
}
