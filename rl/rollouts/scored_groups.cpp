#include "rl/rollouts/scored_groups.h"

#include <algorithm>

#include "kernels/error.h"

namespace rl {
namespace {

reward::Outcome outcome_of(const DumpedSample& s, const std::string& file) {
  using reward::Status;
  reward::Outcome outcome;
  bool known = false;
  for (const Status status : {Status::scored, Status::no_answer, Status::not_applicable, Status::timeout, Status::infra_error})
    if (s.status == reward::name_of(status)) outcome.status = status, known = true;
  if (!known || outcome.has_value() != s.reward.has_value())
    kernels::fail_usage("{}: group {}, sample {} has status \"{}\" and {} reward; the file was changed, or is of another version.", file,
                        s.group_id, s.sample_index, s.status, s.reward ? "a" : "no");
  outcome.value = s.reward.value_or(0);
  outcome.components = s.components;
  outcome.reason = s.reason, outcome.detail = s.detail, outcome.extracted = s.extracted;
  return outcome;
}

}  // namespace

std::vector<Group> read_groups(const DumpedStep& step) {
  const auto samples = read_samples(step);
  auto records = read_records(step);
  auto next = records.begin();
  std::vector<Group> groups;
  for (const auto& lines : samples) {
    Group& group = groups.emplace_back();
    group.problem.answer = lines[0].answer, group.problem.data_source = lines[0].data_source, group.problem.extra = lines[0].extra;
    group.problem.dataset = lines[0].dataset, group.left_out = lines[0].left_out;
    group.prompt = lines[0].prompt;
    for (const DumpedSample& s : lines) {
      if (next == records.end() || next->group_id != s.group_id || next->sample_index != s.sample_index || next->tokens != s.tokens)
        kernels::fail_usage("{}.jsonl and {}.records are not of the same samples: they part at group {}, sample {}.", step.path, step.path,
                            s.group_id, s.sample_index);
      group.samples.push_back({std::move(*next++), s.text, outcome_of(s, step.path + ".jsonl")});
    }
  }
  if (next != records.end())
    kernels::fail_usage("{}.records has {} samples that {}.jsonl lacks.", step.path, records.end() - next, step.path);
  return groups;
}

}  // namespace rl
