#include "rl/collect.h"

#include <algorithm>

#include "kernels/error.h"
#include "kernels/trace.h"
#include "kernels/watchdog.h"
#include "rl/data/prompt_text.h"

namespace rl {
namespace {

using Clock = std::chrono::steady_clock;

rollout::Request request_of(const Ask& ask, const Prompt& prompt, int64_t index) {
  rollout::Request request;
  request.id = index;
  request.prompt_id = prompt.problem.prompt_id;
  request.group_id = ask.group_is_prompt_id ? prompt.problem.prompt_id : ask.first_group + index;
  request.step = ask.step;
  request.prompt_tokens = prompt.tokens;
  request.samples = ask.samples;
  request.max_new_tokens = ask.max_new_tokens;
  if (ask.max_positions > 0) {
    // The last token needs no position of its own: nothing comes after it.
    const int64_t room = ask.max_positions - static_cast<int64_t>(prompt.tokens.size()) + 1;
    request.max_new_tokens = std::min(ask.max_new_tokens, std::max<int64_t>(1, room));
  }
  request.sampling = ask.sampling;
  request.stop_strings = ask.stop;
  request.stop_strings.insert(request.stop_strings.end(), ask.cut_stop.begin(), ask.cut_stop.end());
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
    item.data_source = group.problem.data_source;
    item.dataset = group.problem.dataset;
    item.extra = group.problem.extra;
    item.completion_tokens = static_cast<int64_t>(s.record.tokens.size());
    item.truncated = s.record.finish == rollout::FinishReason::length;
    items.push_back(std::move(item));
  }
  return items;
}

// A sample may take hours, but a source comes back in between: to say that it still works, and to hear whether it should.
std::optional<rollout::SampleRecord> next_sample(rollout::RolloutSource& source, const Ask& ask) {
  const auto patience = ask.cancelled ? std::chrono::milliseconds(100) : std::chrono::seconds(10);
  for (;;) {
    if (ask.cancelled && *ask.cancelled) kernels::fail("collect: cancelled before all groups were complete.");
    const kernels::Wait wait("the source of samples to come back");
    auto record = source.next(Clock::now() + patience);
    if (record || source.live_samples() == 0) return record;
  }
}

bool chosen_for_rescore(const Ask& ask, int64_t group_id) {
  constexpr uint64_t no_epoch = ~uint64_t{0};  // apart from the draws of data
  return ask.rescore_share > 0 && kernels::random_unit({.seed = ask.seed, .purpose = kernels::Purpose::data, .step = no_epoch,
                                                        .group = static_cast<uint64_t>(group_id)}) < ask.rescore_share;
}

// Measures a reward and shows its calls in the trace.
class TimedReward : public reward::Reward {
 public:
  TimedReward(std::shared_ptr<reward::Reward> inner, std::shared_ptr<RewardTime> time)
      : inner_(std::move(inner)), time_(std::move(time)) {}

  const std::string& name() const override { return inner_->name(); }
  std::string self_test() override { return inner_->self_test(); }
  std::string version() const override { return inner_->version(); }
  std::string check_answer(const std::string& answer) override { return inner_->check_answer(answer); }
  std::vector<reward::Outcome> score(const std::vector<reward::Item>& items, Clock::time_point deadline) override {
    kernels::name_trace_lane("rewards");
    const kernels::Span span("reward", nullptr, "completions", static_cast<int64_t>(items.size()));
    const auto start = Clock::now();
    auto outcomes = inner_->score(items, deadline);
    time_->nanoseconds += std::chrono::nanoseconds(Clock::now() - start).count();
    return outcomes;
  }

 private:
  std::shared_ptr<reward::Reward> inner_;
  std::shared_ptr<RewardTime> time_;
};

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

std::string Collector::text_of(const rollout::SampleRecord& record, const std::vector<std::string>& cut_stop) const {
  std::vector<int32_t> ids = record.tokens;
  if (!ids.empty() && std::find(stop_tokens_.begin(), stop_tokens_.end(), ids.back()) != stop_tokens_.end()) ids.pop_back();
  std::string text = tokenizer_->decode(ids);
  if (std::find(cut_stop.begin(), cut_stop.end(), record.stop_text) != cut_stop.end())
    text.resize(std::min(text.size(), text.find(record.stop_text)));
  return text;
}

Prompt Collector::prompt_of(const Problem& problem, int64_t max_prompt_tokens) const {
  Prompt prompt{problem, prompt_text(chat_template_, problem), {}};
  prompt.tokens = cut_left(tokenizer_->encode(prompt.text), max_prompt_tokens);
  return prompt;
}

std::vector<Group> Collector::run(const std::vector<Problem>& problems, const Ask& ask, std::vector<Group> carried) {
  std::vector<Prompt> prompts;
  for (const Problem& problem : problems) prompts.push_back(prompt_of(problem, ask.max_prompt_tokens));
  return run(prompts, ask, std::move(carried));
}

// A run() under way. All lists are by group.
struct Collector::Call {
  const Ask& ask;
  size_t carried = 0;
  std::vector<Group> groups;  // those carried over, then those of the prompts
  std::vector<int64_t> missing, tickets, second_tickets;
  std::vector<size_t> scoring;  // groups whose outcomes were not taken
  int64_t wanted = 0, samples = 0, tokens = 0;

  bool done() const { return wanted == 0; }
};

std::vector<Group> Collector::run(const std::vector<Prompt>& prompts, const Ask& ask, std::vector<Group> carried) {
  Call call{ask, carried.size(), std::move(carried), {}, {}, {}, {}};
  const size_t first = call.carried, all = first + prompts.size();
  call.groups.resize(all);
  call.missing.assign(all, 0), call.tickets.assign(all, -1), call.second_tickets.assign(all, -1);
  call.wanted = ask.wanted_groups > 0 ? std::min(ask.wanted_groups, static_cast<int64_t>(all)) : static_cast<int64_t>(all);
  for (size_t g = 0; g < first; ++g) {
    const Group& group = call.groups[g];
    submit(call, g, {group.problem, group.prompt, group.samples.at(0).record.prompt_tokens});
  }
  for (size_t i = 0; i < prompts.size(); ++i) submit(call, first + i, prompts[i]);
  // Those carried over may be complete already: their last samples came when nobody waited for them any more.
  for (size_t g = 0; g < first && !call.done(); ++g)
    if (call.missing[g] == 0) score(call, g);
  while (!call.done()) {
    auto record = next_sample(source_, ask);
    if (!record) kernels::fail("collect: the source has no more samples, but {} groups are not complete.", call.wanted);
    const auto g = static_cast<size_t>(record->request_id);
    accept(call, std::move(*record));
    if (ask.on_sample) ask.on_sample(call.samples, call.tokens);
    if (call.missing[g] == 0) score(call, g);
  }
  abort_rest(call);
  take_outcomes(call);
  return sort_out(call);
}

// A new group, or what is missing of one that goes on. Its random numbers are those of the step that began it.
void Collector::submit(Call& call, size_t g, const Prompt& prompt) {
  Group& group = call.groups[g];
  auto request = request_of(call.ask, prompt, static_cast<int64_t>(g - call.carried));
  request.id = static_cast<int64_t>(g);
  request.stop_tokens = stop_tokens_;
  if (!group.samples.empty()) {
    request.group_id = group.samples[0].record.group_id;
    request.step = group.samples[0].record.request_step;
    for (const ScoredSample& sample : group.samples)
      if (sample.record.finish == rollout::FinishReason::aborted) request.continued.push_back(sample.record);
    call.missing[g] = static_cast<int64_t>(request.continued.size());
  } else {
    group.problem = prompt.problem;
    group.prompt = prompt.text;
    group.samples.resize(static_cast<size_t>(call.ask.samples));
    call.missing[g] = call.ask.samples;
  }
  if (call.missing[g] > 0) source_.submit(std::move(request));
}

void Collector::accept(Call& call, rollout::SampleRecord record) {
  const auto g = static_cast<size_t>(record.request_id);
  ScoredSample& sample = call.groups.at(g).samples.at(static_cast<size_t>(record.sample_index));
  sample.text = text_of(record, call.ask.cut_stop);
  sample.record = std::move(record);
  --call.missing[g];
  ++call.samples;
  call.tokens += static_cast<int64_t>(sample.record.tokens.size());
}

void Collector::score(Call& call, size_t g) {
  const Group& group = call.groups[g];
  call.tickets[g] = scorer_->submit(items_of(group));
  if (chosen_for_rescore(call.ask, group.samples.at(0).record.group_id)) call.second_tickets[g] = scorer_->submit(items_of(group));
  call.scoring.push_back(g);
  --call.wanted;
  if (!call.ask.on_group) return;
  std::erase_if(call.scoring, [&](size_t ready) {
    if (!scorer_->ready(call.tickets[ready])) return false;
    take(call, ready);
    return true;
  });
}

void Collector::take(Call& call, size_t g) {
  auto outcomes = scorer_->wait(call.tickets[g]);
  for (size_t i = 0; i < outcomes.size(); ++i) call.groups[g].samples[i].outcome = std::move(outcomes[i]);
  if (call.ask.on_group) call.ask.on_group(call.groups[g]);
}

// Every sample of an unfinished group comes back, some of them whole: the source may be a step ahead.
void Collector::abort_rest(Call& call) {
  int64_t left = 0;
  for (size_t g = 0; g < call.missing.size(); ++g) {
    if (call.missing[g] == 0) continue;
    left += call.missing[g];
    source_.abort(static_cast<int64_t>(g));
  }
  for (; left > 0; --left) {
    auto record = next_sample(source_, call.ask);
    if (!record) kernels::fail("collect: the source has no more samples, but {} that were aborted are missing.", left);
    accept(call, std::move(*record));
  }
}

void Collector::take_outcomes(Call& call) {
  rescored_groups_ = rescore_mismatches_ = 0;
  reward_wait_seconds_ = 0;
  const kernels::Span waiting("reward wait", &reward_wait_seconds_);
  for (const size_t g : call.scoring) take(call, g);
  for (size_t g = 0; g < call.groups.size(); ++g)
    if (call.second_tickets[g] >= 0) compare_again(call.groups[g], call.second_tickets[g]);
}

std::vector<Group> Collector::sort_out(Call& call) {
  std::vector<Group> complete;
  unfinished_.clear();
  aborted_tokens_ = carried_tokens_ = 0;
  for (size_t g = 0; g < call.groups.size(); ++g) {
    if (call.tickets[g] >= 0) {
      complete.push_back(std::move(call.groups[g]));
      continue;
    }
    for (const ScoredSample& sample : call.groups[g].samples)
      (call.ask.carry ? carried_tokens_ : aborted_tokens_) += static_cast<int64_t>(sample.record.tokens.size());
    if (call.ask.carry) unfinished_.push_back(std::move(call.groups[g]));
  }
  return complete;
}

bool Collector::score_failed(std::vector<Group>& groups) {
  bool any = false;
  const auto failed = [](const ScoredSample& s) {
    return s.outcome.status == reward::Status::timeout || s.outcome.status == reward::Status::infra_error || !s.outcome.failed.empty();
  };
  for (Group& group : groups) {
    if (std::none_of(group.samples.begin(), group.samples.end(), failed)) continue;
    any = true;
    auto outcomes = scorer_->wait(scorer_->submit(items_of(group)));
    for (size_t i = 0; i < outcomes.size(); ++i) group.samples[i].outcome = std::move(outcomes[i]);
  }
  return any;
}

void Collector::compare_again(const Group& group, int64_t ticket) {
  const auto second = scorer_->wait(ticket);
  ++rescored_groups_;
  for (size_t i = 0; i < second.size(); ++i) {
    const reward::Outcome& first = group.samples[i].outcome;
    if (first.has_value() && second[i].has_value()) rescore_mismatches_ += first.value != second[i].value;
  }
}

std::shared_ptr<reward::Sum> make_reward(const std::vector<reward::Settings>& settings, double low, double high) {
  std::vector<std::pair<reward::Settings, std::unique_ptr<reward::Reward>>> parts;
  for (const auto& s : settings) parts.emplace_back(s, reward::make_reward(s));
  return reward::make_sum(std::move(parts), low, high);
}

std::shared_ptr<reward::AsyncScorer> make_scorer(std::shared_ptr<reward::Reward> reward, const std::vector<reward::Settings>& settings,
                                                 std::shared_ptr<RewardTime> time) {
  int64_t timeout_ms = 0, threads = 1;
  for (const auto& s : settings) timeout_ms += s.timeout_ms, threads = std::max(threads, s.workers);
  return std::make_shared<reward::AsyncScorer>(std::make_shared<TimedReward>(std::move(reward), std::move(time)), threads, timeout_ms);
}

std::shared_ptr<reward::AsyncScorer> make_scorer(const std::vector<reward::Settings>& settings) {
  return make_scorer(make_reward(settings), settings);
}

}  // namespace rl
