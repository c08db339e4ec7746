// How cost grows. Each table prints what is measured beside the shape that it should have.
#include <fmt/core.h>

#include <cmath>

#include "kernels/token_logprob.h"
#include "tests/bench/engine_runs.h"
#include "tests/bench/train_runs.h"
#include "tests/support/random_tensor.h"

namespace bench {
namespace {

// Medians of `rounds` measurements of each of `count` settings, taken in turn so that all meet the same machine.
std::vector<double> in_turn(int rounds, size_t count, const std::function<double(size_t)>& measure) {
  std::vector<std::vector<double>> times(count);
  for (int r = 0; r < rounds; ++r)
    for (size_t i = 0; i < count; ++i) times[i].push_back(measure(i));
  std::vector<double> medians;
  for (const auto& t : times) medians.push_back(spread(t).median);
  return medians;
}

struct Curves {
  Report& report;
  std::shared_ptr<const model::WeightSet> weights;
  Peaks peaks;
  bool quick;
  int rounds() const { return quick ? 1 : 3; }
};

void by_sequences(const Curves& c) {
  c.report.table("cost by sequences", 1,
                 "a decode step; expected: the roofline's growth from one sequence, flat while the weights' "
                 "bytes bound it, then linear");
  const std::vector<int64_t> counts = c.quick ? std::vector<int64_t>{1, 4} : std::vector<int64_t>{1, 2, 4, 8, 16, 32, 64};
  const int64_t tokens = c.quick ? 8 : 32;
  Runner runner(c.weights);
  const auto t = in_turn(c.rounds(), counts.size(), [&](size_t i) {
    return runner.decode_seconds({.prompts = counts[i], .prompt_tokens = 64, .new_tokens = tokens}) / double(tokens);
  });
  for (size_t i = 0; i < counts.size(); ++i)
    c.report.row(
        {{"sequences", counts[i]},
         {"ms_a_step", t[i] * 1e3},
         {"ms_a_token", t[i] / double(counts[i]) * 1e3},
         {"growth", t[i] / t[0]},
         {"expected", roofline_seconds(*c.weights, c.peaks, counts[i], 80) / roofline_seconds(*c.weights, c.peaks, 1, 80)}});
}

void by_context(const Curves& c) {
  const int64_t sequences = 4, tokens = 16;
  c.report.table("cost by context", 1,
                 "a decode step of 4 sequences; expected: the first row + 4 * tokens more * cache bytes of a token / "
                 "DRAM read");
  const std::vector<int64_t> contexts = c.quick ? std::vector<int64_t>{64, 128} : std::vector<int64_t>{64, 512, 1024, 2048};
  Runner runner(c.weights);
  const auto t = in_turn(c.quick ? 1 : 2, contexts.size(), [&](size_t i) {
    return runner.decode_seconds({.prompts = sequences, .prompt_tokens = contexts[i], .new_tokens = tokens}) / double(tokens);
  });
  const double bytes = double(sequences * model::key_storage_bytes_per_row(c.weights->config, c.weights->dtype));
  for (size_t i = 0; i < contexts.size(); ++i)
    c.report.row({{"context", contexts[i]},
                  {"ms_a_step", t[i] * 1e3},
                  {"expected_ms", t[0] * 1e3 + double(contexts[i] - contexts[0]) * bytes / c.peaks.dram * 1e-6}});
}

void by_group_size(const Curves& c) {
  const int64_t samples = c.quick ? 8 : 64, length = c.quick ? 32 : 128;
  c.report.table("cost by group size", 1,
                 fmt::format("{} samples, prompts of {} tokens, up to the first token; expected: in proportion to the "
                             "prompts, so 1 / group size of the first row",
                             samples, length));
  Runner runner(c.weights);
  std::vector<int64_t> sizes;
  for (int64_t g = 1; g <= samples; g *= 4) sizes.push_back(g);
  std::vector<int64_t> rows(sizes.size());
  const auto t = in_turn(c.quick ? 1 : 2, sizes.size(), [&](size_t i) {
    const int64_t before = runner.statistics().prompt_tokens;
    const double seconds = runner.prompt_seconds({.prompts = samples / sizes[i], .samples = sizes[i], .prompt_tokens = length});
    rows[i] = runner.statistics().prompt_tokens - before;
    return seconds;
  });
  for (size_t i = 0; i < sizes.size(); ++i)
    c.report.row({{"group_size", sizes[i]},
                  {"prompt_rows", rows[i]},
                  {"ms", t[i] * 1e3},
                  {"share_of_first", t[i] / t[0]},
                  {"expected", 1.0 / double(sizes[i])}});
}

void by_idle_sequences(const Curves& c) {
  c.report.table("cost of idle sequences", 1,
                 "a decode step of one sequence, before and after other prompts went through the same engine; "
                 "expected: equal");
  const int64_t tokens = c.quick ? 8 : 64;
  const Load one{.prompts = 1, .prompt_tokens = 64, .new_tokens = tokens};
  Runner fresh(c.weights), filled(c.weights);
  const Load others{.prompts = c.quick ? 4 : 32, .prompt_tokens = 256};
  filled.seconds(others, 1);
  const auto t =
      in_turn(c.rounds() + 2, 2, [&](size_t i) { return (i == 0 ? fresh : filled).decode_seconds(one) / double(tokens); });
  c.report.row({{"idle_tokens", 0}, {"ms_a_step", t[0] * 1e3}, {"growth", 1.0}, {"expected", 1.0}});
  c.report.row({{"idle_tokens", others.prompts * others.prompt_tokens},
                {"ms_a_step", t[1] * 1e3},
                {"growth", t[1] / t[0]},
                {"expected", 1.0}});
}

void by_vocabulary(const Curves& c) {
  const int64_t rows = 256, width = 256;
  c.report.table("cost by vocabulary", 1,
                 "linear + token_logprob, forward and backward, 256 rows of width 256; expected: linear");
  const std::vector<int64_t> sizes =
      c.quick ? std::vector<int64_t>{8192, 16384} : std::vector<int64_t>{16384, 32768, 65536, 131072};
  std::vector<double> t;
  for (const int64_t vocab : sizes) {
    kernels::PackedWeight w(kernels::Dtype::bf16, 1, vocab, width);
    w.pack(kernels::matrix_view(kernels::f32(testing::random_f32({vocab, width}, 1, 0.1f)), vocab, width));
    const at::Tensor x = kernels::rounded(testing::random_f32({rows, width}, 2), kernels::Dtype::bf16),
                     d = testing::random_f32({rows}, 3);
    const at::Tensor dw = kernels::zeros_f32({vocab, width});
    const std::vector<int32_t> targets(rows, 5);
    const std::vector<float> inverse_temperature(rows, 1.0f);
    const Spread time = time_of(c.quick ? 1 : 5, [&] {
      const auto head = kernels::linear_token_logprob(x, w, vocab, targets.data(), inverse_temperature.data());
      kernels::linear_token_logprob_backward(d, {}, x, w, vocab, targets.data(), inverse_temperature.data(), head,
                                             kernels::matrix_view(kernels::f32(dw), vocab, width));
    });
    t.push_back(time.median);
    c.report.row({{"vocab", vocab},
                  {"ms", time.median * 1e3},
                  {"growth", time.median / t[0]},
                  {"expected", double(vocab) / double(sizes[0])}});
  }
}

model::ModelConfig with_experts(int64_t experts) {
  model::ModelConfig config = small_model(2, 256, 1024);
  config.family = "qwen3_moe";
  config.query_key_norm = true;
  config.first_dense_layers = 0;
  config.router.experts = experts;
  config.router.active = 2;
  config.expert_width = 256;
  model::check(config);
  return config;
}

void by_experts(const Curves& c) {
  c.report.table("cost by experts", 1,
                 "2 layers of width 256, 2 experts of width 256 active; train_68, train_136: forward and backward of about 2,200 and "
                 "4,400 rows, 68 and 136 for each of 64 experts, expected: less than 10 % more; decode: a step of 8 sequences, "
                 "expected: no more than the growth of E (1 - (1 - 2/E)^8) experts read");
  const std::vector<int64_t> counts = c.quick ? std::vector<int64_t>{4, 8} : std::vector<int64_t>{8, 16, 32, 64};
  const int64_t sequences = 8, tokens = c.quick ? 8 : 64;
  std::vector<std::unique_ptr<TrainRunner>> short_trainers, trainers;
  std::vector<std::unique_ptr<Runner>> runners;
  for (const int64_t experts : counts) {
    const auto config = with_experts(experts);
    short_trainers.push_back(std::make_unique<TrainRunner>(config, kernels::Dtype::bf16, TrainLoad{.prompts = c.quick ? 1 : 2}));
    trainers.push_back(std::make_unique<TrainRunner>(config, kernels::Dtype::bf16, TrainLoad{.prompts = c.quick ? 2 : 4}));
    runners.push_back(std::make_unique<Runner>(born_weights(config, kernels::Dtype::bf16), int64_t{64} << 20));
  }
  const auto train_short = in_turn(c.rounds() + 2, counts.size(), [&](size_t i) { return short_trainers[i]->seconds(false); });
  const auto train = in_turn(c.rounds() + 2, counts.size(), [&](size_t i) { return trainers[i]->seconds(false); });
  const auto decode = in_turn(c.rounds() + 2, counts.size(), [&](size_t i) {
    return runners[i]->decode_seconds({.prompts = sequences, .prompt_tokens = 32, .new_tokens = tokens}) / double(tokens);
  });
  const auto experts_read = [&](size_t i) {
    return double(counts[i]) * (1 - std::pow(1 - 2.0 / double(counts[i]), double(sequences)));
  };
  for (size_t i = 0; i < counts.size(); ++i)
    c.report.row({{"experts", counts[i]},
                  {"train_68_ms", train_short[i] * 1e3},
                  {"train_68_growth", train_short[i] / train_short[0]},
                  {"train_136_ms", train[i] * 1e3},
                  {"train_136_growth", train[i] / train[0]},
                  {"train_expected", 1.0},
                  {"decode_ms", decode[i] * 1e3},
                  {"decode_growth", decode[i] / decode[0]},
                  {"decode_at_most", experts_read(i) / experts_read(0)}});
}

void by_layers(const Curves& c) {
  c.report.table("cost by layers", 1,
                 "width 256, forward and backward of about 1,100 rows; expected: the line through the first and the last");
  const std::vector<int64_t> counts = c.quick ? std::vector<int64_t>{1, 2, 3} : std::vector<int64_t>{2, 4, 8, 16};
  std::vector<std::unique_ptr<TrainRunner>> trainers;
  for (const int64_t layers : counts)
    trainers.push_back(
        std::make_unique<TrainRunner>(small_model(layers, 256, 1024), kernels::Dtype::bf16, TrainLoad{.prompts = 1}));
  const auto t = in_turn(c.rounds() + 2, counts.size(), [&](size_t i) { return trainers[i]->seconds(false); });
  const double slope = (t.back() - t[0]) / double(counts.back() - counts[0]);
  for (size_t i = 0; i < counts.size(); ++i)
    c.report.row(
        {{"layers", counts[i]}, {"ms", t[i] * 1e3}, {"expected_ms", (t[0] + slope * double(counts[i] - counts[0])) * 1e3}});
}

}  // namespace

void curves(Report& report, const std::shared_ptr<const model::WeightSet>& weights, const Peaks& peaks, bool quick) {
  const Curves c{report, weights, peaks, quick};
  by_sequences(c);
  by_context(c);
  by_group_size(c);
  by_idle_sequences(c);
  by_vocabulary(c);
  by_experts(c);
  by_layers(c);
}

}  // namespace bench
