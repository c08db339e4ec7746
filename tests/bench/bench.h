// What the benchmarks share: time, spread, the peaks of this machine, and tables that are printed and kept as JSON.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace bench {

using Json = nlohmann::ordered_json;

double now();  // seconds

struct Spread {
  double min = 0, median = 0, max = 0;
};
Spread spread(std::vector<double> values);

// Seconds of one call of `body`: `samples` measurements after a warm-up, each of as many calls as take 2 ms.
Spread time_of(int samples, const std::function<void()>& body);

// What all threads together reach here, now: the best of several probes.
struct Peaks {
  double f32 = 0, bf16 = 0;  // GFLOP/s, independent fma chains in registers
  double dram = 0;           // GB/s, reading a buffer much larger than the last-level cache
  double of(bool is_bf16) const { return is_bf16 ? bf16 : f32; }
};
Peaks measure_peaks(bool quick);
// The peaks with the best speed of DRAM of ten reads just before and after `body`: where other machines share the memory, that changes
// twofold from one minute to the next.
Peaks with_dram_around(Peaks peaks, const std::function<void()>& body);

// --name value, --flag, and plain words. Ends the program with 2 on a name that is not in `known` ("name=" takes a value).
class Arguments {
 public:
  Arguments(int argc, char** argv, const std::vector<std::string>& known);
  bool has(const std::string& name) const { return values_.count(name) > 0; }
  std::string text(const std::string& name, const std::string& otherwise) const;
  std::vector<int64_t> numbers(const std::string& name, const std::vector<int64_t>& otherwise) const;  // "1,8,16"
  const std::vector<std::string>& words() const { return words_; }

 private:
  std::map<std::string, std::string> values_;
  std::vector<std::string> words_;
};

// Prints tables as their rows come, and writes all of them as JSON: {"machine": .., "tables": [{name, note, keys, rows}]}.
class Report {
 public:
  Report(const std::string& program, const Peaks& peaks);
  // The first `keys` columns name a row; the others are measured. `note`: units, the formula or the shape expected.
  void table(const std::string& name, int keys, const std::string& note);
  void row(Json row);
  void machine(const std::string& name, double value) { json_["machine"][name] = value; }
  void write(const std::string& file) const;  // "" writes nothing

 private:
  Json json_;
  std::vector<size_t> widths_;
};

// Says what is wrong and ends the program with 1: a wrong answer is not worth timing.
[[noreturn]] void wrong(const std::string& what);

}  // namespace bench
