// `ponder sample`: completions of prompts, on the terminal.
#include <cstdio>

#include <algorithm>

#include "kernels/error.h"
#include "kernels/thread_pool.h"
#include "rl/commands/commands.h"
#include "rl/commands/loaded_model.h"

namespace rl {

int run_sample(const SampleOptions& options) {
  kernels::set_threads(options.threads);
  if (options.prompts.empty()) kernels::fail_usage("sample: no prompt; give one with --prompt TEXT.");
  LoadedModel loaded(model::find_model_place(options.model, options.base), options.dtype, options.chat_template, options.memory_mb);
  for (size_t i = 0; i < options.prompts.size(); ++i) {
    rollout::Request request;
    request.id = static_cast<int64_t>(i);
    request.group_id = static_cast<int64_t>(i);
    request.prompt_tokens = loaded.tokenizer().encode(model::render_prompt(loaded.chat_template(), options.prompts[i]));
    request.samples = options.samples;
    // The last token needs no position of its own: nothing comes after it.
    const int64_t room = loaded.max_positions() - static_cast<int64_t>(request.prompt_tokens.size()) + 1;
    request.max_new_tokens = std::min(options.max_new_tokens, std::max<int64_t>(1, room));
    request.sampling = {options.temperature, options.top_k, options.top_p, 0.0};
    request.stop_tokens = loaded.stop_tokens();
    request.stop_strings = options.stop;
    request.seed = static_cast<uint64_t>(options.seed);
    request.purpose = kernels::Purpose::serve;
    loaded.engine().submit(std::move(request));
    std::vector<rollout::SampleRecord> records(static_cast<size_t>(options.samples));
    while (auto record = loaded.engine().next(std::chrono::steady_clock::now() + std::chrono::hours(24)))
      records[static_cast<size_t>(record->sample_index)] = std::move(*record);
    for (const auto& record : records) {
      double logprob = 0;
      for (float x : record.logprobs) logprob += x;
      fmt::print("{}\n", loaded.tokenizer().decode(record.tokens, /*skip_special=*/loaded.chat_template().style != "plain"));
      std::fflush(stdout);  // so that text and note keep their order where both go to one place
      fmt::print(stderr, "--- {} tokens, ended by {}, log-probability {:.2f}\n", record.tokens.size(), rollout::name_of(record.finish), logprob);
    }
  }
  return 0;
}

}  // namespace rl
