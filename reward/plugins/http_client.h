// POST requests to one address, over a pool of kept connections. Thread-safe.
#pragma once

#include <chrono>
#include <memory>
#include <string>

namespace reward {

class HttpClient {
 public:
  using Deadline = std::chrono::steady_clock::time_point;
  static constexpr size_t most_reply_bytes = 16 << 20;
  static constexpr int most_tries = 5;

  struct Reply {
    int status = 0;             // of HTTP; 0: there was no reply; -1: it was too large
    bool late = false;          // because the deadline passed
    std::string body, error;    // error: why there was no reply
    int tries = 0;
  };

  // "http://HOST[:PORT][/PATH]". Throws Error for another address. `token`: sent as bearer token, if not empty.
  HttpClient(const std::string& url, std::string token);
  ~HttpClient();

  // Tries again after a connection error and after 5xx, with pauses of 0.1 s, 0.2 s, 0.4 s, ..., until the deadline or
  // most_tries; never after any other reply.
  Reply post(const std::string& body, Deadline deadline);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace reward
