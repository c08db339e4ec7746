#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <mutex>
#include <optional>
#include <thread>

#include "reward/item_reward.h"
#include "reward/plugins/http_client.h"
#include "reward/plugins/payload.h"
#include "reward/plugins/plugins.h"
#include "reward/plugins/protocol.h"

namespace reward {
namespace {

using Clock = std::chrono::steady_clock;

std::string read_token(const Settings& settings) {
  if (settings.token_file.empty()) return "";
  std::ifstream in(settings.token_file);
  std::string token;
  if (!in || !std::getline(in, token) || token.empty())
    throw Error(fmt::format("reward \"{}\": token_file is \"{}\", which cannot be read or is empty. Write the token in it.",
                            settings.name, settings.token_file));
  token.erase(token.find_last_not_of(" \r\t") + 1);
  return token;
}

Payload payload_named(const std::string& name) {
  return name == "ponder" ? Payload::ponder : name == "slime" ? Payload::slime : Payload::openrlhf;
}

int64_t milliseconds_to(Clock::time_point deadline) {
  return std::max<int64_t>(0, std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count());
}

class HttpReward : public Reward {
 public:
  explicit HttpReward(const Settings& settings)
      : settings_(settings),
        payload_(payload_named(settings.payload)),
        client_(settings.url, read_token(settings)) {}

  const std::string& name() const override { return settings_.name; }

  std::vector<Outcome> score(const std::vector<Item>& items, Clock::time_point deadline) override {
    deadline = std::min(deadline, Clock::now() + std::chrono::milliseconds(settings_.timeout_ms));
    if (payload_ != Payload::ponder) return in_parts(items, payload_ == Payload::slime ? 1 : 256, false, deadline);
    if (const std::string problem = learn_hello(deadline); !problem.empty())
      return std::vector<Outcome>(items.size(), unscored(Status::infra_error, settings_.name + ": " + problem, "start_failed"));
    const protocol::Hello hello = *this->hello();
    return in_parts(items, hello.batch ? static_cast<size_t>(hello.max_batch) : 1, hello.group, deadline);
  }

  // payload = "ponder": hello and a ping. The others have nothing to ask without an item: any answer of HTTP is enough.
  std::string self_test() override {
    const auto deadline = Clock::now() + std::chrono::milliseconds(settings_.timeout_ms);
    if (payload_ != Payload::ponder) {
      const auto reply = client_.post("{}", deadline);
      return reply.status > 0 ? "" : fmt::format("{} gives no answer: {}", settings_.url, reply.error);
    }
    if (const std::string problem = learn_hello(deadline); !problem.empty()) return problem;
    return exchange(protocol::ping_request(1), deadline, [](const std::string& body) { protocol::read_pong(body, 1); });
  }
  std::string check_answer(const std::string&) override { return ""; }  // only the service knows

  std::string version() const override {
    const auto known = hello();
    if (!known) return "http " + settings_.payload;
    return fmt::format("http {} {}, protocol {}", known->name, known->version, protocol::number);
  }

 private:
  std::optional<protocol::Hello> hello() const {
    std::lock_guard lock(mutex_);
    return hello_;
  }

  // Empty, or what went wrong.
  template <typename Read>
  std::string exchange(const std::string& body, Clock::time_point deadline, Read read) {
    const auto reply = client_.post(body, deadline);
    if (reply.status != 200) return problem_of(reply);
    try {
      read(reply.body);
      return "";
    } catch (const protocol::Violation& violation) {
      return fmt::format("{} {}", settings_.url, violation.what());
    }
  }

  std::string learn_hello(Clock::time_point deadline) {
    if (hello()) return "";
    return exchange(protocol::hello_request(settings_.options), deadline, [&](const std::string& body) {
      const auto read = protocol::read_hello(body);
      std::lock_guard lock(mutex_);
      hello_ = read;
    });
  }

  std::string problem_of(const HttpClient::Reply& reply) const {
    if (reply.status > 0)
      return fmt::format("{} answered {} after {} tries: {}", settings_.url, reply.status, reply.tries,
                         protocol::shown(reply.body));
    return fmt::format("{} gave no answer after {} tries: {}", settings_.url, reply.tries, reply.error);
  }

  // Requests of at most `most` items (a group in one piece, if `whole_groups`), settings.workers of them at once.
  std::vector<Outcome> in_parts(const std::vector<Item>& items, size_t most, bool whole_groups, Clock::time_point deadline) {
    std::vector<std::pair<size_t, size_t>> parts;
    for (size_t from = 0; from < items.size(); from = parts.back().second) {
      size_t to = from + 1;
      while (to < items.size() && (whole_groups ? items[to].group_id == items[from].group_id : to - from < most)) ++to;
      parts.emplace_back(from, to);
    }
    std::vector<Outcome> outcomes(items.size());
    std::atomic<size_t> next{0};
    const auto work = [&] {
      for (size_t p = next++; p < parts.size(); p = next++) {
        const auto [from, to] = parts[p];
        auto part = ask({items.begin() + static_cast<ptrdiff_t>(from), items.begin() + static_cast<ptrdiff_t>(to)}, deadline);
        std::move(part.begin(), part.end(), outcomes.begin() + static_cast<ptrdiff_t>(from));
      }
    };
    std::vector<std::thread> others;
    for (size_t i = 1; i < std::min(parts.size(), static_cast<size_t>(settings_.workers)); ++i) others.emplace_back(work);
    work();
    for (auto& thread : others) thread.join();
    return outcomes;
  }

  std::vector<Outcome> ask(const std::vector<Item>& items, Clock::time_point deadline) {
    const auto failed = [&](Status status, const std::string& detail, const std::string& reason) {
      return std::vector<Outcome>(items.size(), unscored(status, settings_.name + ": " + detail, reason));
    };
    const int64_t left = milliseconds_to(deadline), id = next_id_++;
    if (left == 0) return failed(Status::timeout, "not begun by the deadline", "deadline");
    const auto reply = client_.post(body_of(payload_, items, id, left), deadline);
    if (reply.late) return failed(Status::timeout, problem_of(reply), "deadline");
    if (reply.status != 200) {
      const char* reason = reply.status < 0 ? "huge" : reply.status == 0 ? "no_connection" : "http_status";
      return failed(Status::infra_error, problem_of(reply), reason);
    }
    try {
      return read_body(payload_, reply.body, items, id);
    } catch (const protocol::Violation& violation) {
      return failed(Status::infra_error, violation.what(), violation.reason);
    }
  }

  Settings settings_;
  Payload payload_;
  HttpClient client_;
  std::atomic<int64_t> next_id_{1};
  mutable std::mutex mutex_;  // guards hello_
  std::optional<protocol::Hello> hello_;
};

}  // namespace

std::unique_ptr<Reward> make_http_reward(const Settings& settings) { return std::make_unique<HttpReward>(settings); }

}  // namespace reward
