#include "reward/plugins/http_client.h"

#include <fmt/core.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "reward/reward.h"

namespace reward {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using tcp = boost::asio::ip::tcp;
using Clock = std::chrono::steady_clock;

struct Address {
  std::string host, port = "80", path = "/";
};

Address parse(const std::string& url) {
  const auto refuse = [&](const std::string& why) { throw Error(fmt::format("url is \"{}\": {}", url, why)); };
  const std::string scheme = "http://";
  if (url.rfind("https://", 0) == 0) refuse("TLS is not spoken here. Put a local proxy that does before the service.");
  if (url.rfind(scheme, 0) != 0) refuse("Write it like http://127.0.0.1:8000/score.");
  Address address;
  const size_t slash = url.find('/', scheme.size());
  std::string host = url.substr(scheme.size(), slash == std::string::npos ? slash : slash - scheme.size());
  if (slash != std::string::npos) address.path = url.substr(slash);
  if (const size_t colon = host.rfind(':'); colon != std::string::npos && host.find(']', colon) == std::string::npos) {
    address.port = host.substr(colon + 1);
    host.erase(colon);
  }
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (host.empty()) refuse("it names no host.");
  if (address.port.empty() || address.port.size() > 5 || address.port.find_first_not_of("0123456789") != std::string::npos)
    refuse("its port is not a number.");
  if (url.find_first_of(" \r\n\t") != std::string::npos) refuse("it holds white space.");
  address.host = host;
  return address;
}

// One connection and the loop that drives it.
struct Connection {
  boost::asio::io_context loop;
  tcp::resolver resolver{loop};
  beast::tcp_stream stream{loop};
  bool open = false;

  // Starts an operation and drives it until it is done or the deadline has passed.
  template <typename Start>
  beast::error_code drive(Clock::time_point deadline, Start start) {
    // A name that is being looked up cannot be called off: its handler may outlive this frame.
    const auto result = std::make_shared<std::optional<beast::error_code>>();
    start([result](beast::error_code error) { *result = error; });
    loop.restart();
    loop.run_until(deadline);
    if (*result) return **result;
    resolver.cancel();
    stream.cancel();
    open = false;
    loop.restart();
    loop.run_for(std::chrono::milliseconds(100));
    return beast::error::timeout;
  }

  beast::error_code connect(const Address& address, Clock::time_point deadline) {
    const auto found = std::make_shared<tcp::resolver::results_type>();
    auto error = drive(deadline, [&](auto done) {
      resolver.async_resolve(address.host, address.port, [found, done](beast::error_code e, tcp::resolver::results_type all) {
        *found = std::move(all);
        done(e);
      });
    });
    if (error) return error;
    error = drive(deadline, [&](auto done) {
      stream.async_connect(*found, [done](beast::error_code e, const tcp::endpoint&) { done(e); });
    });
    open = !error;
    return error;
  }
};

bool was_late(beast::error_code error) { return error == beast::error::timeout || error == boost::asio::error::timed_out; }

}  // namespace

struct HttpClient::State {
  Address address;
  std::string token;
  std::mutex mutex;  // guards idle
  std::vector<std::unique_ptr<Connection>> idle;

  std::unique_ptr<Connection> take() {
    std::lock_guard lock(mutex);
    if (idle.empty()) return std::make_unique<Connection>();
    auto connection = std::move(idle.back());
    idle.pop_back();
    return connection;
  }
  void give_back(std::unique_ptr<Connection> connection) {
    std::lock_guard lock(mutex);
    if (idle.size() < 64) idle.push_back(std::move(connection));
  }

  http::request<http::string_body> request_of(const std::string& body) const {
    http::request<http::string_body> request{http::verb::post, address.path, 11};
    request.set(http::field::host, address.host + ":" + address.port);
    request.set(http::field::content_type, "application/json");
    request.set(http::field::user_agent, "ponder");
    if (!token.empty()) request.set(http::field::authorization, "Bearer " + token);
    request.body() = body;
    request.prepare_payload();
    return request;
  }

  // One try. status 0: `error` says why.
  Reply try_once(const std::string& body, Deadline deadline) {
    auto connection = take();
    const bool reused = connection->open;
    Reply reply;
    beast::error_code error;
    if (!connection->open) error = connection->connect(address, deadline);
    beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(most_reply_bytes);
    auto request = request_of(body);
    if (!error)
      error = connection->drive(deadline, [&](auto done) {
        http::async_write(connection->stream, request, [done](beast::error_code e, size_t) { done(e); });
      });
    if (!error)
      error = connection->drive(deadline, [&](auto done) {
        http::async_read(connection->stream, buffer, parser, [done](beast::error_code e, size_t) { done(e); });
      });
    if (error) {
      // The server may have closed a kept connection in the meantime: that is no failure of its own.
      if (reused && !was_late(error) && error != http::error::body_limit) return try_once(body, deadline);
      reply.late = was_late(error);
      reply.error = error.message();
      if (error == http::error::body_limit) {
        reply.status = -1;
        reply.error = fmt::format("the reply is larger than {} bytes", most_reply_bytes);
      }
      return reply;
    }
    reply.status = parser.get().result_int();
    reply.body = std::move(parser.get().body());
    if (parser.get().keep_alive()) give_back(std::move(connection));
    return reply;
  }
};

HttpClient::HttpClient(const std::string& url, std::string token) : state_(std::make_unique<State>()) {
  state_->address = parse(url);
  state_->token = std::move(token);
}

HttpClient::~HttpClient() = default;

HttpClient::Reply HttpClient::post(const std::string& body, Deadline deadline) {
  auto pause = std::chrono::milliseconds(100);
  for (int tries = 1;; ++tries, pause *= 2) {
    Reply reply = state_->try_once(body, deadline);
    reply.tries = tries;
    const bool again = (reply.status == 0 && !reply.late) || reply.status >= 500;
    if (!again || tries == most_tries) return reply;
    if (Clock::now() + pause >= deadline) return reply;
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace reward
