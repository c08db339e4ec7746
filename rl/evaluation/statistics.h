// The arithmetic of evaluation, all in float64. N problems, n samples of each, c of them right.
//
// A problem is the unit that was drawn: standard errors and intervals run over problems, never over the N * n samples, which
// are not independent (Miller, "Adding Error Bars to Evals", arXiv:2411.00640).
#pragma once

#include <cstdint>
#include <vector>

namespace rl {

struct Interval {
  double low = 0, high = 0;
};

// Unbiased pass@k: 1 - C(n-c, k) / C(n, k) = 1 - prod_{i=n-c+1..n} (1 - k/i); 1 when n - c < k.
// Source: Chen et al., "Evaluating Large Language Models Trained on Code", arXiv:2107.03374, equation 1.
// Needs 1 <= k <= n and 0 <= c <= n; throws kernels::Error otherwise.
double pass_at_k(int64_t n, int64_t c, int64_t k);

double mean(const std::vector<double>& values);  // 0 of none

// Sample standard deviation (N - 1) over sqrt(N), as lm-eval's mean_stderr; 0 for fewer than two values.
double standard_error(const std::vector<double>& values);

// Noise of the run itself: `runs` are the means of run 1..k (run j holds the j-th sample of each problem); their sample
// standard deviation (k - 1) over sqrt(k), as NeMo-Skills' std_err_across_runs; 0 for fewer than two.
double within_run_noise(const std::vector<double>& runs);

// Wilson's interval of a share p of N yes-or-no values, 95 %, z = 1.959963984540054:
//   (p + z^2/2N +- z sqrt(p(1-p)/N + z^2/4N^2)) / (1 + z^2/N).   Source: Wilson 1927, JASA 22, equation 1.
Interval wilson_interval(double p, int64_t count);

// Percentile bootstrap of the mean over problems, 95 %: `resamples` times N problems are drawn with replacement; the interval
// runs from the value at place floor(0.025 R) to that at place ceil(0.975 R) - 1 of the R sorted means (places from 0).
// Source: Efron 1979. Draws are a function of (seed, resample, place) alone (kernels/rng.h). {0, 0} of no values.
Interval bootstrap_interval(const std::vector<double>& values, uint64_t seed, int64_t resamples = 10000);

// Nearest rank: the smallest value that at least the share `q` of all values does not exceed. 0 of none.
double percentile(std::vector<double> values, double q);

// Paired comparison of A and B on the same problems, d_i = b_i - a_i.
struct PairedComparison {
  int64_t problems = 0;
  double difference = 0;         // mean of d
  double standard_error = 0;     // of that mean, over problems
  Interval interval;             // difference +- 1.959963984540054 standard errors
  double better = 0, worse = 0;  // shares of the problems with d > 0 and d < 0
  double p_value = 1;            // see sign_flip_p
};
// `grid`: see sign_flip_p. Throws kernels::Error for different lengths.
PairedComparison compare_pairs(const std::vector<double>& a, const std::vector<double>& b, int64_t grid);

// Two-sided permutation test: if A and B were alike, each difference could as well have the other sign. The p-value is the
// share of all 2^m sign patterns (m differences are not 0) whose |sum| reaches the observed one; 1 for m = 0. Every pattern is
// counted, none drawn; differences are taken in steps of 1/grid. For shares of n_a and n_b samples lcm(n_a, n_b) is exact; for
// single samples (grid 1) this is McNemar's exact test, also called the sign test. Where the count would take more than 2^26
// steps the grid is halved, and differences are rounded to it.
// Source: Fisher 1935; the count by Pagano and Tritchler 1983, JASA 78.
double sign_flip_p(const std::vector<double>& differences, int64_t grid);

}  // namespace rl
