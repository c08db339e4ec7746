#include "reward/plugins/library.h"

#include <dlfcn.h>
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <nlohmann/json.hpp>

#include "reward/item_reward.h"

namespace reward {
namespace {

using Clock = std::chrono::steady_clock;
using Arena = std::deque<std::string>;  // does not move what it holds

ponder_text borrowed(const std::string& text) { return {text.data(), text.size()}; }
ponder_text borrowed(const char* text) { return {text, std::char_traits<char>::length(text)}; }

std::string copied(ponder_text text) {
  constexpr size_t most = 1 << 16;
  return text.data == nullptr ? "" : std::string(text.data, std::min(text.size, most));
}

extern "C" ponder_text keep_text(void* arena, const char* data, size_t size) {
  auto& texts = *static_cast<Arena*>(arena);
  texts.emplace_back(data == nullptr ? "" : data, data == nullptr ? 0 : size);
  return borrowed(texts.back());
}

ponder_reward_item view_of(const Item& item) {
  ponder_reward_item out{};
  out.prompt = borrowed(item.prompt);
  out.completion = borrowed(item.completion);
  out.truth = borrowed(item.answer);
  out.finish_reason = borrowed(item.truncated ? "length" : "stop");
  out.data_source = borrowed(item.data_source);
  out.extra = borrowed(item.extra);
  out.completion_tokens = item.completion_tokens;
  out.group = item.group_id;
  return out;
}

Outcome outcome_of(const ponder_reward_result& result) {
  const std::string detail = copied(result.detail);
  switch (result.status) {
    case PONDER_REWARD_SKIP: return unscored(Status::not_applicable, detail, "skipped");
    case PONDER_REWARD_ERROR: return unscored(Status::infra_error, detail, "plugin_error");
    case PONDER_REWARD_OK: break;
    default:
      return unscored(Status::infra_error, fmt::format("its status is {}, none of ponder_reward_status", result.status),
                      "wrong_status");
  }
  if (!std::isfinite(result.score))
    return unscored(Status::infra_error, fmt::format("its score is {}; it must be a finite number", result.score), "not_finite");
  Outcome outcome = scored(result.score, detail, "scored", copied(result.extracted));
  const auto parts = nlohmann::ordered_json::parse(copied(result.components), nullptr, /*allow_exceptions=*/false);
  if (parts.is_object())
    for (const auto& [name, value] : parts.items())
      if (value.is_number() && std::isfinite(value.get<double>())) outcome.components.emplace_back(name, value.get<double>());
  return outcome;
}

std::string config_text(const std::vector<std::pair<std::string, std::string>>& config) {
  auto json = nlohmann::ordered_json::object();
  for (const auto& [key, text] : config) json[key] = text;
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

Library::Library(const std::string& file, const std::vector<std::pair<std::string, std::string>>& config) : file_(file) {
  // Without a slash the loader would look in the system's folders.
  const std::string path = file.find('/') == std::string::npos ? "./" + file : file;
  loaded_ = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (loaded_ == nullptr) throw Error(fmt::format("{}: cannot be loaded: {}. Check `file`.", file, ::dlerror()));
  const auto fail = [&](const std::string& what) {
    ::dlclose(loaded_);
    throw Error(fmt::format("{}: {}", file_, what));
  };
  const auto entry = reinterpret_cast<ponder_reward_plugin_v1_function>(::dlsym(loaded_, "ponder_reward_plugin_v1"));
  if (entry == nullptr) fail("exports no ponder_reward_plugin_v1. Write it as reward/plugin.h says, with C linkage.");
  plugin_ = entry();
  if (plugin_ == nullptr) fail("ponder_reward_plugin_v1 returned NULL.");
  if (plugin_->abi_version != PONDER_REWARD_ABI || plugin_->struct_size < sizeof(ponder_reward_plugin))
    fail(fmt::format("has interface {} of {} bytes, but this program has {} of {}. Compile it with this program's "
                     "reward/plugin.h.",
                     plugin_->abi_version, plugin_->struct_size, PONDER_REWARD_ABI, sizeof(ponder_reward_plugin)));
  if (plugin_->name == nullptr || plugin_->version == nullptr || plugin_->create == nullptr || plugin_->score_batch == nullptr ||
      plugin_->destroy == nullptr)
    fail("leaves name, version, create, score_batch or destroy empty. Fill them in.");
  const std::string text = config_text(config);
  handle_ = plugin_->create(borrowed(text));
  if (handle_ == nullptr) fail(fmt::format("refused its config {}: {}", text, last_error()));
}

Library::~Library() {
  plugin_->destroy(handle_);
  ::dlclose(loaded_);
}

std::string Library::last_error() const {
  return plugin_->last_error == nullptr ? "(it gives no reason)" : copied(plugin_->last_error(handle_));
}

std::vector<Outcome> Library::score(const std::vector<Item>& items, Clock::time_point deadline) {
  const auto failed = [&](Status status, const std::string& detail, const std::string& reason) {
    return std::vector<Outcome>(items.size(), unscored(status, file_ + ": " + detail, reason));
  };
  std::unique_lock turn(turn_, std::defer_lock);
  if ((plugin_->flags & PONDER_REWARD_THREAD_SAFE) == 0) {
    const auto longest = Clock::now() + std::chrono::hours(24);
    if (!turn.try_lock_until(std::min(deadline, longest)))
      return failed(Status::timeout, "another call did not end before the deadline", "busy");
  }
  std::vector<ponder_reward_item> views;
  for (const Item& item : items) views.push_back(view_of(item));
  std::vector<ponder_reward_result> results(items.size());
  Arena arena;
  const auto left = std::min<Clock::duration>(deadline - Clock::now(), std::chrono::hours(24));
  ponder_reward_batch batch{};
  batch.struct_size = sizeof batch;
  batch.items = views.data();
  batch.count = views.size();
  batch.deadline_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(left).count();
  batch.keep = keep_text;
  batch.arena = &arena;
  if (batch.deadline_ns <= 0) return failed(Status::timeout, "not begun by the deadline", "deadline");
  const int code = plugin_->score_batch(handle_, &batch, results.data());
  if (code != 0) return failed(Status::infra_error, fmt::format("score_batch returned {}: {}", code, last_error()),
                               "plugin_error");
  if (Clock::now() > deadline) return failed(Status::timeout, "did not come back by the deadline", "deadline");
  std::vector<Outcome> outcomes;
  for (const auto& result : results) outcomes.push_back(outcome_of(result));
  return outcomes;
}

}  // namespace reward
