// The JSON that trainer and plug-in exchange, protocol 1: one object a line on a program's stdin and stdout, the body of a
// request and a reply over HTTP. Functions between text and values; nothing here waits or starts anything.
//
//   trainer  {"type":"hello","protocol":1,"config":{"KEY":"TEXT"}}
//   plug-in  {"type":"hello","protocol":1,"name":"last_word","version":"1",
//             "capabilities":{"batch":true,"group":false,"max_batch":256}}
//   trainer  {"type":"score","id":17,"deadline_ms":2000,"items":[{"uid":"3-0-0","prompt":"..","completion":"..",
//             "completion_tokens":123,"finish_reason":"stop","truth":"..","data_source":"gsm8k","group":3,"extra":{}}]}
//   plug-in  {"type":"result","id":17,"results":[{"uid":"3-0-0","score":1.0,"status":"ok","components":{"accuracy":1.0},
//             "extracted":"42","detail":".."}]}
//   trainer  {"type":"ping","id":18}      plug-in  {"type":"pong","id":18}
//   trainer  {"type":"shutdown"}          plug-in  ends
//
// hello: `name` and `protocol` are needed. Capabilities: batch false: one item a request; group: all completions of a prompt
// come in one request, however many; max_batch: most items of a request otherwise. All may be left out: batch of 256, no group.
// truth is the gold as text (a list or an object as JSON text). finish_reason is "stop" or "length". Text of a completion that
// is not UTF-8 arrives with U+FFFD in place of the bad bytes.
// results: one an item, in the order of the items, with the same uid. status: ok (has a finite score), skip (does not apply:
// the completion leaves its group) or error (the checker failed); ok when left out. The rest is optional. Other keys are
// ignored. A plug-in prints nothing else to stdout; what it prints to stderr goes to the trainer's.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "reward/reward.h"

namespace reward::protocol {

constexpr int64_t number = 1;
constexpr size_t most_hello_bytes = 64 << 10;
// Of a reply to `items` items.
constexpr size_t most_reply_bytes(size_t items) { return (1u << 20) + items * (64u << 10); }

// The plug-in broke the protocol. `reason` is a fixed word: "junk", "wrong_id", "wrong_count", "wrong_uid", "wrong_type",
// "wrong_protocol".
class Violation : public std::runtime_error {
 public:
  Violation(std::string reason_word, const std::string& what) : std::runtime_error(what), reason(std::move(reason_word)) {}
  std::string reason;
};

struct Hello {
  std::string name, version;
  bool batch = true, group = false;
  int64_t max_batch = 256;
};

// `config`: key and text, as Settings::options. No line ends in a newline.
std::string hello_request(const std::vector<std::pair<std::string, std::string>>& config);
std::string score_request(int64_t id, int64_t deadline_ms, const std::vector<Item>& items);
std::string ping_request(int64_t id);
std::string shutdown_request();

// Throw Violation. read_results: one outcome an item; a result that is wrong by itself (no finite score, an unknown status) is
// an infra_error, alone.
Hello read_hello(const std::string& text);
void read_pong(const std::string& text, int64_t id);
std::vector<Outcome> read_results(const std::string& text, int64_t id, const std::vector<Item>& items);

// The plug-in's side, for what is a Reward already.
struct Request {
  std::string type;                                          // hello, score, ping, shutdown or unknown
  int64_t id = 0, deadline_ms = 0;
  std::vector<std::pair<std::string, std::string>> config;   // hello
  std::vector<Item> items;                                   // score
  std::vector<std::string> uids;
};
Request read_request(const std::string& text);  // throws Violation
std::string hello_reply(const Hello& hello);
std::string pong_reply(int64_t id);
std::string result_reply(const Request& request, const std::vector<Outcome>& outcomes);

// The first 200 bytes of a text, with what cannot be printed replaced: for messages.
std::string shown(const std::string& text);

}  // namespace reward::protocol
