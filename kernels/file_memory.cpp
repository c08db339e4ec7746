#include "kernels/file_memory.h"

#include <ATen/ops/from_blob.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <thread>

#include "kernels/error.h"

namespace kernels {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kBetweenSweeps{5};
constexpr int64_t kWorthASweep = 4 << 20;

// Bytes of files and shared memory that are the program's now.
int64_t resident_file_bytes() {
  std::ifstream statistics("/proc/self/statm");
  int64_t size = 0, resident = 0, shared = 0;
  statistics >> size >> resident >> shared;
  return shared * sysconf(_SC_PAGESIZE);
}

// Takes the pages of all mappings back, again and again while there are any. They are shared with the file, so nothing is
// lost: who touches one again gets it from the system's cache, or from the disk.
class Sweeper {
 public:
  Sweeper() { std::thread([this] { sweep(); }).detach(); }

  void add(void* data, size_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    mappings_[data] = bytes;
    added_.notify_all();
  }

  // 0, or the error of a write that failed since the last call.
  int sync() {
    const std::lock_guard<std::mutex> lock(mutex_);
    int error = 0;
    for (const auto& [data, bytes] : mappings_)
      while (msync(data, bytes, MS_SYNC) != 0)
        if (errno != EINTR) {
          error = errno;
          break;
        }
    return error;
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
      // A sweep walks tables of all pages, there or not, so it rests while nothing comes in; once more before that, for what
      // came in during the last one.
      const int64_t now = resident_file_bytes();
      const bool grown = now >= left_ + kWorthASweep;
      left_ = std::min(left_, now);
      if (!grown && resting_) continue;
      resting_ = !grown;
      for (const auto& [data, bytes] : mappings_) madvise(data, bytes, MADV_DONTNEED);
      left_ = resident_file_bytes();
    }
  }

  std::mutex mutex_;
  std::condition_variable added_;
  std::map<void*, size_t> mappings_;
  int64_t left_ = 0;  // resident_file_bytes() after the last sweep, or less since
  bool resting_ = true;
};

std::atomic<bool> any_in_files{false};

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
  int error = EINTR;
  while (error == EINTR) error = posix_fallocate(file, 0, bytes);
  if (error != 0) {
    close(file);
    fail_usage("{}: a file of {} MB cannot be made here: {}. Free some of the disk, or name another folder.", folder, bytes >> 20,
               std::strerror(error));
  }
  return file;
}

enum class FileSystem { unknown, in_memory, in_place, other };

FileSystem file_system_of(const fs::path& folder) {
  struct statfs system {};
  if (statfs(folder.c_str(), &system) != 0) return FileSystem::unknown;
  switch (static_cast<uint32_t>(system.f_type)) {
    case 0x01021994:  // tmpfs
    case 0x858458f6: return FileSystem::in_memory;  // ramfs
    case 0xef53:  // ext4
    case 0x58465342: return FileSystem::in_place;  // xfs
    default: return FileSystem::other;
  }
}

// `folder`, or what there is already of the way to it.
fs::path existing_part(const std::string& folder) {
  fs::path place = fs::absolute(folder);
  std::error_code error;
  while (!fs::exists(place, error) && place.has_relative_path()) place = place.parent_path();
  return place;
}

}  // namespace

int64_t file_memory_window(int64_t threads) { return threads * (int64_t{96} << 20); }

std::string file_memory_warning(const std::string& folder) {
  if (file_system_of(existing_part(folder)) != FileSystem::other) return "";
  return fmt::format("{} is neither on ext4 nor on xfs: a disk that is full or failing may end the run. Name a folder on a local disk, "
                     "or keep much of this one free.",
                     folder);
}

std::string file_memory_problem(const std::string& folder, int64_t bytes) {
  const fs::path place = existing_part(folder);
  std::error_code error;
  const auto megabytes = [](auto x) { return static_cast<int64_t>(x) >> 20; };
  if (!fs::is_directory(place, error)) return fmt::format("{} is no folder. Name one on a local disk.", place.string());
  if (access(place.c_str(), W_OK | X_OK) != 0)
    return fmt::format("no file can be made in {}: {}. Name a folder on a local disk.", place.string(), std::strerror(errno));
  if (file_system_of(place) == FileSystem::in_memory)
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
  any_in_files = true;
  return at::from_blob(data, {size}, [](void* p) { sweeper().remove(p); }, at::kFloat);
}

void sync_file_memory() {
  if (!any_in_files) return;
  if (const int error = sweeper().sync(); error != 0)
    fail("model.offload_folder: the disk failed to write ({}), so masters and moments there are not to be trusted. Resume from the last "
         "checkpoint, with a folder on a disk that works.",
         std::strerror(error));
}

}  // namespace kernels
