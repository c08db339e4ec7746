#include "rollout/scheduler.h"

#include <algorithm>

#include "kernels/error.h"

namespace rollout {

Group::Group(int64_t prompt_length, int64_t sample_count, int64_t most_new_tokens)
    : samples(static_cast<size_t>(sample_count)),
      max_new_tokens(most_new_tokens),
      unfinished(sample_count),
      waiting(sample_count) {
  prompt.group = this;
  prompt.length = prompt_length;
  for (size_t i = 0; i < samples.size(); ++i) {
    samples[i].group = this;
    samples[i].sample = static_cast<int64_t>(i);
    samples[i].length = samples[i].most_computed = prompt_length;
  }
}

Scheduler::Scheduler(const SchedulerConfig& config, PagePool& pages, Prefixes* prefixes)
    : config_(config), pages_(pages), prefixes_(prefixes) {
  const auto at_least_one = [](const char* name, int64_t value) {
    if (value < 1) kernels::fail_usage("rollout.{}: is {}; it must be at least 1.", name, value);
  };
  at_least_one("max_tokens_per_batch", config.max_tokens_per_batch);
  at_least_one("max_sequences", config.max_sequences);
  at_least_one("prefill_chunk", config.prefill_chunk);
  // Every running sequence gets a row in every pass.
  config_.max_sequences = std::min(config.max_sequences, config.max_tokens_per_batch);
}

void Scheduler::submit(Group& group) {
  // The last token needs no row: nothing comes after it.
  const int64_t rows = group.prompt.length + group.max_new_tokens - 1;
  if (pages_for(rows) > pages_.size())
    kernels::fail_usage(
        "rollout: a prompt of {} tokens with max_new_tokens {} needs {} cache pages of {} positions, but the cache's budget "
        "holds {}; raise rollout.cache_mb, or lower max_new_tokens.",
        group.prompt.length, group.max_new_tokens, pages_for(rows), page_rows, pages_.size());
  group.order = next_order_++;
  wait(group.prompt);
}

const Plan& Scheduler::plan() {
  plan_.copies.clear();
  plan_.work.clear();
  rows_left_ = config_.max_tokens_per_batch;
  plan_running();
  plan_waiting();
  if (plan_.work.empty() && !waiting_.empty())
    kernels::fail("scheduler: {} sequences wait, but none can run ({} of {} pages free).", waiting_.size(), pages_.free_pages(),
                  pages_.size());
  return plan_;
}

void Scheduler::plan_running() {
  chunked_.clear();
  // Victims come from the back of the list, which this loop has not reached.
  for (size_t i = 0; i < running_.size(); ++i) {
    Sequence& s = *running_[i];
    if (s.length - s.computed > 1) {
      chunked_.push_back(&s);
    } else if (static_cast<int64_t>(s.pages.size()) * page_rows > s.computed || give_page(s)) {
      add_work(s);
    }
  }
  for (Sequence* s : chunked_)
    if (s->state == Sequence::State::running) add_work(*s);
}

void Scheduler::plan_waiting() {
  while (rows_left_ > 0 && running() < config_.max_sequences && !waiting_.empty()) {
    Sequence& oldest = **waiting_.begin();
    Group& group = *oldest.group;
    const bool prompt_is_gone = !oldest.is_prompt() && group.prompt.state == Sequence::State::dropped;
    if (prompt_is_gone && group.waiting > 1) {
      // Several samples want the prompt that was dropped: compute it once for all of them.
      park_samples(group);
      wait(group.prompt);
      continue;
    }
    if (!(oldest.is_prompt() ? admit_prompt(oldest) : admit_sample(oldest))) return;
    add_work(oldest);
  }
}

void Scheduler::add_work(Sequence& s) {
  const int64_t prompt = s.group->prompt.length;
  if (rows_left_ > 0 && s.computed < prompt) take_known_pages(s);
  const int64_t rows = std::min({s.length - s.computed, config_.prefill_chunk, rows_left_});
  if (rows <= 0) return;
  rows_left_ -= rows;
  plan_.work.push_back({&s, s.computed, rows, s.computed + rows == s.length});
  // Known from here on: nothing takes the work out of the plan again, and a pass writes all its keys before it reads any.
  if (prefixes_ && s.computed < prompt) prefixes_->add(*s.group, std::min(s.computed + rows, prompt) / page_rows, s.pages);
}

// The full pages of the prompt from page `from` on that are known, one reference each. The last row is always computed:
// its logits are wanted, and a shared page is not written.
std::vector<int32_t> Scheduler::share_known_pages(const Sequence& s, int64_t from) {
  std::vector<int32_t> found;
  const int64_t end = std::min(s.group->prompt.length, s.length - 1) / page_rows;
  if (prefixes_ && from < end) prefixes_->find(*s.group, from, end, found);
  for (const int32_t page : found) pages_.share(page);
  return found;
}

// Others have gone further in this prompt's beginning: their pages replace its own.
void Scheduler::take_known_pages(Sequence& s) {
  const int64_t from = s.computed / page_rows;
  const std::vector<int32_t> found = share_known_pages(s, from);
  for (size_t i = 0; i < found.size(); ++i) {
    pages_.release(s.pages[static_cast<size_t>(from) + i]);
    s.pages[static_cast<size_t>(from) + i] = found[i];
  }
  if (!found.empty()) skip_to(s, (from + static_cast<int64_t>(found.size())) * page_rows);
}

void Scheduler::skip_to(Sequence& s, int64_t row) {
  s.computed = row;
  s.cached += std::max<int64_t>(0, row - s.most_computed);
  s.most_computed = std::max(s.most_computed, row);
}

// A page for the sequence's next row. False when the sequence itself had to give way.
bool Scheduler::give_page(Sequence& s) {
  for (;;) {
    const int32_t page = pages_.allocate();
    if (page != PagePool::none) {
      s.pages.push_back(page);
      return true;
    }
    if (!idle_.empty()) {
      release_pages((*idle_.rbegin())->prompt);
      continue;
    }
    Sequence& youngest = *running_.back();
    if (&youngest != &s) {
      preempt(youngest);
    } else if (running_.size() > 1) {
      preempt(s);
      return false;
    } else {
      // Alone: all that others still hold is the copied tail of its own prompt.
      drop_partial_page(s.group->prompt);
      if (pages_.free_pages() == 0)
        kernels::fail("scheduler: a sequence of {} tokens does not fit in {} pages.", s.length, pages_.size());
    }
  }
}

// At least `pages` free pages. Only when nothing runs are prompts dropped for it, youngest first.
bool Scheduler::make_room(int64_t pages, const Group* keep) {
  if (!running_.empty()) return pages_.free_pages() >= pages;
  while (pages_.free_pages() < pages) {
    auto victim = std::find_if(idle_.rbegin(), idle_.rend(), [&](const Group* g) { return g != keep; });
    if (victim == idle_.rend()) return false;
    release_pages((*victim)->prompt);
  }
  return true;
}

bool Scheduler::admit_prompt(Sequence& prompt) {
  Group& group = *prompt.group;
  if (!group.started && started_samples_ >= config_.max_sequences) return false;
  // Headroom: a page for each sequence that grows, so that they are not preempted at once.
  const int64_t forks = std::min(static_cast<int64_t>(group.samples.size()), config_.max_sequences);
  const int64_t headroom = running_.empty() ? 0 : running() + forks;
  prompt.pages = share_known_pages(prompt, 0);
  const int64_t known = static_cast<int64_t>(prompt.pages.size());
  if (!make_room(pages_for(prompt.length) - known + headroom, nullptr)) {
    release_pages(prompt);
    return false;
  }
  allocate_rest(prompt);
  skip_to(prompt, known * page_rows);
  if (!group.started) started_samples_ += group.unfinished;
  group.started = true;
  start(prompt);
  return true;
}

void Scheduler::allocate_rest(Sequence& s) {
  while (static_cast<int64_t>(s.pages.size()) < pages_for(s.length)) s.pages.push_back(pages_.allocate());
}

bool Scheduler::admit_sample(Sequence& s) {
  Group& group = *s.group;
  if (group.prompt.state != Sequence::State::held) return admit_alone(s);
  const int64_t shared_rows = group.prompt.computed;
  const int64_t full = shared_rows / page_rows, tail = shared_rows % page_rows;
  // The last sample to start takes the prompt's partial page for itself, without a copy.
  bool take_partial = tail > 0 && group.waiting == 1;
  int64_t need = pages_for(s.length) - full - (take_partial ? 1 : 0);
  if (!make_room(need + running(), &group)) {
    if (!running_.empty() || tail == 0 || take_partial || !make_room(need - 1, &group)) return false;
    take_partial = true;  // alone, and one page short
  }
  fork(s, shared_rows, take_partial);
  start(s);
  return true;
}

// A sample whose prompt was dropped computes the prompt's rows itself.
bool Scheduler::admit_alone(Sequence& s) {
  s.pages = share_known_pages(s, 0);
  const int64_t known = static_cast<int64_t>(s.pages.size());
  if (!make_room(pages_for(s.length) - known + running(), s.group)) {
    release_pages(s);
    return false;
  }
  allocate_rest(s);
  skip_to(s, known * page_rows);
  start(s);
  return true;
}

void Scheduler::fork(Sequence& s, int64_t shared_rows, bool take_partial) {
  Sequence& prompt = s.group->prompt;
  const int64_t full = shared_rows / page_rows, tail = shared_rows % page_rows;
  s.pages.assign(prompt.pages.begin(), prompt.pages.begin() + full);
  for (const int32_t page : s.pages) pages_.share(page);
  if (take_partial) {
    s.pages.push_back(prompt.pages.back());
    prompt.pages.pop_back();
    prompt.computed = full * page_rows;
  }
  allocate_rest(s);
  if (tail > 0 && !take_partial)
    plan_.copies.push_back({prompt.pages[static_cast<size_t>(full)], s.pages[static_cast<size_t>(full)], tail});
  s.computed = shared_rows;
}

void Scheduler::computed(const Work& work) {
  Sequence& s = *work.sequence;
  s.computed = work.first + work.rows;
  s.most_computed = std::max(s.most_computed, s.computed);
  if (!s.is_prompt() || s.computed < s.length) return;
  stop(s, Sequence::State::held);
  for (Sequence& sample : s.group->samples)
    if (sample.state == Sequence::State::parked) wait(sample);
  update_idle(*s.group);
}

void Scheduler::finish(Sequence& s) {
  Group& group = *s.group;
  if (s.state == Sequence::State::finished) return;
  if (s.state != Sequence::State::running) --group.waiting;
  stop(s, Sequence::State::finished);
  release_pages(s);
  if (group.started) --started_samples_;
  if (--group.unfinished == 0) {
    stop(group.prompt, Sequence::State::finished);
    release_pages(group.prompt);
  }
  update_idle(group);
}

void Scheduler::preempt(Sequence& s) {
  ++preemptions_;
  stop(s, Sequence::State::waiting);
  release_pages(s);
  Group& group = *s.group;
  if (!s.is_prompt()) ++group.waiting;
  const bool prompt_comes = group.prompt.state == Sequence::State::waiting || group.prompt.state == Sequence::State::running;
  if (!s.is_prompt() && prompt_comes) s.state = Sequence::State::parked;
  else wait(s);
  update_idle(group);
}

void Scheduler::restart(Group& group) {
  if (!group.started) return;
  const bool prompt_waits = group.prompt.state == Sequence::State::waiting || group.prompt.state == Sequence::State::running;
  stop(group.prompt, Sequence::State::dropped);
  release_pages(group.prompt);
  if (prompt_waits) wait(group.prompt);
  for (Sequence& s : group.samples) {
    if (s.state != Sequence::State::running) continue;
    stop(s, Sequence::State::waiting);
    release_pages(s);
    ++group.waiting;
    if (prompt_waits) s.state = Sequence::State::parked;
    else wait(s);
  }
  update_idle(group);
}

void Scheduler::start(Sequence& s) {
  waiting_.erase(&s);
  running_.insert(std::upper_bound(running_.begin(), running_.end(), &s, ByAge()), &s);
  s.state = Sequence::State::running;
  if (!s.is_prompt()) {
    ++s.group->running;
    --s.group->waiting;
  }
  update_idle(*s.group);
}

// Takes a sequence out of the lists of those that run or wait.
void Scheduler::stop(Sequence& s, Sequence::State state) {
  if (s.state == Sequence::State::running) {
    running_.erase(std::lower_bound(running_.begin(), running_.end(), &s, ByAge()));
    if (!s.is_prompt()) --s.group->running;
  } else if (s.state == Sequence::State::waiting) {
    waiting_.erase(&s);
  }
  s.state = state;
}

void Scheduler::wait(Sequence& s) {
  s.state = Sequence::State::waiting;
  waiting_.insert(&s);
}

void Scheduler::park_samples(Group& group) {
  for (Sequence& s : group.samples)
    if (s.state == Sequence::State::waiting) stop(s, Sequence::State::parked);
}

void Scheduler::release_pages(Sequence& s) {
  // The last page first: of kept pages the pool takes those first that nothing follows.
  for (size_t i = s.pages.size(); i-- > 0;) pages_.release(s.pages[i]);
  s.pages.clear();
  s.computed = 0;
  if (s.state == Sequence::State::held) {
    s.state = Sequence::State::dropped;
    update_idle(*s.group);
  }
}

void Scheduler::drop_partial_page(Sequence& prompt) {
  if (prompt.state != Sequence::State::held || prompt.computed % page_rows == 0) return;
  pages_.release(prompt.pages.back());
  prompt.pages.pop_back();
  prompt.computed -= prompt.computed % page_rows;
}

void Scheduler::update_idle(Group& group) {
  const bool idle = group.prompt.state == Sequence::State::held && !group.prompt.pages.empty() && group.running == 0;
  if (idle == group.idle) return;
  group.idle = idle;
  if (idle) idle_.insert(&group);
  else idle_.erase(&group);
}

}  // namespace rollout
