#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>
#include <random>

#include "tests/reward/plugins/support.h"

using Catch::Matchers::Contains;
using reward::make_reward;
using reward::Status;
using Strings = std::vector<std::string>;

TEST_CASE("a program that speaks JSON lines is a reward", "[process]") {
  const auto faulty = make_reward(faulty_settings());
  REQUIRE(faulty->self_test() == "");
  CHECK(faulty->version() == "process faulty 7, protocol 1");
  const auto got = faulty->score(group_of({"it is 42", "it is 41", "", "42!"}), within(60s));
  CHECK(told(got) == Strings{"1.0", "0.0", "0.0", "1.0"});
  CHECK(got[0].extracted == "it is");
  using Components = std::vector<std::pair<std::string, double>>;
  CHECK(got[0].components == Components{{"found", 1.0}});
  CHECK(faulty->score({}, within(60s)).empty());
}

TEST_CASE("a program is told all about a completion, the options as its config, and the time that is left", "[process]") {
  auto settings = faulty_settings();
  settings.options = {{"buffer", "512"}, {"word", "x\"y"}};
  const auto faulty = make_reward(settings);
  auto items = group_of({"[request] \xff\xfe end", "41"}, 7);
  items[0].data_source = "gsm8k";
  items[0].completion_tokens = 12;
  items[0].truncated = true;
  items[0].extra = R"({"level":3})";
  items[0].answer = R"(["1","2"])";
  const auto got = faulty->score(items, within(60s));
  const auto asked = nlohmann::json::parse(got.at(0).detail.substr(0, 1000));
  CHECK(asked["items"] == 2);
  CHECK(asked["config"] == nlohmann::json({{"buffer", "512"}, {"word", "x\"y"}}));
  CHECK(asked["deadline_ms"] > 1000);
  CHECK(asked["deadline_ms"] <= 60000);
  const auto& it = asked["item"];
  CHECK(it["uid"] == "7-0-0");
  CHECK(it["prompt"] == "prompt");
  CHECK(it["completion"] == "[request] \xef\xbf\xbd\xef\xbf\xbd end");  // bytes that are no UTF-8: U+FFFD each
  CHECK(it["truth"] == R"(["1","2"])");
  CHECK(it["finish_reason"] == "length");
  CHECK(it["completion_tokens"] == 12);
  CHECK(it["data_source"] == "gsm8k");
  CHECK(it["group"] == 7);
  CHECK(it["extra"]["level"] == 3);
}

TEST_CASE("a megabyte goes in and out", "[process]") {
  const auto faulty = make_reward(faulty_settings());
  const auto got = faulty->score(group_of({"[length]" + std::string(1 << 20, '{'), "42"}), within(60s));
  CHECK(got.at(0).value == (1 << 20) + 8);
  CHECK(told(got.at(1)) == "1.0");
}

TEST_CASE("a result that is wrong by itself fails alone", "[process]") {
  const auto faulty = make_reward(faulty_settings());
  const auto got = faulty->score(group_of({"42", "[skip]", "[error]", "[status]", "[null]", "[text]", "[missing]", "42"}),
                                 within(60s));
  CHECK(told(got) == Strings{"1.0", "not_applicable skipped", "infra_error plugin_error", "infra_error wrong_status",
                             "infra_error not_finite", "infra_error not_finite", "infra_error not_finite", "1.0"});
  CHECK(got[2].detail == "no disk");
  for (const auto& outcome : got)
    if (!outcome.has_value()) CHECK(outcome.value == 0.0);
}

TEST_CASE("a reply that breaks the protocol scores nothing, and the next call works", "[process]") {
  const auto faulty = make_reward(faulty_settings());
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"[count]", "wrong_count"}, {"[order]", "wrong_uid"}, {"[uid]", "wrong_uid"}, {"[id]", "wrong_id"},     {"[nan]", "junk"},
      {"[junk]", "junk"},         {"[huge]", "huge"},       {"[bytes]", "junk"},    {"[pong]", "wrong_type"}, {"[list]", "junk"}};
  for (const auto& [word, reason] : cases) {
    INFO(word);
    const auto got = faulty->score(group_of({"42 " + word, "42", "41"}), within(60s));
    CHECK(told(got) == Strings(3, "infra_error " + reason));
    CHECK_THAT(got[0].detail, Contains("faulty: "));
    CHECK(told(faulty->score(group_of({"42", "41"}), within(60s))) == Strings{"1.0", "0.0"});
  }
}

TEST_CASE("a second line that nobody asked for is never taken for the next answer", "[process]") {
  const auto faulty = make_reward(faulty_settings());
  CHECK(told(faulty->score(group_of({"42 [twice]"}), within(60s))) == Strings{"1.0"});
  // Either the line has arrived and the worker is replaced, or it is read as the next answer, whose id is wrong.
  const auto next = told(faulty->score(group_of({"41"}), within(60s)));
  CHECK((next == Strings{"infra_error junk"} || next == Strings{"infra_error wrong_id"}));
  CHECK(told(faulty->score(group_of({"41"}), within(60s))) == Strings{"0.0"});
}

TEST_CASE("a program that hangs is killed at the deadline with all it started, and the next call works", "[process]") {
  const auto faulty = make_reward(faulty_settings());
  const auto ids = faulty->score(group_of({"[pid]", "[child]"}), within(60s));
  const pid_t own = std::stoi(ids.at(0).detail), child = std::stoi(ids.at(1).detail);
  REQUIRE_FALSE(gone(child));
  const auto got = faulty->score(group_of({"42", "42 [hang]"}), within(300ms));
  CHECK(told(got) == Strings{"timeout deadline", "timeout deadline"});
  CHECK(soon_gone(own));
  CHECK(soon_gone(child));
  CHECK(told(faulty->score(group_of({"42"}), within(60s))) == Strings{"1.0"});
}

TEST_CASE("its own time-out bounds a call that has no deadline", "[process]") {
  auto settings = faulty_settings();
  settings.timeout_ms = 300;
  const auto faulty = make_reward(settings);
  REQUIRE(faulty->self_test() == "");
  CHECK(told(faulty->score(group_of({"[hang]"}), no_deadline)) == Strings{"timeout deadline"});
}

TEST_CASE("the completion that a program dies on is poison after three deaths; the others of its group are scored", "[process]") {
  for (const char* word : {"[die]", "[signal]"}) {
    const auto faulty = make_reward(faulty_settings());
    const auto got = faulty->score(group_of({"42", std::string("42 ") + word, "41"}), within(60s));
    CHECK(told(got) == Strings{"1.0", "infra_error poison", "0.0"});
    // It is known from now on, and costs no worker.
    const auto before = faulty->score(group_of({"[pid]"}), within(60s)).at(0).detail;
    CHECK(told(faulty->score(group_of({"42", std::string("42 ") + word}), within(60s))) == Strings{"1.0", "infra_error poison"});
    CHECK(faulty->score(group_of({"[pid]"}), within(60s)).at(0).detail == before);
  }
}

TEST_CASE("a plug-in that compares completions gets groups in one piece, and loses them in one piece", "[process]") {
  const auto faulty = make_reward(faulty_settings({"group", "most=2"}));
  auto items = group_of({"[request]", "42", "41"}, 1), more = group_of({"42", "[die]"}, 2);
  items.insert(items.end(), more.begin(), more.end());
  const auto got = faulty->score(items, within(60s));
  CHECK(nlohmann::json::parse(got.at(0).detail)["items"] == 3);
  CHECK(told({got.begin() + 1, got.end()}) == Strings{"1.0", "0.0", "infra_error poison", "infra_error poison"});
}

TEST_CASE("requests hold no more items than the program can take", "[process]") {
  const std::vector<std::pair<std::string, std::vector<int>>> cases = {{"most=2", {2, 2, 1}}, {"one", {1, 1, 1}}};
  for (const auto& [word, sizes] : cases) {
    const auto faulty = make_reward(faulty_settings({word}));
    const auto got = faulty->score(group_of({"[request]", "42", "[request]", "41", "[request]"}), within(60s));
    for (size_t i = 0; i < 3; ++i) CHECK(nlohmann::json::parse(got.at(2 * i).detail)["items"] == sizes[i]);
  }
}

TEST_CASE("a worker killed from outside between two calls costs nothing", "[process]") {
  const auto faulty = make_reward(faulty_settings());
  for (int round = 0; round < 3; ++round) {
    const pid_t id = std::stoi(faulty->score(group_of({"[pid]"}), within(60s)).at(0).detail);
    ::kill(id, SIGKILL);
    CHECK(told(faulty->score(group_of({"42", "41"}), within(60s))) == Strings{"1.0", "0.0"});
  }
}

TEST_CASE("a program that cannot start scores nothing and says why", "[process]") {
  const auto with = [](const Strings& command) {
    auto settings = faulty_settings();
    settings.command = command;
    return settings;
  };
  const auto script = faulty_settings().command;
  const std::vector<std::pair<reward::Settings, std::string>> cases = {
      {with({"/nowhere/reward"}), "cannot be started: No such file"},
      {faulty_settings({"exits"}), "exit code 1 before its hello; its last words: no module named cheese"},
      {faulty_settings({"old"}), "speaks protocol 2, but this program speaks 1"},
      {faulty_settings({"junk"}), "not a JSON object: loading the model"},
      {with({"true"}), "before its hello"},
  };
  for (const auto& [settings, why] : cases) {
    const auto broken = make_reward(settings);
    CHECK_THAT(broken->self_test(), Contains(why));
    const auto got = broken->score(group_of({"42", "41"}), within(2s));
    for (const auto& outcome : got) {
      CHECK(outcome.status == Status::infra_error);
      CHECK((outcome.reason == "start_failed" || outcome.reason == "restarting"));
    }
  }
}

TEST_CASE("a program that says no hello in its time has not started", "[process]") {
  auto settings = faulty_settings({"dumb"});
  settings.start_timeout_ms = 200;
  const auto dumb = make_reward(settings);
  CHECK_THAT(dumb->self_test(), Contains("said no hello within 200 ms"));
}

TEST_CASE("a program that is slow to start goes on starting from one call to the next", "[process]") {
  auto settings = faulty_settings({"dumb"});
  const auto dumb = make_reward(settings);
  CHECK(told(dumb->score(group_of({"42"}), within(30ms))) == Strings{"infra_error starting"});
  CHECK(told(dumb->score(group_of({"42"}), within(30ms))) == Strings{"infra_error starting"});
}

TEST_CASE("workers work at the same time", "[process]") {
  const auto folder = std::filesystem::temp_directory_path() / ("ponder_meet_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  auto settings = faulty_settings();
  settings.workers = 2;
  const std::shared_ptr<reward::Reward> faulty = make_reward(settings);
  // Each completion waits for the other: this ends only with two workers.
  reward::AsyncScorer scorer(faulty, 2, 60000);
  auto items = group_of({"42 [meet " + folder.string() + " 0]"}, 1), more = group_of({"42 [meet " + folder.string() + " 1]"}, 2);
  items.insert(items.end(), more.begin(), more.end());
  CHECK(told(scorer.wait(scorer.submit(items))) == Strings{"1.0", "1.0"});
  std::filesystem::remove_all(folder);
}

TEST_CASE("with faults on all sides, no completion ever gets a score that is not its own", "[process]") {
  auto settings = faulty_settings();
  settings.workers = 3;
  const std::shared_ptr<reward::Reward> faulty = make_reward(settings);
  REQUIRE(faulty->self_test() == "");
  std::mt19937 random(11);
  const char* faults[] = {"[die]", "[count]", "[order]", "[junk]", "[uid]", "[nan]", "[error]", "[null]"};
  std::vector<reward::Item> items;
  for (int64_t group = 0; group < 40; ++group)
    for (int64_t i = 0; i < 4; ++i) {
      std::string text = "answer " + std::to_string(random() % 3 + 41) + " of " + std::to_string(group) + "," + std::to_string(i);
      if (random() % 20 == 0) text += faults[random() % std::size(faults)];
      items.push_back(item(text, "42"));
      items.back().group_id = group;
      items.back().sample_index = i;
    }
  reward::AsyncScorer scorer(faulty, 3, 60000);
  const auto got = scorer.wait(scorer.submit(items));
  int64_t scored = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    INFO(items[i].completion << ": " << told(got[i]) << " " << got[i].detail);
    if (items[i].completion.find('[') != std::string::npos) CHECK_FALSE(got[i].has_value());
    if (!got[i].has_value()) continue;
    ++scored;
    CHECK(got[i].value == (items[i].completion.find("42") != std::string::npos ? 1.0 : 0.0));
  }
  CHECK(scored > 80);
}

TEST_CASE("the entry of a plug-in is checked before anything is started", "[process]") {
  auto settings = faulty_settings();
  settings.command.clear();
  CHECK_THROWS_WITH(make_reward(settings), Contains("command is missing"));
  settings = faulty_settings();
  settings.kind = "builtin";
  CHECK_THROWS_WITH(make_reward(settings), Contains("belongs to kind = \"process\""));
  settings.kind = "proces";
  CHECK_THROWS_WITH(make_reward(settings), Contains("builtin, process, library, http"));
  settings = faulty_settings();
  settings.workers = 0;
  CHECK_THROWS_WITH(make_reward(settings), Contains("workers is 0"));
}
