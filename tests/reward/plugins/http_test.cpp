#include "reward/plugins/http_client.h"

#include <unistd.h>

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>

#include "tests/reward/plugins/support.h"

using Catch::Matchers::Contains;
using reward::make_reward;
using Json = nlohmann::json;
using Strings = std::vector<std::string>;

namespace {

using boost::asio::ip::tcp;

// A web server of a few lines: each connection on a thread of its own, answers from a function of (headers, body). An empty
// answer closes the connection.
class Server {
 public:
  using Answer = std::function<std::string(const std::string& headers, const std::string& body)>;

  explicit Server(Answer answer) : answer_(std::move(answer)), acceptor_(loop_, {boost::asio::ip::address_v4::loopback(), 0}) {
    accepting_ = std::thread([this] {
      for (;;) {
        auto socket = std::make_shared<tcp::socket>(loop_);
        boost::system::error_code error;
        acceptor_.accept(*socket, error);
        if (error || stopping_) return;
        ++connections;
        std::lock_guard lock(mutex_);
        sockets_.push_back(socket);
        serving_.emplace_back([this, socket] { serve(*socket); });
      }
    });
  }
  ~Server() {
    stopping_ = true;
    boost::system::error_code ignored;
    tcp::socket last(loop_);
    last.connect(acceptor_.local_endpoint(), ignored);  // wakes accept
    accepting_.join();
    for (auto& socket : sockets_) socket->shutdown(tcp::socket::shutdown_both, ignored);
    for (auto& thread : serving_) thread.join();
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + "/score"; }
  std::atomic<int> connections{0}, requests{0};

 private:
  void serve(tcp::socket& socket) {
    boost::system::error_code error;
    boost::asio::streambuf buffer;
    for (;;) {
      const size_t header = boost::asio::read_until(socket, buffer, "\r\n\r\n", error);
      if (error) return;
      std::string text(boost::asio::buffers_begin(buffer.data()), boost::asio::buffers_end(buffer.data()));
      const std::string headers = text.substr(0, header);
      const size_t length = std::stoul(headers.substr(headers.find("Content-Length: ") + 16));
      if (const size_t whole = header + length; text.size() < whole)
        boost::asio::read(socket, buffer, boost::asio::transfer_exactly(whole - text.size()), error);
      if (error) return;
      text.assign(boost::asio::buffers_begin(buffer.data()), boost::asio::buffers_end(buffer.data()));
      buffer.consume(header + length);
      ++requests;
      const std::string reply = answer_(headers, text.substr(header, length));
      if (reply.empty()) break;
      boost::asio::write(socket, boost::asio::buffer(reply), error);
      if (error) return;
    }
    socket.shutdown(tcp::socket::shutdown_both, error);
    socket.close(error);
  }

  Answer answer_;
  boost::asio::io_context loop_;
  tcp::acceptor acceptor_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::vector<std::shared_ptr<tcp::socket>> sockets_;
  std::vector<std::thread> serving_;
  std::thread accepting_;
};

std::string reply_of(const std::string& body, int status = 200) {
  const std::string length = std::to_string(body.size());
  const std::string first = "HTTP/1.1 " + std::to_string(status) + " X\r\n";
  return first + "Content-Type: application/json\r\nContent-Length: " + length + "\r\n\r\n" + body;
}

// Speaks our own protocol: 1 if the truth is in the completion.
std::string speak(const std::string& body) {
  const Json ask = Json::parse(body);
  if (ask["type"] == "hello")
    return reply_of(R"({"type":"hello","protocol":1,"name":"judge","version":"3","capabilities":{"max_batch":2}})");
  if (ask["type"] == "ping") return reply_of(Json{{"type", "pong"}, {"id", ask["id"]}}.dump());
  Json reply{{"type", "result"}, {"id", ask["id"]}, {"results", Json::array()}};
  for (const auto& item : ask["items"]) {
    const bool found = item["completion"].get<std::string>().find(item["truth"].get<std::string>()) != std::string::npos;
    reply["results"].push_back({{"uid", item["uid"]}, {"score", found ? 1.0 : 0.0}});
  }
  return reply_of(reply.dump());
}

reward::Settings settings_of(const Server& server, const std::string& payload = "ponder") {
  reward::Settings settings;
  settings.name = "judge";
  settings.kind = "http";
  settings.url = server.url();
  settings.payload = payload;
  settings.timeout_ms = 60000;
  return settings;
}

}  // namespace

TEST_CASE("a web service that speaks the protocol is a reward, over one kept connection", "[http]") {
  Server server([](const std::string&, const std::string& body) { return speak(body); });
  const auto judge = make_reward(settings_of(server));
  REQUIRE(judge->self_test() == "");
  CHECK(judge->version() == "http judge 3, protocol 1");
  const auto got = judge->score(group_of({"42", "41", "it is 42", "", "42!"}), within(60s));
  CHECK(told(got) == Strings{"1.0", "0.0", "1.0", "0.0", "1.0"});
  CHECK(server.requests == 2 + 3);  // hello, ping, and five items by two
  CHECK(server.connections == 1);
}

TEST_CASE("the payload of OpenRLHF: lists in, rewards out", "[http]") {
  Json asked;
  std::mutex mutex;
  Server server([&](const std::string&, const std::string& body) {
    std::lock_guard lock(mutex);
    asked = Json::parse(body);
    return reply_of(R"({"rewards":[0.5,null,-1],"scores":[9,9,9],"extra_logs":{}})");
  });
  const auto judge = make_reward(settings_of(server, "openrlhf"));
  CHECK(told(judge->score(group_of({"a", "b", "c"}), within(60s))) == Strings{"0.5", "infra_error not_finite", "-1."});
  CHECK(asked == Json({{"query", {"prompta", "promptb", "promptc"}},
                       {"prompts", {"prompt", "prompt", "prompt"}},
                       {"labels", {"42", "42", "42"}}}));
  CHECK(told(judge->score(group_of({"a", "b"}), within(60s))) == Strings(2, "infra_error wrong_count"));
}

TEST_CASE("the payload of slime: one completion a request, a number or an object back", "[http]") {
  Server server([&](const std::string&, const std::string& body) {
    const Json asked = Json::parse(body);
    if (asked["response"] == "number") return reply_of("0.25");
    if (asked["response"] == "score") return reply_of(R"({"score":0.5,"pred":"x"})");
    if (asked["response"] == "reward") return reply_of(R"({"reward":0.75})");
    return reply_of(R"("high")");
  });
  auto settings = settings_of(server, "slime");
  settings.workers = 3;
  CHECK(told(make_reward(settings)->score(group_of({"number", "score", "reward", "text"}), within(60s))) ==
        Strings{"0.2", "0.5", "0.7", "infra_error not_finite"});
}

TEST_CASE("a connection that breaks and a 503 are tried again; a 400 is not", "[http]") {
  std::atomic<int> tries{0}, status{503};
  Server server([&](const std::string&, const std::string&) {
    const int n = ++tries;
    if (n == 1) return std::string();  // closes without a word
    if (n == 2) return reply_of("busy", status);
    return reply_of("1.0");
  });
  const auto judge = make_reward(settings_of(server, "slime"));
  CHECK(told(judge->score(group_of({"x"}), within(60s))) == Strings{"1.0"});
  CHECK(tries == 3);
  tries = 1, status = 400;
  const auto got = judge->score(group_of({"x"}), within(60s));
  CHECK(told(got) == Strings{"infra_error http_status"});
  CHECK_THAT(got[0].detail, Contains("answered 400 after 1 tries: busy"));
  CHECK(tries == 2);
}

TEST_CASE("a server that closes kept connections is no failure", "[http]") {
  std::atomic<int> served{0};
  Server server([&](const std::string&, const std::string&) { return ++served % 2 == 0 ? std::string() : reply_of("1.0"); });
  const auto judge = make_reward(settings_of(server, "slime"));
  for (int i = 0; i < 3; ++i) CHECK(told(judge->score(group_of({"x"}), within(60s))) == Strings{"1.0"});
}

TEST_CASE("a service that does not answer in time is a time-out, and nobody there an infra_error", "[http]") {
  std::atomic<bool> release{false};
  std::string url;
  {
    Server server([&](const std::string&, const std::string&) {
      while (!release) std::this_thread::sleep_for(1ms);
      return reply_of("1.0");
    });
    url = server.url();
    const auto judge = make_reward(settings_of(server, "slime"));
    CHECK(told(judge->score(group_of({"x", "y"}), within(100ms))) == Strings(2, "timeout deadline"));
    release = true;
  }
  reward::Settings settings;
  settings.name = "nobody";
  settings.kind = "http";
  settings.url = url;  // its server has gone
  settings.payload = "slime";
  const auto got = make_reward(settings)->score(group_of({"x"}), within(300ms));
  CHECK(got.at(0).status == reward::Status::infra_error);
  CHECK(got.at(0).reason == "no_connection");
}

TEST_CASE("replies that are not as agreed score nothing", "[http]") {
  std::string body;
  Server server([&](const std::string&, const std::string& asked) {
    return Json::parse(asked)["type"] == "score" ? body : speak(asked);
  });
  const auto judge = make_reward(settings_of(server));
  REQUIRE(judge->self_test() == "");
  const std::vector<std::pair<std::string, std::string>> cases = {
      {reply_of("<html>"), "junk"},
      {reply_of("\xff\xfe"), "junk"},
      {reply_of(R"({"type":"result","id":1,"results":[]})"), "wrong_"},
      {reply_of(std::string(reward::HttpClient::most_reply_bytes + 1, 'x')), "huge"},
      {reply_of("{}", 404), "http_status"},
  };
  for (const auto& [text, reason] : cases) {
    body = text;
    const auto got = judge->score(group_of({"42"}), within(60s)).at(0);
    CHECK(got.status == reward::Status::infra_error);
    CHECK_THAT(got.reason, Contains(reason));
  }
}

TEST_CASE("the token of the file is sent, and an empty file is an error", "[http]") {
  const auto file = (std::filesystem::temp_directory_path() / ("ponder_token_" + std::to_string(::getpid()))).string();
  std::ofstream(file) << "s3cret \n";
  std::string seen;
  Server server([&](const std::string& headers, const std::string&) {
    seen = headers;
    return reply_of("1.0");
  });
  auto settings = settings_of(server, "slime");
  settings.token_file = file;
  make_reward(settings)->score(group_of({"x"}), within(60s));
  CHECK_THAT(seen, Contains("Authorization: Bearer s3cret\r\n"));
  CHECK_THAT(seen, Contains("POST /score HTTP/1.1"));
  std::ofstream(file) << "";
  CHECK_THROWS_WITH(make_reward(settings), Contains("token_file"));
  std::remove(file.c_str());
}

TEST_CASE("an address that cannot be is refused with the reason", "[http]") {
  reward::Settings settings;
  settings.name = "judge";
  settings.kind = "http";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"https://a/b", "TLS"}, {"a:80", "Write it like"}, {"http://", "no host"}, {"http://a:b/", "port"}, {"http://a/b c", "space"}};
  for (const auto& [url, why] : cases) {
    settings.url = url;
    CHECK_THROWS_WITH(make_reward(settings), Contains(why));
  }
}
