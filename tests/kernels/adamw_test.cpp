#include "kernels/adamw.h"

#include "tests/support/catch.h"
#include "tests/support/compare.h"
#include "tests/support/every_isa.h"
#include "tests/support/random_tensor.h"

using Catch::Contains;
using namespace testing;
using kernels::AdamwConfig;

namespace {

struct Buffers {
  at::Tensor master, gradient, first, second;
  explicit Buffers(int64_t n)
      : master(random_f32({n}, 1)), gradient(random_f32({n}, 2)), first(kernels::zeros_f32({n})),
        second(kernels::zeros_f32({n})) {}
  kernels::AdamwStep at(int64_t t, double scale) const { return {master, gradient, first, second, scale, t}; }
  void step(const AdamwConfig& config, int64_t t, double scale = 1.0, int64_t from = 0, int64_t to = -1) {
    kernels::adamw_step(at(t, scale), from, to < 0 ? master.numel() : to, config);
  }
  std::string all() const { return bytes(master) + bytes(first) + bytes(second); }
};

template <typename T>
struct SlowAdamw {
  std::vector<T> w, m, v;
  void step(const std::vector<float>& gradient, const AdamwConfig& c, T scale, int t) {
    for (size_t i = 0; i < w.size(); ++i) {
      const T g = static_cast<T>(gradient[i]) * scale, b1 = static_cast<T>(c.beta1), b2 = static_cast<T>(c.beta2);
      m[i] = b1 * m[i] + (T(1) - b1) * g;
      v[i] = b2 * v[i] + (T(1) - b2) * g * g;
      const T mean = m[i] / (T(1) - std::pow(b1, T(t))), square = v[i] / (T(1) - std::pow(b2, T(t)));
      w[i] -= static_cast<T>(c.lr) * (static_cast<T>(c.weight_decay) * w[i] + mean / (std::sqrt(square) + static_cast<T>(c.eps)));
    }
  }
};

}  // namespace

TEST_CASE("the first step moves by the learning rate against the gradient's sign", "[adamw]") {
  // t = 1: m / (1 - b1) = g and v / (1 - b2) = g^2, so the direction is g / |g|: w = 1 - 0.1, 2 + 0.1. Gradient 0 moves nothing.
  Buffers b(3);
  b.master = tensor_f32({3}, {1, 2, 3});
  b.gradient = tensor_f32({3}, {5, -0.25f, 0});
  b.step({.lr = 0.1}, 1);
  CHECK(max_difference(values(b.master), {0.9, 2.1, 3}) < 1e-6);
  CHECK(max_difference(values(b.first), {0.5, -0.025, 0}) < 1e-7);
  CHECK(max_difference(values(b.second), {0.025, 0.0000625, 0}) < 1e-8);
  CHECK(values(b.gradient) == std::vector<float>{0, 0, 0});  // ready for the next step
}

TEST_CASE("weight decay pulls at the weight itself, not through the gradient", "[adamw]") {
  // Gradient 0: w -= lr * wd * w = 0.1 * 0.5 * 4 = 0.2.
  Buffers b(1);
  b.master = tensor_f32({1}, {4});
  b.gradient = tensor_f32({1}, {0});
  b.step({.lr = 0.1, .weight_decay = 0.5}, 1);
  CHECK(max_difference(values(b.master), {3.8}) < 1e-6);
  CHECK(values(b.second)[0] == 0.0f);
}

TEST_CASE("fifty steps are as accurate as plain float32", "[adamw]") {
  const AdamwConfig config{.lr = 0.01, .beta1 = 0.9, .beta2 = 0.95, .eps = 1e-6, .weight_decay = 0.1};
  Buffers b(65);
  const auto start = values(b.master);
  const std::vector<float> zero(65);
  SlowAdamw<float> plain{start, zero, zero};
  SlowAdamw<double> exact{as(start), as(zero), as(zero)};
  for (int t = 1; t <= 50; ++t) {
    fill_normal(kernels::f32(b.gradient), 65, 100 + static_cast<uint64_t>(t));
    plain.step(values(b.gradient), config, 0.125f, t);
    exact.step(values(b.gradient), config, 0.125, t);
    b.step(config, t, 0.125);
  }
  require_as_accurate_as(values(b.master), plain.w, exact.w);
  require_as_accurate_as(values(b.first), plain.m, exact.m);
  require_as_accurate_as(values(b.second), plain.v, exact.v);
}

TEST_CASE("a step in ranges is the step of the whole, and elements outside stay", "[adamw]") {
  Buffers whole(100), parts(100);
  const std::string before = bytes(parts.master);
  parts.step({}, 1, 0.5, 17, 64);
  CHECK((bytes(parts.master.slice(0, 0, 17)) == before.substr(0, 17 * 4)));
  CHECK((bytes(parts.master.slice(0, 64, 100)) == before.substr(64 * 4)));
  CHECK((bytes(parts.master.slice(0, 17, 64)) != before.substr(17 * 4, 47 * 4)));
  parts.step({}, 1, 0.5, 0, 17);
  parts.step({}, 1, 0.5, 64, 100);
  whole.step({}, 1, 0.5);
  CHECK((whole.all() == parts.all()));
}

TEST_CASE("wrong ranges, sizes and steps are refused", "[adamw]") {
  Buffers b(10);
  REQUIRE_THROWS_WITH(b.step({}, 1, 1.0, 5, 11), Contains("5 to 11"));
  REQUIRE_THROWS_WITH(b.step({}, 0), Contains("step is 0"));
  b.gradient = random_f32({9}, 1);
  REQUIRE_THROWS_WITH(b.step({}, 1), Contains("[9]"));
}

TEST_CASE("the sum of squares is exact where float32 would lose it", "[adamw]") {
  // 4096^2 + 1 + 1 ...: 2^24 swallows a 1 in float32. 9,999 ones and one 4,096: 16,777,216 + 9,999.
  std::vector<float> x(10000, 1.0f);
  x[0] = 4096.0f;
  CHECK(kernels::sum_of_squares(tensor_f32({100, 100}, x)) == 16787215.0);
  CHECK(kernels::sum_of_squares(kernels::zeros_f32({0})) == 0.0);
  // The square of 1e30 is no float32, but a float64.
  CHECK(std::abs(kernels::sum_of_squares(tensor_f32({1}, {1e30f})) / 1e60 - 1) < 1e-6);
}

TEST_CASE("the optimizer gives the same bits on every instruction set and thread count", "[adamw][isa]") {
  for (const int64_t n : {0, 1, 7, 16, 17, 64, 65, 4096, 50001})
    require_same_bits_everywhere([&] {
      Buffers b(n);
      b.step({.weight_decay = 0.1}, 1, 0.3);
      fill_normal(kernels::f32(b.gradient), n, 3);
      b.step({.weight_decay = 0.1}, 2, 0.7);
      const double sum = kernels::sum_of_squares(b.master);
      return b.all() + std::string(reinterpret_cast<const char*>(&sum), sizeof sum);
    });
}

TEST_CASE("a step while packing gives the bits of a step and then packing", "[adamw][packed_weight][isa]") {
  struct Case { int64_t count, out, in; bool inputs_first; };
  const AdamwConfig config{.weight_decay = 0.1};
  for (const auto c : {Case{1, 70, 34, false}, Case{2, 64, 2050, false}, Case{3, 17, 6, true}, Case{1, 130, 64, true}})
    for (const auto dtype : {kernels::Dtype::bf16, kernels::Dtype::float32})
      require_same_bits_everywhere([&] {
        const int64_t size = c.count * c.out * c.in, begin = 5;
        Buffers apart(begin + size + 3), together(begin + size + 3);
        auto view = kernels::matrix_view(kernels::f32(apart.master) + begin, c.count, c.out, c.in);
        if (c.inputs_first) view.out_stride = 1, view.in_stride = c.out;
        kernels::PackedWeight first(dtype, c.count, c.out, c.in), second(dtype, c.count, c.out, c.in);
        apart.step(config, 1, 0.5, begin, begin + size);
        first.pack(view);
        kernels::pack({{&second, view, kernels::adamw_reader(together.at(1, 0.5), begin, config)}});
        const auto text = [](const kernels::PackedWeight& w) {
          return std::string(reinterpret_cast<const char*>(w.panels(0)), static_cast<size_t>(w.bytes()));
        };
        REQUIRE((text(first) == text(second)));
        REQUIRE((apart.all() == together.all()));
        REQUIRE((bytes(apart.gradient) == bytes(together.gradient)));
        return text(first) + apart.all();
      });
}
