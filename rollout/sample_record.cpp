#include "rollout/sample_record.h"

namespace rollout {

const char* name_of(FinishReason reason) {
  switch (reason) {
    case FinishReason::stop: return "stop";
    case FinishReason::length: return "length";
    case FinishReason::aborted: return "aborted";
  }
  return "unknown";
}

void SampleRecord::append(const NewToken& next) {
  tokens.push_back(next.token);
  logprobs.push_back(next.logprob);
  policy_versions.push_back(static_cast<int32_t>(next.policy_version));
  if (!sampling.truncates()) return;
  kept_mass.push_back(next.kept_mass);
  if (sampling.renormalise) kept.add(next.kept);
}

void train_from(SampleRecord& record, int64_t first) {
  const int64_t count = static_cast<int64_t>(record.tokens.size()) - first;
  if (count <= 0) return;
  if (!record.trained.empty() && record.trained.back().first + record.trained.back().length == first)
    record.trained.back().length += count;
  else record.trained.push_back({first, count});
}

}  // namespace rollout
