#include "rl/collect.h"

#include <algorithm>

#include "kernels/error.h"

namespace rl {
namespace {

using Clock = std::chrono::steady_clock;

rollout::Request request_of(const Ask& ask, const Problem& problem, std::vector<int32_t> prompt, int64_t index) {
  rollout::Request request;
  request.id = index;
  request.prompt_id = problem.prompt_id;
  request.group_id = ask.first_group + index;
  request.step = ask.step;
  request.prompt_tokens = std::move(prompt);
  request.samples = ask.samples;
  request.max_new_tokens = ask.max_new_tokens;
  request.sampling = ask.sampling;
  request.stop_strings = ask.stop;
  request.seed = ask.seed;
  request.purpose = ask.purpose;
  return request;
}

std::vector<reward::Item> items_of(const Group& group) {
  std::vector<reward::Item> items;
  for (const ScoredSample& s : group.samples) {
    reward::Item item;
    item.prompt_id = s.record.prompt_id;
    item.group_id = s.record.group_id;
    item.sample_index = s.record.sample_index;
    item.prompt = group.prompt;
    item.completion = s.text;
    item.answer = group.problem.answer;
    item.completion_tokens = static_cast<int64_t>(s.record.tokens.size());
    item.truncated = s.record.finish == rollout::FinishReason::length;
    items.push_back(std::move(item));
  }
  return items;
}

}  // namespace

std::vector<int32_t> cut_left(std::vector<int32_t> prompt, int64_t most) {
  const auto size = static_cast<int64_t>(prompt.size());
  if (most > 0 && size > most) prompt.erase(prompt.begin(), prompt.begin() + (size - most));
  return prompt;
}

Collector::Collector(rollout::RolloutSource& source, std::shared_ptr<reward::AsyncScorer> scorer,
                     std::shared_ptr<const model::Tokenizer> tokenizer, model::TemplateConfig chat_template, std::vector<int32_t> stop_tokens)
    : source_(source), scorer_(std::move(scorer)), tokenizer_(std::move(tokenizer)), chat_template_(std::move(chat_template)),
      stop_tokens_(std::move(stop_tokens)) {}

std::string Collector::text_of(const rollout::SampleRecord& record) const {
  std::vector<int32_t> ids = record.tokens;
  if (!ids.empty() && std::find(stop_tokens_.begin(), stop_tokens_.end(), ids.back()) != stop_tokens_.end()) ids.pop_back();
  return tokenizer_->decode(ids);
}

std::vector<Group> Collector::run(const std::vector<Problem>& problems, const Ask& ask) {
  std::vector<Group> groups(problems.size());
  std::vector<int64_t> missing(problems.size(), ask.samples), tickets(problems.size(), -1);
  for (size_t i = 0; i < problems.size(); ++i) {
    groups[i].problem = problems[i];
    groups[i].prompt = model::render_prompt(chat_template_, problems[i].question);
    groups[i].samples.resize(static_cast<size_t>(ask.samples));
    auto prompt = cut_left(tokenizer_->encode(groups[i].prompt), ask.max_prompt_tokens);
    auto request = request_of(ask, problems[i], std::move(prompt), static_cast<int64_t>(i));
    request.stop_tokens = stop_tokens_;
    source_.submit(std::move(request));
  }
  const int64_t all = static_cast<int64_t>(problems.size()) * ask.samples;
  int64_t left = all, tokens = 0;
  while (left > 0) {
    auto record = source_.next(Clock::now() + std::chrono::hours(24));
    if (!record) kernels::fail("collect: the source has no more samples, but {} are missing.", left);
    const size_t g = static_cast<size_t>(record->request_id);
    ScoredSample& sample = groups.at(g).samples.at(static_cast<size_t>(record->sample_index));
    tokens += static_cast<int64_t>(record->tokens.size());
    sample.text = text_of(*record);
    sample.record = std::move(*record);
    --left;
    if (ask.on_sample) ask.on_sample(all - left, tokens);
    if (--missing[g] == 0) tickets[g] = scorer_->submit(items_of(groups[g]));
  }
  const auto start = Clock::now();
  for (size_t g = 0; g < groups.size(); ++g) {
    auto outcomes = scorer_->wait(tickets[g]);
    for (size_t i = 0; i < outcomes.size(); ++i) groups[g].samples[i].outcome = std::move(outcomes[i]);
  }
  reward_wait_seconds_ = std::chrono::duration<double>(Clock::now() - start).count();
  return groups;
}

std::shared_ptr<reward::Reward> make_reward(const std::vector<reward::Settings>& settings) {
  std::vector<std::pair<reward::Settings, std::unique_ptr<reward::Reward>>> parts;
  for (const auto& s : settings) parts.emplace_back(s, reward::make_builtin(s));
  return reward::make_sum(std::move(parts));
}

std::shared_ptr<reward::AsyncScorer> make_scorer(const std::vector<reward::Settings>& settings) {
  int64_t timeout_ms = 0;
  for (const auto& s : settings) timeout_ms += s.timeout_ms;
  return std::make_shared<reward::AsyncScorer>(make_reward(settings), 1, timeout_ms);
}

}  // namespace rl
