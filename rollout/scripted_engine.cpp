#include "rollout/scripted_engine.h"

#include "kernels/error.h"

namespace rollout {

void ScriptedEngine::submit(Request request) {
  if (request.samples < 1) kernels::fail("scripted engine: request {} asks for {} samples.", request.id, request.samples);
  live_.push_back({std::move(request)});
}

std::optional<SampleRecord> ScriptedEngine::next(std::chrono::steady_clock::time_point deadline) {
  if (live_.empty() || std::chrono::steady_clock::now() >= deadline) return std::nullopt;
  Live& live = live_.front();
  const Request& r = live.request;
  SampleRecord record;
  record.request_id = r.id;
  record.prompt_id = r.prompt_id;
  record.group_id = r.group_id;
  record.sample_index = r.first_sample + live.sample;
  record.request_step = r.step;
  record.prompt_tokens = r.prompt_tokens;
  record.sampling = r.sampling;
  record.purpose = r.purpose;
  record.seed = r.seed;
  record.source = "policy";
  record.finish = FinishReason::aborted;
  if (!live.aborted) {
    ScriptedSample scripted = script_(r, record.sample_index);
    if (scripted.logprobs.size() != scripted.tokens.size())
      kernels::fail("scripted engine: the script gave {} tokens and {} log-probabilities; give one for each token.",
                    scripted.tokens.size(), scripted.logprobs.size());
    const std::shared_ptr<const model::WeightSet>& weights = r.weights ? r.weights : newest_;
    const int64_t count = static_cast<int64_t>(scripted.tokens.size());
    record.tokens = std::move(scripted.tokens);
    record.logprobs = std::move(scripted.logprobs);
    record.policy_versions.assign(static_cast<size_t>(count), weights ? static_cast<int32_t>(weights->version) : 0);
    if (count > 0) record.trained = {{0, count}};
    record.finish = scripted.finish;
    statistics_.generated_tokens += count;
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
