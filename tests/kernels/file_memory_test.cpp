// Tensors in files: values stay, memory comes back.
#include <stdlib.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "kernels/error.h"
#include "kernels/file_memory.h"
#include "kernels/thread_pool.h"
#include "tests/support/catch.h"

using namespace kernels;

namespace {

// Here, for the system's folder for temporary files may lie in memory.
struct NewFolder {
  NewFolder() { REQUIRE(mkdtemp(name) != nullptr); }
  ~NewFolder() { std::filesystem::remove_all(name); }
  char name[32] = "ponder-file-XXXXXX";
  std::filesystem::path path() const { return name; }
};

int64_t resident_bytes() {
  std::ifstream status("/proc/self/statm");
  int64_t size = 0, resident = 0;
  status >> size >> resident;
  return resident * 4096;
}

}  // namespace

TEST_CASE("a tensor in a file keeps its values and gives its memory back", "[file_memory]") {
  const NewFolder folder;
  const int64_t size = 48 << 20;  // 192 MB
  const at::Tensor x = zeros_in_file(size, (folder.path() / "made" / "here").string());
  REQUIRE(x.numel() == size);
  REQUIRE(f32(x)[size - 1] == 0.0f);
  const int64_t before = resident_bytes();
  parallel_ranges(size, 1 << 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) f32(x)[i] = static_cast<float>(i % 1000);
  });
  int64_t after = resident_bytes();
  for (int i = 0; i < 500 && after > before + (64 << 20); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    after = resident_bytes();
  }
  CHECK(after <= before + (64 << 20));
  bool same = true;
  for (int64_t i = 0; i < size; ++i) same = same && f32(x)[i] == static_cast<float>(i % 1000);
  CHECK(same);
  CHECK(std::filesystem::is_empty(folder.path() / "made" / "here"));  // the file has no name, so nothing is left behind
}

TEST_CASE("while it is worked on, a tensor in a file takes a part of its size", "[file_memory]") {
  const NewFolder folder;
  const int64_t size = 192 << 20;  // 768 MB
  const at::Tensor x = zeros_in_file(size, folder.path().string());
  const int64_t before = resident_bytes();
  int64_t most = 0;
  for (int64_t piece = 0; piece < 48; ++piece) {
    const int64_t from = piece * (size / 48);
    parallel_ranges(size / 48, 1 << 16, [&](int64_t begin, int64_t end) {
      for (int64_t i = from + begin; i < from + end; ++i) f32(x)[i] = 1.0f;
    });
    most = std::max(most, resident_bytes() - before);
  }
  // The bound is a matter of speed, and this machine may be busy: half of the tensor would be no saving at all.
  CHECK(most < size * 4 / 2);
}

TEST_CASE("tensors in files come and go from several threads", "[file_memory]") {
  const NewFolder folder;
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const at::Tensor x = zeros_in_file(1000, folder.path().string());
        f32(x)[999] = static_cast<float>(t * 50 + i);
        std::this_thread::sleep_for(std::chrono::milliseconds(i % 7));
        right += f32(x)[999] == static_cast<float>(t * 50 + i) && f32(x)[0] == 0.0f;
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(right == 200);
}

TEST_CASE("folders that cannot hold a tensor are told apart", "[file_memory]") {
  const NewFolder folder;
  CHECK(file_memory_problem((folder.path() / "not" / "yet").string(), 1 << 20) == "");
  CHECK(file_memory_problem(folder.path().string(), int64_t{1} << 60).find("are needed, but") != std::string::npos);
  CHECK(file_memory_problem("/proc/self/stat", 1).find("is no folder") != std::string::npos);
  std::ofstream(folder.path() / "file") << "x";
  CHECK(file_memory_problem((folder.path() / "file" / "below").string(), 1).find("is no folder") != std::string::npos);
  if (std::filesystem::exists("/dev/shm")) {
    CHECK(file_memory_problem("/dev/shm/below", 1).find("lies in memory") != std::string::npos);
  }
  REQUIRE_THROWS_AS(zeros_in_file(1, "/proc/self/stat"), UsageError);
}

TEST_CASE("what is written to a tensor in a file is on the disk after a sync", "[file_memory]") {
  const NewFolder folder;
  const at::Tensor x = zeros_in_file(16 << 20, folder.path().string());
  f32(x)[12345] = 7.0f;
  CHECK_NOTHROW(sync_file_memory());
  CHECK(f32(x)[12345] == 7.0f);
}

TEST_CASE("a folder where a write may fail later is told", "[file_memory]") {
  CHECK(file_memory_warning("/proc/self").find("neither on ext4 nor on xfs") != std::string::npos);
  CHECK(file_memory_warning("/dev/shm") == "");  // refused in any case
}

TEST_CASE("a file that the disk has no room for is refused by name", "[file_memory]") {
  const NewFolder folder;
  rlimit old{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &old) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{1 << 20, old.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  std::string said;
  try {
    zeros_in_file(1 << 20, folder.path().string());
  } catch (const UsageError& e) {
    said = e.what();
  }
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  CHECK(said.find(folder.path().string()) != std::string::npos);
  CHECK(said.find("4 MB") != std::string::npos);
  CHECK(std::filesystem::is_empty(folder.path()));
}
