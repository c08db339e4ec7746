#include <fmt/core.h>
#include <unistd.h>

#include <iostream>
#include <memory>
#include <mutex>

#include "reward/item_reward.h"
#include "reward/plugins/library.h"
#include "reward/plugins/plugins.h"
#include "reward/plugins/process_reward.h"
#include "reward/plugins/protocol.h"

namespace reward {
namespace {

using Clock = std::chrono::steady_clock;

// Loads the library when it is first needed.
class LibraryReward : public Reward {
 public:
  explicit LibraryReward(const Settings& settings) : settings_(settings) {}

  const std::string& name() const override { return settings_.name; }
  std::vector<Outcome> score(const std::vector<Item>& items, Clock::time_point deadline) override {
    return library().score(items, std::min(deadline, Clock::now() + std::chrono::milliseconds(settings_.timeout_ms)));
  }
  std::string self_test() override {
    try {
      library();
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  }
  std::string check_answer(const std::string&) override { return ""; }  // only the library knows
  std::string version() const override {
    std::lock_guard lock(mutex_);
    if (!library_) return settings_.kind;
    return fmt::format("library {} {}, interface {}", library_->plugin().name, library_->plugin().version, PONDER_REWARD_ABI);
  }

 private:
  Library& library() {
    std::lock_guard lock(mutex_);
    if (!library_) library_ = std::make_unique<Library>(settings_.file, settings_.options);
    return *library_;
  }

  Settings settings_;
  mutable std::mutex mutex_;  // guards the pointer
  std::unique_ptr<Library> library_;
};

// The protocol goes to what was stdout; what the library prints goes to stderr.
class ReplyPipe {
 public:
  ReplyPipe() : descriptor_(::dup(STDOUT_FILENO)) { ::dup2(STDERR_FILENO, STDOUT_FILENO); }
  ~ReplyPipe() { ::close(descriptor_); }
  void write(const std::string& line) const {
    const std::string text = line + "\n";
    for (size_t done = 0; done < text.size();) {
      const ssize_t written = ::write(descriptor_, text.data() + done, text.size() - done);
      if (written <= 0) throw Error("library-host: nobody reads the replies.");
      done += static_cast<size_t>(written);
    }
  }

 private:
  int descriptor_;
};

protocol::Hello hello_of(const Library& library) {
  protocol::Hello hello;
  hello.name = library.plugin().name;
  hello.version = library.plugin().version;
  hello.group = library.group();
  return hello;
}

}  // namespace

std::unique_ptr<Reward> make_library_reward(const Settings& settings, const std::vector<std::string>& host) {
  if (settings.isolate == "none") return std::make_unique<LibraryReward>(settings);
  // Until it has another program, a child's own is ours: right even when the file has been replaced by a new build.
  std::vector<std::string> command = host.empty() ? std::vector<std::string>{"/proc/self/exe", "library-host"} : host;
  command.push_back(settings.file);
  return make_worker_reward(settings, command);
}

int serve_library(const std::string& file) {
  const ReplyPipe replies;
  std::unique_ptr<Library> library;
  std::string line;
  try {
    while (std::getline(std::cin, line)) {
      const protocol::Request request = protocol::read_request(line);
      if (request.type == "shutdown") break;
      if (request.type == "hello") {
        library = std::make_unique<Library>(file, request.config);
        replies.write(protocol::hello_reply(hello_of(*library)));
      } else if (request.type == "ping") {
        replies.write(protocol::pong_reply(request.id));
      } else if (request.type == "score" && library) {
        const auto deadline = Clock::now() + std::chrono::milliseconds(request.deadline_ms);
        replies.write(protocol::result_reply(request, library->score(request.items, deadline)));
      }
    }
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << std::endl;
    return 1;
  }
}

}  // namespace reward
