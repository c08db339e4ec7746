// The payloads of a reward over HTTP.
//
// ponder    the score request and its result of protocol.h, and its hello and ping. One request a batch.
// openrlhf  {"query": [prompt + completion, ...], "prompts": [...], "labels": [gold, ...]} -> {"rewards": [...]}. One a batch.
//           Source: OpenRLHF, --reward.remote_url.
// slime     {"prompt", "response", "label"} -> a number, or an object with "score" or "reward". One a completion.
//           Source: slime, --rm-type remote_rm.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reward/reward.h"

namespace reward {

enum class Payload { ponder, openrlhf, slime };

// Bodies; slime: of exactly one item. read_body throws protocol::Violation.
std::string body_of(Payload payload, const std::vector<Item>& items, int64_t id, int64_t deadline_ms);
std::vector<Outcome> read_body(Payload payload, const std::string& body, const std::vector<Item>& items, int64_t id);

}  // namespace reward
