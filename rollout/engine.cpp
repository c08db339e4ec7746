#include "rollout/engine.h"

#include <fmt/core.h>

#include <algorithm>

#include "kernels/error.h"
#include "kernels/trace.h"
#include "model/transformer.h"
#include "rollout/record_io.h"
#include "rollout/stop_strings.h"

namespace rollout {

struct Engine::LiveSample {
  SampleRecord record;
  std::string tail;     // bytes that may begin a stop string
  int64_t brought = 0;  // tokens that it had when it was submitted
};

// A request whose samples are not all finished.
struct Engine::Live : Group {
  Live(Request r, SampleRecord common)
      : Group(static_cast<int64_t>(r.prompt_tokens.size()), r.samples, r.max_new_tokens),
        request(std::move(r)),
        stop_strings(request.stop_strings),
        pinned(request.weights != nullptr),
        weights(request.weights) {
    records.resize(samples.size());
    for (size_t i = 0; i < records.size(); ++i) {
      records[i].record = common;
      records[i].record.sample_index = request.first_sample + static_cast<int64_t>(i);
      if (!request.continued.empty()) go_on(i);
    }
    request.continued.clear();
  }

  // What the sample has is as if it had been drawn here; the rows of its tokens are computed again.
  void go_on(size_t i) {
    LiveSample& sample = records[i];
    sample.record = std::move(request.continued[i]);
    sample.record.request_id = request.id;
    sample.brought = static_cast<int64_t>(sample.record.tokens.size());
    samples[i].length += sample.brought;
    samples[i].most_computed = std::max(prompt.length, samples[i].length - 1);
  }

  Request request;
  StopStrings stop_strings;
  bool pinned;
  bool drawn = false;  // the samples' first tokens were drawn from the prompt's logits
  std::shared_ptr<const model::WeightSet> weights;
  std::vector<LiveSample> records;
};

// A token asked for: which sample's next one.
struct Engine::Asked {
  Live* live = nullptr;
  int64_t sample = 0;
};

namespace {

SampleRecord common_part(const Request& request) {
  SampleRecord record;
  record.request_id = request.id;
  record.prompt_id = request.prompt_id;
  record.group_id = request.group_id;
  record.request_step = request.step;
  record.sampling = request.sampling;
  record.purpose = request.purpose;
  record.seed = request.seed;
  record.source = "policy";
  return record;
}

// A sample may go on in a request when both say the same of it, and it is not complete.
void check_continued(const Request& r, const SampleRecord& s) {
  check_record(s);
  const auto refuse = [&](const std::string& what) {
    kernels::fail("rollout: request {}: sample {} cannot go on: {}.", r.id, s.sample_index, what);
  };
  if (s.prompt_id != r.prompt_id || s.group_id != r.group_id || s.request_step != r.step || s.seed != r.seed ||
      s.purpose != r.purpose)
    refuse("its prompt, group, step, seed or purpose is not the request's");
  if (s.prompt_tokens != r.prompt_tokens) refuse("its prompt's tokens are not the request's");
  if (s.sampling.temperature != r.sampling.temperature || s.sampling.top_k != r.sampling.top_k ||
      s.sampling.top_p != r.sampling.top_p || s.sampling.min_p != r.sampling.min_p ||
      s.sampling.renormalise != r.sampling.renormalise)
    refuse("it was sampled with other parameters");
  const auto ends = [&](int32_t token) { return std::find(r.stop_tokens.begin(), r.stop_tokens.end(), token) != r.stop_tokens.end(); };
  if (static_cast<int64_t>(s.tokens.size()) >= r.max_new_tokens || (!s.tokens.empty() && ends(s.tokens.back())))
    refuse(fmt::format("its {} tokens are complete", s.tokens.size()));
}

// More pages than all running sequences and their prompts' tails could use.
int64_t most_useful_pages(const model::ModelConfig& model, const EngineConfig& config) {
  return std::max<int64_t>(1, config.max_sequences) * (pages_for(model.max_positions) + 1);
}

// Pages that follow one another become one span; the last ends with position `end - 1`.
void make_spans(const std::vector<int32_t>& pages, int64_t end, std::vector<kernels::KeySpan>& spans) {
  spans.clear();
  const int64_t count = pages_for(end);
  for (int64_t p = 0; p < count; ++p) {
    const int64_t row = pages[static_cast<size_t>(p)] * page_rows;
    const int64_t length = std::min(page_rows, end - p * page_rows);
    if (!spans.empty() && spans.back().first_key_row + spans.back().length == row) spans.back().length += length;
    else spans.push_back({row, p * page_rows, length});
  }
}

}  // namespace

Engine::Engine(const model::ModelConfig& model, kernels::Dtype dtype, const EngineConfig& config,
               std::shared_ptr<const model::Tokenizer> tokenizer)
    : model_(model),
      dtype_(dtype),
      config_(config),
      tokenizer_(std::move(tokenizer)),
      cache_(model, dtype, config.cache_bytes, most_useful_pages(model, config),
             config.record_routes ? RoutePages::bytes_per_row(model) : 0),
      prefix_cache_(cache_.pages()),
      scheduler_({config.max_tokens_per_batch, config.max_sequences, config.prefill_chunk}, cache_.pages(),
                 config.prefix_cache ? this : nullptr),
      flops_(model) {
  if (config.record_routes && RoutePages::bytes_per_row(model) > 0)
    route_pages_ = std::make_unique<RoutePages>(model, cache_.pages().size());
}

Engine::~Engine() = default;

// A request that has not begun will take the newest, in this step or not at all.
const std::shared_ptr<const model::WeightSet>& Engine::weights_of(const Live& live) const {
  return live.weights ? live.weights : newest_;
}

void Engine::find(const Group& group, int64_t from, int64_t end, std::vector<int32_t>& found) {
  const Live& live = static_cast<const Live&>(group);
  prefix_cache_.find(weights_of(live), live.request.prompt_tokens, from, end, found);
}

void Engine::add(const Group& group, int64_t end, const std::vector<int32_t>& pages) {
  const Live& live = static_cast<const Live&>(group);
  prefix_cache_.add(weights_of(live), live.request.prompt_tokens, end, pages);
}

void Engine::release_cache() {
  prefix_cache_.clear();
  cache_.release_storage();
}

void Engine::check(const Request& r) const {
  if (live_.count(r.id)) kernels::fail("rollout: request {} is live already; choose another id.", r.id);
  if (r.prompt_tokens.empty()) kernels::fail("rollout: request {} has an empty prompt; it needs at least one token.", r.id);
  if ((r.samples < 1 && r.continued.empty()) || r.max_new_tokens < 1)
    kernels::fail("rollout: request {} asks for {} samples of at most {} tokens; both must be at least 1.", r.id, r.samples,
                  r.max_new_tokens);
  for (const int32_t token : r.prompt_tokens)
    if (token < 0 || token >= model_.vocab_size)
      kernels::fail("rollout: request {} has token {} in its prompt, but the vocabulary has {} tokens.", r.id, token,
                    model_.vocab_size);
  const int64_t positions = static_cast<int64_t>(r.prompt_tokens.size()) + r.max_new_tokens - 1;
  if (positions > model_.max_positions)
    kernels::fail_usage("rollout: a prompt of {} tokens with max_new_tokens {} needs {} positions, but the model has {}; "
                        "lower max_new_tokens.",
                        r.prompt_tokens.size(), r.max_new_tokens, positions, model_.max_positions);
  if (!r.stop_strings.empty() && !tokenizer_)
    kernels::fail("rollout: request {} has stop strings, but the engine was made without a tokenizer.", r.id);
  check_sampling(r.sampling);
  for (const SampleRecord& sample : r.continued) check_continued(r, sample);
  if (r.weights) check(*r.weights);
}

void Engine::check(const model::WeightSet& w) const {
  const model::ModelConfig& c = w.config;
  if (w.dtype != dtype_ || c.layers != model_.layers || c.key_width() != model_.key_width() ||
      c.value_width() != model_.value_width() || c.vocab_size != model_.vocab_size || c.max_positions < model_.max_positions)
    kernels::fail("rollout: weights version {} ({} layers, {} keys, {} values, {} tokens, {}) do not fit this engine's cache "
                  "({} layers, {} keys, {} values, {} tokens, {}); make an engine of their own for them.",
                  w.version, c.layers, c.key_width(), c.value_width(), c.vocab_size, kernels::name_of(w.dtype), model_.layers,
                  model_.key_width(), model_.value_width(), model_.vocab_size, kernels::name_of(dtype_));
}

void Engine::submit(Request request) {
  check(request);
  const int64_t id = request.id;
  SampleRecord common = common_part(request);
  if (!request.continued.empty()) request.samples = static_cast<int64_t>(request.continued.size());
  auto live = std::make_unique<Live>(std::move(request), std::move(common));
  for (LiveSample& sample : live->records) read_tail(*live, sample);
  scheduler_.submit(*live);
  live_samples_ += live->unfinished;
  if (!live->weights) ++without_weights_;
  live_.emplace(id, std::move(live));
}

// The bytes of a sample that goes on, where a stop string may have begun.
void Engine::read_tail(const Live& live, LiveSample& sample) const {
  for (const int32_t token : sample.record.tokens)
    if (find_stop(live, sample, token))
      kernels::fail("rollout: request {}: sample {} cannot go on: it holds a stop string.", live.request.id, sample.record.sample_index);
}

const std::string* Engine::find_stop(const Live& live, LiveSample& sample, int32_t token) const {
  if (live.stop_strings.empty()) return nullptr;
  // Ids that pad the vocabulary have no text.
  return live.stop_strings.find(sample.tail, token < tokenizer_->size() ? std::string_view(tokenizer_->token_bytes(token)) : "");
}

void Engine::publish(std::shared_ptr<const model::WeightSet> weights) {
  if (weights) check(*weights);
  if (newest_ && newest_ != weights) prefix_cache_.drop(newest_);
  newest_ = std::move(weights);
  if (!newest_ || !config_.update_running) return;
  for (auto& [id, live] : live_) {
    if (live->pinned || !live->weights || live->weights == newest_) continue;
    live->weights = newest_;
    scheduler_.restart(*live);
  }
}

void Engine::abort(int64_t request_id) {
  const auto it = live_.find(request_id);
  if (it == live_.end()) return;
  Live& live = *it->second;
  const int64_t count = static_cast<int64_t>(live.samples.size());
  for (int64_t i = 0; i < count; ++i)
    if (live.samples[static_cast<size_t>(i)].state != Sequence::State::finished) finish(live, i, FinishReason::aborted);
  retired_.clear();
}

SourceStatistics Engine::statistics() const {
  SourceStatistics s = statistics_;
  s.preemptions = scheduler_.preemptions();
  return s;
}

std::optional<SampleRecord> Engine::next(std::chrono::steady_clock::time_point deadline) {
  while (finished_.empty()) {
    const auto start = std::chrono::steady_clock::now();
    if (live_samples_ == 0 || start >= deadline) return std::nullopt;
    step();
    statistics_.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  SampleRecord record = std::move(finished_.front());
  finished_.pop_front();
  return record;
}

void Engine::step() {
  if (!newest_ && without_weights_ > 0)
    kernels::fail("rollout: {} requests have no weights of their own and none are published; call publish() first.",
                  without_weights_);
  const Plan& plan = scheduler_.plan();
  choose_weights(plan);
  for (const PageCopy& copy : plan.copies) {
    cache_.copy(copy);
    if (route_pages_) route_pages_->copy(copy);
  }
  for (const auto& weights : weights_) run(plan, weights);
  weights_.clear();
  retired_.clear();
}

// The distinct weights of this step. A request that begins now takes the newest.
void Engine::choose_weights(const Plan& plan) {
  for (const Work& work : plan.work) {
    Live& live = static_cast<Live&>(*work.sequence->group);
    if (!live.weights) {
      live.weights = newest_;
      --without_weights_;
    }
    if (std::find(weights_.begin(), weights_.end(), live.weights) == weights_.end()) weights_.push_back(live.weights);
  }
}

// One forward pass: the rows of the plan that are of these weights.
void Engine::run(const Plan& plan, const std::shared_ptr<const model::WeightSet>& weights) {
  asked_.clear();
  draws_.clear();
  batch_.tokens.clear();
  batch_.positions.clear();
  batch_.key_rows.clear();
  batch_.head_rows.clear();
  size_t segments = 0;
  int64_t prefill_rows = 0;
  for (const Work& work : plan.work) {
    if (static_cast<Live&>(*work.sequence->group).weights != weights) continue;
    if (segments == batch_.segments.size()) batch_.segments.emplace_back();
    kernels::AttentionSegment& segment = batch_.segments[segments++];
    segment.first_row = batch_.rows();
    segment.rows = work.rows;
    segment.first_position = work.first;
    make_spans(work.sequence->pages, work.first + work.rows, segment.spans);
    add_rows(work);
    if (work.sequence->is_prompt() || work.rows > 1) prefill_rows += work.rows;
    if (work.completes) ask_for_draws(work);
    scheduler_.computed(work);
  }
  batch_.segments.resize(segments);
  batch_.groups.assign(batch_.tokens.size(), 0);
  batch_.targets.assign(batch_.head_rows.size(), -1);  // chosen below, from the logits
  batch_.inverse_temperature.assign(batch_.head_rows.size(), 1.0f);
  statistics_.steps += 1;
  statistics_.largest_batch = std::max(statistics_.largest_batch, static_cast<int64_t>(segments));
  double seconds = 0;
  kernels::Span pass(prefill_rows == 0 ? "decode" : "prefill", &seconds, "rows", batch_.rows());
  routes_.clear();
  const at::Tensor hidden = model::forward_hidden(*weights, batch_, cache_.storage(), route_pages_ ? &routes_ : nullptr);
  pass.end();
  statistics_.flops += flops_.forward(batch_).total();
  if (route_pages_) route_pages_->put(batch_.key_rows, routes_);
  draw(hidden, *weights, seconds);
  const double prefill_share = static_cast<double>(prefill_rows) / static_cast<double>(batch_.rows());
  statistics_.prefill_seconds += seconds * prefill_share;
  statistics_.decode_seconds += seconds * (1 - prefill_share);
}

void Engine::add_rows(const Work& work) {
  const Sequence& s = *work.sequence;
  const Live& live = static_cast<const Live&>(*s.group);
  const std::vector<int32_t>& prompt = live.request.prompt_tokens;
  const int64_t prompt_length = static_cast<int64_t>(prompt.size());
  const int32_t* completion = s.is_prompt() ? nullptr : live.records[static_cast<size_t>(s.sample)].record.tokens.data();
  for (int64_t position = work.first; position < work.first + work.rows; ++position) {
    batch_.tokens.push_back(position < prompt_length ? prompt[static_cast<size_t>(position)]
                                                     : completion[position - prompt_length]);
    batch_.positions.push_back(static_cast<int32_t>(position));
    batch_.key_rows.push_back(s.pages[static_cast<size_t>(position / page_rows)] * page_rows + position % page_rows);
  }
  const int64_t again = std::clamp<int64_t>(s.most_computed - work.first, 0, work.rows);
  statistics_.recomputed_tokens += again;
  if (s.is_prompt()) statistics_.prompt_tokens += work.rows - again;
  if (s.is_prompt() || work.rows > 1) statistics_.prefill_chunks += 1;
}

// The last row of the work gives the next token of its sample, or the first tokens of all samples of a prompt.
void Engine::ask_for_draws(const Work& work) {
  Sequence& s = *work.sequence;
  Live& live = static_cast<Live&>(*s.group);
  const auto record_of = [&](int64_t sample) -> const SampleRecord& { return live.records[static_cast<size_t>(sample)].record; };
  const auto ask = [&](int64_t sample) {
    const Request& r = live.request;
    Draw d;
    d.row = batch_.head_count() - 1;
    d.sampling = &r.sampling;
    d.key = {r.seed, r.purpose, static_cast<uint64_t>(r.step), static_cast<uint64_t>(r.group_id),
             static_cast<uint32_t>(record_of(sample).sample_index), static_cast<uint32_t>(s.length)};
    draws_.push_back(d);
    asked_.push_back({&live, sample});
  };
  if (s.is_prompt() && live.drawn) return;  // its pages were lost and computed again
  const auto head_row = [&] { batch_.head_rows.push_back(batch_.rows() - 1); };
  if (!s.is_prompt()) return head_row(), ask(s.sample);
  live.drawn = true;
  statistics_.cached_tokens += s.cached;
  statistics_.shared_prefills += static_cast<int64_t>(live.samples.size()) - 1;
  const size_t asked_before = asked_.size();
  for (int64_t i = 0; i < static_cast<int64_t>(live.samples.size()); ++i) {
    if (!record_of(i).tokens.empty()) continue;  // it goes on behind its own last token
    if (asked_.size() == asked_before) head_row();
    ask(i);
  }
}

void Engine::draw(const at::Tensor& hidden, const model::WeightSet& weights, double& head_seconds) {
  const int64_t rows = batch_.head_count();
  const int64_t chunk = std::max<int64_t>(1, config_.logits_bytes / (model_.vocab_size * static_cast<int64_t>(sizeof(float))));
  size_t begin = 0;
  for (int64_t row = 0; row < rows; row += chunk) {
    const int64_t count = std::min(chunk, rows - row);
    size_t end = begin;
    for (; end < draws_.size() && draws_[end].row < row + count; ++end) draws_[end].row -= row;
    kernels::Span head("head", &head_seconds, "rows", count);
    const at::Tensor logits = kernels::linear(hidden.narrow(0, row, count), weights.head);
    head.end();
    const kernels::Span drawing("draw", &statistics_.draw_seconds, "tokens", static_cast<int64_t>(end - begin));
    draw_tokens(logits, model_.vocab_size, &draws_[begin], static_cast<int64_t>(end - begin));
    begin = end;
  }
  for (size_t i = 0; i < draws_.size(); ++i) accept(asked_[i], draws_[i], weights.version);
}

// Those of the row that the token was drawn from, as it was computed then: a later pass over it, with other weights perhaps,
// changes nothing. The first sample of a request has those of the prompt too.
void Engine::add_routes(const Asked& asked) {
  const Live& live = *asked.live;
  SampleRecord& record = asked.live->records[static_cast<size_t>(asked.sample)].record;
  const int64_t prompt = live.prompt.length, row = prompt + static_cast<int64_t>(record.tokens.size()) - 1;
  const bool first = record.tokens.empty();
  const std::vector<int32_t>& pages = first ? live.prompt.pages : live.samples[static_cast<size_t>(asked.sample)].pages;
  if (first && asked.sample == 0) route_pages_->append(pages, 0, prompt, record.prompt_routes);
  route_pages_->append(pages, row, row + 1, record.routes);
}

void Engine::accept(const Asked& asked, const Draw& draw, int64_t version) {
  Live& live = *asked.live;
  const Request& request = live.request;
  LiveSample& sample = live.records[static_cast<size_t>(asked.sample)];
  SampleRecord& record = sample.record;
  const int32_t token = draw.sampled.token;
  if (route_pages_ && request.purpose == kernels::Purpose::train) add_routes(asked);
  record.append({token, draw.logprob, version, draw.sampled.kept_mass, draw.kept});
  scheduler_.append(live.samples[static_cast<size_t>(asked.sample)]);
  statistics_.generated_tokens += 1;

  const std::vector<int32_t>& stops = request.stop_tokens;
  if (std::find(stops.begin(), stops.end(), token) != stops.end()) return finish(live, asked.sample, FinishReason::stop);
  if (const std::string* found = find_stop(live, sample, token)) {
    record.stop_text = *found;
    return finish(live, asked.sample, FinishReason::stop);
  }
  if (static_cast<int64_t>(record.tokens.size()) == request.max_new_tokens) finish(live, asked.sample, FinishReason::length);
}

void Engine::finish(Live& live, int64_t sample, FinishReason reason) {
  LiveSample& own = live.records[static_cast<size_t>(sample)];
  SampleRecord& record = own.record;
  record.finish = reason;
  record.prompt_tokens = live.request.prompt_tokens;
  record.cached_tokens = live.prompt.cached;
  train_from(record, own.brought);
  finished_.push_back(std::move(record));
  scheduler_.finish(live.samples[static_cast<size_t>(sample)]);
  --live_samples_;
  if (live.unfinished > 0) return;
  if (!live.weights) --without_weights_;
  // The plan of this step may still point to it.
  const auto it = live_.find(live.request.id);
  retired_.push_back(std::move(it->second));
  live_.erase(it);
}

}  // namespace rollout
