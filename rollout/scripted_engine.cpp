#include "rollout/scripted_engine.h"

#include "kernels/error.h"

namespace rollout {

void ScriptedEngine::submit(Request request) {
  if (!request.continued.empty()) request.samples = static_cast<int64_t>(request.continued.size());
  if (request.samples < 1) kernels::fail("scripted engine: request {} asks for {} samples.", request.id, request.samples);
  live_.push_back({std::move(request)});
}

SampleRecord ScriptedEngine::begin(const Live& live) const {
  const Request& r = live.request;
  SampleRecord record;
  record.prompt_id = r.prompt_id;
  record.group_id = r.group_id;
  record.sample_index = r.first_sample + live.sample;
  record.request_step = r.step;
  record.prompt_tokens = r.prompt_tokens;
  record.sampling = r.sampling;
  record.purpose = r.purpose;
  record.seed = r.seed;
  record.source = "policy";
  if (!r.continued.empty()) record = r.continued[static_cast<size_t>(live.sample)];
  record.request_id = r.id;
  record.finish = FinishReason::aborted;
  return record;
}

std::optional<SampleRecord> ScriptedEngine::next(std::chrono::steady_clock::time_point deadline) {
  if (live_.empty() || std::chrono::steady_clock::now() >= deadline) return std::nullopt;
  Live& live = live_.front();
  const Request& r = live.request;
  SampleRecord record = begin(live);
  if (!live.aborted) {
    const ScriptedSample scripted = script_(r, record.sample_index);
    if (scripted.logprobs.size() != scripted.tokens.size())
      kernels::fail("scripted engine: the script gave {} tokens and {} log-probabilities; give one for each token.",
                    scripted.tokens.size(), scripted.logprobs.size());
    const std::shared_ptr<const model::WeightSet>& weights = r.weights ? r.weights : newest_;
    const size_t first = record.tokens.size();
    for (size_t t = first; t < scripted.tokens.size(); ++t) {
      record.tokens.push_back(scripted.tokens[t]);
      record.logprobs.push_back(scripted.logprobs[t]);
      record.policy_versions.push_back(weights ? static_cast<int32_t>(weights->version) : 0);
    }
    train_from(record, static_cast<int64_t>(first));
    record.finish = scripted.finish;
    statistics_.generated_tokens += static_cast<int64_t>(record.tokens.size() - first);
  }
  if (live.sample == 0) statistics_.prompt_tokens += static_cast<int64_t>(r.prompt_tokens.size());
  if (++live.sample == r.samples) live_.pop_front();
  return record;
}

void ScriptedEngine::abort(int64_t request_id) {
  for (Live& live : live_)
    if (live.request.id == request_id) live.aborted = true;
}

int64_t ScriptedEngine::live_samples() const {
  int64_t count = 0;
  for (const Live& live : live_) count += live.request.samples - live.sample;
  return count;
}

}  // namespace rollout
