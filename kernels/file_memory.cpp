#include "kernels/file_memory.h"

#include <ATen/ops/from_blob.h>
#include <fcntl.h>
#include <sys/mman.h>
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

namespace kernels {
namespace {

constexpr std::chrono::milliseconds kBetweenSweeps{5};

// Takes the pages of all mappings back, again and again. They are shared with the file, so nothing is lost: who touches one
// again gets it from the system's cache, or from the disk.
class Sweeper {
 public:
  void add(void* data, size_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    mappings_[data] = bytes;
    if (!thread_.joinable()) thread_ = std::thread([this] { sweep(); });
  }

  void remove(void* data) {
    std::thread done;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      munmap(data, mappings_.at(data));
      mappings_.erase(data);
      if (mappings_.empty()) done = std::move(thread_);
    }
    changed_.notify_all();
    if (done.joinable()) done.join();
  }

 private:
  void sweep() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!changed_.wait_for(lock, kBetweenSweeps, [this] { return mappings_.empty(); }))
      for (const auto& [data, bytes] : mappings_) madvise(data, bytes, MADV_DONTNEED);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<void*, size_t> mappings_;
  std::thread thread_;
};

// Never destroyed: tensors of static storage may outlive it.
Sweeper& sweeper() {
  static Sweeper* const the_sweeper = new Sweeper;
  return *the_sweeper;
}

// A file without a name, of `bytes` that are the disk's already: a write to the mapping then cannot fail for want of room.
int nameless_file(const std::string& folder, size_t bytes) {
  std::error_code ignored;
  std::filesystem::create_directories(folder, ignored);
  std::string name = folder + "/.ponder-state-XXXXXX";
  const int file = mkstemp(name.data());
  if (file < 0) fail_usage("{}: no file can be made in this folder: {}.", folder, std::strerror(errno));
  unlink(name.c_str());
  if (const int error = posix_fallocate(file, 0, static_cast<off_t>(bytes)); error != 0) {
    close(file);
    fail_usage("{}: a file of {} MB cannot be made here: {}. Free some of the disk, or name another folder.", folder, bytes >> 20,
               std::strerror(error));
  }
  return file;
}

}  // namespace

at::Tensor zeros_in_file(int64_t size, const std::string& folder) {
  const size_t bytes = static_cast<size_t>(std::max<int64_t>(size, 1)) * sizeof(float);
  const int file = nameless_file(folder, bytes);
  void* data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  const int error = errno;
  close(file);  // the mapping keeps it
  if (data == MAP_FAILED) fail_usage("{}: a file of {} MB cannot be mapped: {}.", folder, bytes >> 20, std::strerror(error));
  sweeper().add(data, bytes);
  return at::from_blob(data, {size}, [](void* p) { sweeper().remove(p); }, at::kFloat);
}

}  // namespace kernels
