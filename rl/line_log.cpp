#include "rl/line_log.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>

#include "kernels/error.h"
#include "kernels/watchdog.h"

namespace rl {
namespace {

struct File {
  explicit File(const std::string& path) : descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {}
  ~File() {
    if (descriptor >= 0) ::close(descriptor);
  }
  File(const File&) = delete;
  const int descriptor;
};

// False with errno.
bool cut_half_line(int descriptor) {
  off_t end = ::lseek(descriptor, 0, SEEK_END);
  const off_t size = end;
  char block[4096];
  while (end > 0) {
    const off_t first = std::max<off_t>(0, end - static_cast<off_t>(sizeof block));
    const ssize_t count = ::pread(descriptor, block, static_cast<size_t>(end - first), first);
    if (count <= 0) return count == 0;
    for (ssize_t i = count; i > 0; --i)
      if (block[i - 1] == '\n') return first + i == size || ::ftruncate(descriptor, first + i) == 0;
    end = first;
  }
  return size <= 0 || ::ftruncate(descriptor, 0) == 0;
}

std::mutex registry_mutex;
std::map<std::string, std::unique_ptr<LineLog>>& registry() {
  static auto* logs = new std::map<std::string, std::unique_ptr<LineLog>>;  // outlives every thread that may still write
  return *logs;
}

}  // namespace

LineLog::LineLog(std::string file) : file_(std::move(file)) {}

void LineLog::append(const std::string& line) { append_record(line + "\n"); }

void LineLog::append_record(const std::string& bytes) {
  const kernels::Wait wait(file_ + " to be written");
  const std::lock_guard lock(mutex_);
  pending_ += bytes;
  write_pending();
}

void LineLog::retry() {
  const std::lock_guard lock(mutex_);
  if (pending_.empty()) return;
  const kernels::Wait wait(file_ + " to be written");
  write_pending();
}

void LineLog::sync() {
  const std::lock_guard lock(mutex_);
  write_pending();
  if (error_ == 0) {
    const File file(file_);
    if (file.descriptor < 0 || ::fsync(file.descriptor) != 0) error_ = errno;
  }
  if (error_ != 0)
    kernels::fail("{}: cannot be written: {}. Is the disk full, and is the folder yours?", file_, std::strerror(error_));
}

void LineLog::write_pending() {
  error_ = 0;
  if (pending_.empty()) return;
  if (write_all()) {
    told_ = false;
    return;
  }
  error_ = errno;
  if (!told_)
    fmt::print(stderr, "\nwarning: {}: cannot be written: {}; its lines wait in memory\n", file_, std::strerror(error_));
  told_ = true;
}

// False with errno.
bool LineLog::write_all() {
  const File file(file_);
  if (file.descriptor < 0 || (!begun_ && !cut_half_line(file.descriptor))) return false;
  begun_ = true;
  while (!pending_.empty()) {
    const ssize_t written = ::write(file.descriptor, pending_.data(), pending_.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    pending_.erase(0, static_cast<size_t>(written));
  }
  return true;
}

LineLog& line_log(const std::string& file) {
  const std::lock_guard lock(registry_mutex);
  auto& log = registry()[file];
  if (!log) log = std::make_unique<LineLog>(file);
  return *log;
}

void retry_lines() {
  const std::lock_guard lock(registry_mutex);
  for (auto& [file, log] : registry()) log->retry();
}

void sync_lines() {
  const std::lock_guard lock(registry_mutex);
  for (auto& [file, log] : registry()) log->sync();
}

}  // namespace rl
