#include "tests/bench/bench.h"

#include <fmt/core.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>

#include "kernels/error.h"
#include "kernels/isa/table.h"
#include "kernels/thread_pool.h"

namespace bench {
namespace {

double fma_peak(float (*probe)(int64_t, int64_t*), int repeats) {
  double best = 0;
  for (int i = 0; i < repeats; ++i) {
    std::vector<int64_t> operations(static_cast<size_t>(kernels::threads()));
    const double start = now();
    kernels::parallel_for(kernels::threads(), [&](int64_t t) { probe(500000, &operations[static_cast<size_t>(t)]); });
    int64_t sum = 0;
    for (const int64_t o : operations) sum += o;
    best = std::max(best, double(sum) / (now() - start) * 1e-9);
  }
  return best;
}

uint64_t sum_of_words(const uint64_t* x, int64_t count) {
  uint64_t s[8] = {};
  for (int64_t i = 0; i < count; i += 8)
    for (int j = 0; j < 8; ++j) s[j] += x[i + j];
  return s[0] + s[1] + s[2] + s[3] + s[4] + s[5] + s[6] + s[7];
}

// A buffer much larger than the last-level cache. Every thread reads its own share of it, in pieces of 1 MB that come in turn.
class DramProbe {
 public:
  DramProbe() {
    if (!buffer_) kernels::fail("bench: no memory for a buffer of {} bytes.", bytes_);
    madvise(buffer_.get(), static_cast<size_t>(bytes_), MADV_HUGEPAGE);
    kernels::parallel_for(pieces(), [&](int64_t p) { std::fill_n(buffer_.get() + p * kWords, kWords, uint64_t(p)); });
  }

  double gb_per_second() const {
    std::vector<uint64_t> sums(static_cast<size_t>(pieces()));
    const double start = now();
    kernels::parallel_for(pieces(),
                          [&](int64_t p) { sums[static_cast<size_t>(p)] = sum_of_words(buffer_.get() + p * kWords, kWords); });
    const double seconds = now() - start;
    for (int64_t p = 0; p < pieces(); ++p)
      if (sums[static_cast<size_t>(p)] != uint64_t(p * kWords)) wrong("the DRAM probe read other words than it wrote");
    return double(bytes_) / seconds * 1e-9;
  }

 private:
  static constexpr int64_t kPiece = 1 << 20, kWords = kPiece / 8;
  int64_t pieces() const { return bytes_ / kPiece; }

  int64_t bytes_ = std::clamp<int64_t>(sysconf(_SC_LEVEL3_CACHE_SIZE) * 4, int64_t{256} << 20, int64_t{4} << 30) >> 21 << 21;
  std::unique_ptr<uint64_t, decltype(&free)> buffer_{static_cast<uint64_t*>(aligned_alloc(2 << 20, static_cast<size_t>(bytes_))), &free};
};

std::string cell(const Json& value) {
  if (value.is_null()) return "-";
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_number_float()) return value.dump();
  const double x = value.get<double>();
  return std::abs(x) >= 1000 ? fmt::format("{:.0f}", x) : fmt::format("{:.3g}", x);
}

}  // namespace

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

Spread spread(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  return {values.front(), values[values.size() / 2], values.back()};
}

Spread time_of(int samples, const std::function<void()>& body) {
  body();
  const double start = now();
  body();
  const int calls = static_cast<int>(std::clamp(2e-3 / std::max(now() - start, 1e-9), 1.0, 1e5));
  std::vector<double> times;
  for (int i = 0; i < samples; ++i) {
    const double begin = now();
    for (int c = 0; c < calls; ++c) body();
    times.push_back((now() - begin) / calls);
  }
  return spread(std::move(times));
}

Peaks measure_peaks(bool quick) {
  const int repeats = quick ? 40 : 100;  // short probes, many of them: one at least meets an idle machine
  Peaks peaks{fma_peak(cpu_kernels().peak_f32, repeats), fma_peak(cpu_kernels().peak_bf16, repeats), 0};
  const DramProbe dram;
  for (int i = 0; i < repeats / 10; ++i) peaks.dram = std::max(peaks.dram, dram.gb_per_second());
  return peaks;
}

Peaks with_dram_around(Peaks peaks, const std::function<void()>& body) {
  std::vector<double> speeds;
  const auto probe = [&] {
    const DramProbe dram;  // its memory is free again while `body` runs
    for (int i = 0; i < 5; ++i) speeds.push_back(dram.gb_per_second());
  };
  probe();
  body();
  probe();
  peaks.dram = spread(speeds).max;
  return peaks;
}

Arguments::Arguments(int argc, char** argv, const std::vector<std::string>& known) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.rfind("--", 0) != 0) {
      words_.push_back(word);
      continue;
    }
    const std::string name = word.substr(2);
    const bool flag = std::find(known.begin(), known.end(), name) != known.end();
    const bool value = std::find(known.begin(), known.end(), name + "=") != known.end();
    if (!flag && (!value || i + 1 == argc)) {
      fmt::print(stderr, "{}: {} is {}\n", argv[0], word, value ? "without its value" : "unknown");
      std::exit(2);
    }
    values_[name] = value ? argv[++i] : "";
  }
}

std::string Arguments::text(const std::string& name, const std::string& otherwise) const {
  const auto it = values_.find(name);
  return it == values_.end() ? otherwise : it->second;
}

std::vector<int64_t> Arguments::numbers(const std::string& name, const std::vector<int64_t>& otherwise) const {
  if (!has(name)) return otherwise;
  std::vector<int64_t> numbers;
  std::istringstream in(values_.at(name));
  for (std::string part; std::getline(in, part, ',');) numbers.push_back(std::stoll(part));
  return numbers;
}

Report::Report(const std::string& program, const Peaks& peaks) {
  json_["program"] = program;
  json_["machine"] = {{"isa", cpu_kernels().name},
                      {"threads", kernels::threads()},
                      {"peak_bf16_gflops", peaks.bf16},
                      {"peak_float32_gflops", peaks.f32},
                      {"dram_read_gb_per_second", peaks.dram}};
  json_["tables"] = Json::array();
  fmt::print("{}: {}, {} threads; peaks: bf16 {:.0f}, float32 {:.0f} GFLOP/s, DRAM read {:.1f} GB/s\n", program,
             cpu_kernels().name, kernels::threads(), peaks.bf16, peaks.f32, peaks.dram);
}

void Report::table(const std::string& name, int keys, const std::string& note) {
  json_["tables"].push_back({{"name", name}, {"note", note}, {"keys", keys}, {"rows", Json::array()}});
  fmt::print("\n{}: {}\n", name, note);
  widths_.clear();
}

void Report::row(Json row) {
  Json& rows = json_["tables"].back()["rows"];
  if (rows.empty()) {
    for (const auto& [name, value] : row.items()) {
      widths_.push_back(std::max<size_t>({name.size(), cell(value).size() + 1, 7}) + 2);
      fmt::print("{:>{}}", name, widths_.back());
    }
    fmt::print("\n");
  }
  size_t column = 0;
  for (const auto& [name, value] : row.items()) {
    fmt::print("{:>{}}", cell(value), column < widths_.size() ? widths_[column] : 10);
    ++column;
  }
  fmt::print("\n");
  std::fflush(stdout);
  rows.push_back(std::move(row));
}

void Report::write(const std::string& file) const {
  if (file.empty()) return;
  std::ofstream out(file);
  out << json_.dump(1) << "\n";
  if (!out.flush()) kernels::fail("bench: {} could not be written.", file);
}

void wrong(const std::string& what) {
  fmt::print("WRONG: {}\n", what);
  std::exit(1);
}

}  // namespace bench
