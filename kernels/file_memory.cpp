#include "kernels/file_memory.h"

#include <ATen/ops/from_blob.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <thread>

#include "kernels/error.h"
#include "kernels/thread_pool.h"

namespace kernels {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kBetweenSweeps{5};

// Takes the pages of all mappings back, again and again, for as long as the program runs. They are shared with the file, so
// nothing is lost: who touches one again gets it from the system's cache, or from the disk.
class Sweeper {
 public:
  Sweeper() { std::thread([this] { sweep(); }).detach(); }

  void add(void* data, size_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    mappings_[data] = bytes;
    added_.notify_all();
  }

  void remove(void* data) {
    const std::lock_guard<std::mutex> lock(mutex_);
    munmap(data, mappings_.at(data));
    mappings_.erase(data);
  }

 private:
  void sweep() {
    for (;;) {
      std::this_thread::sleep_for(kBetweenSweeps);
      std::unique_lock<std::mutex> lock(mutex_);
      added_.wait(lock, [this] { return !mappings_.empty(); });
      for (const auto& [data, bytes] : mappings_) madvise(data, bytes, MADV_DONTNEED);
    }
  }

  std::mutex mutex_;
  std::condition_variable added_;
  std::map<void*, size_t> mappings_;
};

// Never destroyed: tensors of static storage may outlive it.
Sweeper& sweeper() {
  static Sweeper* const the_sweeper = new Sweeper;
  return *the_sweeper;
}

// A file without a name, of `bytes` that are the disk's already: where the file system writes in place, as ext4 and xfs do, a
// write to the mapping then cannot fail for want of room.
int nameless_file(const std::string& folder, int64_t bytes) {
  std::error_code ignored;
  fs::create_directories(folder, ignored);
  std::string name = folder + "/.ponder-state-XXXXXX";
  const int file = mkostemp(name.data(), O_CLOEXEC);
  if (file < 0) fail_usage("{}: no file can be made in this folder: {}.", folder, std::strerror(errno));
  unlink(name.c_str());
  if (const int error = posix_fallocate(file, 0, bytes); error != 0) {
    close(file);
    fail_usage("{}: a file of {} MB cannot be made here: {}. Free some of the disk, or name another folder.", folder, bytes >> 20,
               std::strerror(error));
  }
  return file;
}

bool lies_in_memory(const fs::path& folder) {
  constexpr auto kTmpfs = 0x01021994, kRamfs = static_cast<int>(0x858458f6u);
  struct statfs system {};
  if (statfs(folder.c_str(), &system) != 0) return false;
  const auto type = static_cast<int>(system.f_type);
  return type == kTmpfs || type == kRamfs;
}

}  // namespace

int64_t file_memory_window() { return threads() * (int64_t{96} << 20); }

std::string file_memory_problem(const std::string& folder, int64_t bytes) {
  fs::path place = fs::absolute(folder);
  std::error_code error;
  while (!fs::exists(place, error) && place.has_relative_path()) place = place.parent_path();
  const auto megabytes = [](auto x) { return static_cast<int64_t>(x) >> 20; };
  if (!fs::is_directory(place, error)) return fmt::format("{} is no folder. Name one on a local disk.", place.string());
  if (access(place.c_str(), W_OK | X_OK) != 0)
    return fmt::format("no file can be made in {}: {}. Name a folder on a local disk.", place.string(), std::strerror(errno));
  if (lies_in_memory(place))
    return fmt::format("{} lies in memory (tmpfs), so nothing would be saved. Name a folder on a disk.", place.string());
  const fs::space_info space = fs::space(place, error);
  if (!error && megabytes(space.available) < megabytes(bytes))
    return fmt::format("{} MB are needed, but {} has {} MB left. Free some of the disk, or name another folder.", megabytes(bytes),
                       place.string(), megabytes(space.available));
  return "";
}

at::Tensor zeros_in_file(int64_t size, const std::string& folder) {
  const int64_t bytes = std::max<int64_t>(size, 1) * static_cast<int64_t>(sizeof(float));
  if (const std::string problem = file_memory_problem(folder, bytes); !problem.empty()) fail_usage("{}: {}", folder, problem);
  const int file = nameless_file(folder, bytes);
  void* data = mmap(nullptr, static_cast<size_t>(bytes), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  const int error = errno;
  close(file);  // the mapping keeps it
  if (data == MAP_FAILED) fail_usage("{}: a file of {} MB cannot be mapped: {}.", folder, bytes >> 20, std::strerror(error));
  madvise(data, static_cast<size_t>(bytes), MADV_DONTFORK);
  sweeper().add(data, static_cast<size_t>(bytes));
  return at::from_blob(data, {size}, [](void* p) { sweeper().remove(p); }, at::kFloat);
}

}  // namespace kernels
