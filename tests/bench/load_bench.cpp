// GB of checkpoint a second, from files to packed compute weights, beside what copying the same bytes takes in this run.
//
//   load_bench DIR [--rounds 7] [--threads N]
//
// DIR is a model folder; its files are read once before anything is timed, so that they lie in the page cache. The rows
// take turns, so that a busy machine hurts all of them. load_speed.py makes folders of 1 GB and calls this.
#include <fmt/core.h>

#include <cstring>
#include <filesystem>
#include <memory>

#include "kernels/memory.h"
#include "kernels/thread_pool.h"
#include "model/files/checkpoint_folder.h"
#include "model/files/mapped_file.h"
#include "tests/bench/bench.h"

namespace {

constexpr int64_t kPiece = 1 << 20;

int64_t pieces_of(int64_t bytes) { return (bytes + kPiece - 1) / kPiece; }

void copy(const unsigned char* from, std::byte* to, int64_t bytes) {
  kernels::parallel_for(pieces_of(bytes), [&](int64_t i) {
    std::memcpy(to + i * kPiece, from + i * kPiece, static_cast<size_t>(std::min(kPiece, bytes - i * kPiece)));
  });
}

std::vector<std::string> weight_files(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".safetensors") files.push_back(entry.path());
  return files;
}

// Into fresh memory, as a load must: the mapping's pages and the memory's are met for the first time.
void copy_files(const std::vector<std::string>& files) {
  for (const auto& file : files) {
    const model::MappedFile mapped(file);
    copy(mapped.data(), kernels::weight_memory(mapped.size()).get(), mapped.size());
  }
}

struct Row {
  const char* name;
  std::function<void()> body;
  double bytes;
  std::vector<double> rates;
};

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments arguments(argc, argv, {"rounds=", "threads="});
  if (arguments.words().size() != 1) bench::wrong("say which model folder to load: load_bench DIR");
  kernels::set_threads(arguments.numbers("threads", {0})[0]);
  const std::string folder = arguments.words()[0];
  const auto files = weight_files(folder);
  double bytes = 0;
  for (const auto& file : files) bytes += static_cast<double>(std::filesystem::file_size(file));
  const auto config = model::read_config(folder);
  const auto load = [&](kernels::Dtype dtype) { return [&, dtype] { model::read_packed_weights(folder, config, dtype); }; };

  constexpr int64_t warm_bytes = 256 << 20;
  const auto from = kernels::weight_memory(warm_bytes), to = kernels::weight_memory(warm_bytes);
  std::memset(from.get(), 1, warm_bytes);
  std::memset(to.get(), 2, warm_bytes);
  const auto copy_warm = [&] { copy(reinterpret_cast<const unsigned char*>(from.get()), to.get(), warm_bytes); };

  std::vector<Row> rows{{"files to packed bf16", load(kernels::Dtype::bf16), bytes, {}},
                        {"files to packed float32", load(kernels::Dtype::float32), bytes, {}},
                        {"memcpy, mapped files to fresh memory", [&] { copy_files(files); }, bytes, {}},
                        {"memcpy, warm to warm", copy_warm, double(warm_bytes), {}}};
  for (int64_t round = -1; round < arguments.numbers("rounds", {7})[0]; ++round)
    for (auto& row : rows) {
      const double start = bench::now();
      row.body();
      if (round >= 0) row.rates.push_back(row.bytes / (bench::now() - start) * 1e-9);
    }
  fmt::print("{}: {:.2f} GB on {} threads; GB of files a second: median (least to most)\n", folder, bytes * 1e-9,
             kernels::threads());
  for (auto& row : rows) {
    const auto s = bench::spread(row.rates);
    fmt::print("  {:38} {:6.2f} ({:.2f} to {:.2f})\n", row.name, s.median, s.min, s.max);
  }
}
