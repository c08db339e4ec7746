#include "rl/sampling/saved_samples.h"

#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "rollout/record_io.h"

namespace rl {
namespace {

// CBOR takes strings as they are: completions need not be UTF-8.
using Json = nlohmann::json;

constexpr int64_t kFormatVersion = 2;

Json json_of(const Problem& p) {
  return {{"prompt_id", p.prompt_id}, {"question", p.question}, {"answer", p.answer}, {"completion", p.completion},
          {"data_source", p.data_source}, {"extra", p.extra}, {"messages", p.messages}, {"line", p.line}, {"set", p.set}, {"dataset", p.dataset}};
}

Problem problem_from(const Json& json) {
  Problem p;
  p.prompt_id = json.at("prompt_id"), p.question = json.at("question"), p.answer = json.at("answer");
  p.completion = json.at("completion"), p.data_source = json.at("data_source"), p.extra = json.at("extra");
  p.messages = json.at("messages"), p.line = json.at("line"), p.set = json.at("set"), p.dataset = json.at("dataset");
  return p;
}

Json json_of(const reward::Outcome& o) {
  Json components = Json::array(), failed = Json::array();
  for (const auto& [name, value] : o.components) components.push_back({name, value});
  for (const auto& [name, status] : o.failed) failed.push_back({name, static_cast<int>(status)});
  return {{"status", static_cast<int>(o.status)}, {"value", o.value}, {"components", components}, {"reason", o.reason},
          {"detail", o.detail}, {"extracted", o.extracted}, {"failed", failed}, {"abort", o.abort}};
}

reward::Outcome outcome_from(const Json& json) {
  reward::Outcome o;
  o.status = static_cast<reward::Status>(json.at("status").get<int>());
  o.value = json.at("value"), o.reason = json.at("reason"), o.detail = json.at("detail");
  o.extracted = json.at("extracted"), o.abort = json.at("abort");
  for (const Json& part : json.at("components")) o.components.emplace_back(part.at(0).get<std::string>(), part.at(1).get<double>());
  for (const Json& part : json.at("failed"))
    o.failed.emplace_back(part.at(0).get<std::string>(), static_cast<reward::Status>(part.at(1).get<int>()));
  return o;
}

Json json_of(const Group& group) {
  Json samples = Json::array();
  for (const ScoredSample& s : group.samples) {
    std::string record;
    rollout::append_record(s.record, record);
    samples.push_back({{"record", Json::binary(std::vector<uint8_t>(record.begin(), record.end()))},
                       {"text", s.text},
                       {"outcome", json_of(s.outcome)}});
  }
  return {{"problem", json_of(group.problem)}, {"prompt", group.prompt}, {"samples", samples}, {"left_out", group.left_out}};
}

Group group_from(const Json& json) {
  Group group;
  group.problem = problem_from(json.at("problem"));
  group.prompt = json.at("prompt"), group.left_out = json.at("left_out");
  for (const Json& s : json.at("samples")) {
    const auto& bytes = s.at("record").get_binary();
    size_t used = 0;
    ScoredSample sample;
    sample.record = rollout::read_record(reinterpret_cast<const std::byte*>(bytes.data()), bytes.size(), used);
    sample.text = s.at("text");
    sample.outcome = outcome_from(s.at("outcome"));
    group.samples.push_back(std::move(sample));
  }
  return group;
}

Json json_of(const std::vector<Group>& groups) {
  Json list = Json::array();
  for (const Group& group : groups) list.push_back(json_of(group));
  return list;
}

std::vector<Group> groups_from(const Json& json) {
  std::vector<Group> groups;
  for (const Json& group : json) groups.push_back(group_from(group));
  return groups;
}

Json json_of(const rollout::SourceStatistics& used) {
  return {{"prompt_tokens", used.prompt_tokens}, {"cached_tokens", used.cached_tokens}, {"generated_tokens", used.generated_tokens},
          {"recomputed_tokens", used.recomputed_tokens}, {"flops", used.flops}, {"prefill_seconds", used.prefill_seconds},
          {"decode_seconds", used.decode_seconds}, {"draw_seconds", used.draw_seconds}};
}

rollout::SourceStatistics statistics_from(const Json& json) {
  rollout::SourceStatistics used;
  used.prompt_tokens = json.at("prompt_tokens"), used.cached_tokens = json.at("cached_tokens");
  used.generated_tokens = json.at("generated_tokens"), used.recomputed_tokens = json.at("recomputed_tokens");
  used.flops = json.at("flops"), used.prefill_seconds = json.at("prefill_seconds");
  used.decode_seconds = json.at("decode_seconds"), used.draw_seconds = json.at("draw_seconds");
  return used;
}

// Of the times what the metrics say of a rollout, and what it cost.
Json json_of(const CollectedStep& step) {
  Json metrics = Json::array();
  for (const auto& [name, value] : step.metrics) metrics.push_back({name, value});
  return {{"groups", json_of(step.groups)},
          {"aborted_tokens", step.aborted_tokens},
          {"carried_tokens", step.carried_tokens},
          {"rescored_groups", step.rescored_groups},
          {"rescore_mismatches", step.rescore_mismatches},
          {"refills", step.refills},
          {"exhausted", step.exhausted},
          {"metrics", metrics},
          {"problem", step.problem},
          {"rollout_seconds", step.times.rollout},
          {"used", json_of(difference(step.times.after, step.times.before))}};
}

CollectedStep step_from(const Json& json) {
  CollectedStep step;
  step.groups = groups_from(json.at("groups"));
  step.aborted_tokens = json.at("aborted_tokens"), step.carried_tokens = json.at("carried_tokens");
  step.rescored_groups = json.at("rescored_groups"), step.rescore_mismatches = json.at("rescore_mismatches");
  for (const Json& metric : json.at("metrics")) step.metrics.emplace_back(metric.at(0), metric.at(1));
  step.refills = json.at("refills"), step.exhausted = json.at("exhausted"), step.problem = json.at("problem");
  step.times.rollout = json.at("rollout_seconds"), step.times.after = statistics_from(json.at("used"));
  return step;
}

}  // namespace

std::string save_samples(const StepsAhead& ahead, const SamplingState& last) {
  const bool carries = last.carried && !last.carried->empty();
  std::string bytes;
  if (ahead.empty() && !carries) return bytes;
  Json steps = Json::array();
  for (const auto& step : ahead) steps.push_back(json_of(*step));
  const Json json{{"format_version", kFormatVersion}, {"ahead", steps}, {"carried", carries ? json_of(*last.carried) : Json::array()}};
  Json::to_cbor(json, bytes);
  return bytes;
}

StepsAhead load_samples(const std::string& bytes, SamplingState& last) {
  try {
    const Json json = Json::from_cbor(bytes);
    if (json.at("format_version").get<int64_t>() != kFormatVersion)
      kernels::fail("samples of a checkpoint: they are of format {}; this program reads {}.", json.at("format_version").dump(), kFormatVersion);
    last.carried = std::make_shared<const std::vector<Group>>(groups_from(json.at("carried")));
    StepsAhead ahead;
    for (const Json& saved : json.at("ahead")) {
      CollectedStep step = step_from(saved);
      step.state = last;
      ahead.push_back(std::make_shared<const CollectedStep>(std::move(step)));
    }
    return ahead;
  } catch (const Json::exception& error) {
    kernels::fail("samples of a checkpoint: they are damaged: {}", error.what());
  }
}

}  // namespace rl
