#include "rl/run_folder.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "kernels/error.h"

namespace rl {
namespace {

namespace fs = std::filesystem;

constexpr const char* lock_name = ".lock";

// Not flock: these do not pass to programs that the run starts, which may outlive it, and they tell who holds them.
struct flock whole_file() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

bool is_the_file(int descriptor, const std::string& file) {
  struct stat ours {}, there {};
  if (::fstat(descriptor, &ours) != 0 || ::stat(file.c_str(), &there) != 0) return false;
  return ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

std::string holder_of(int descriptor) {
  struct flock lock = whole_file();
  const bool known = ::fcntl(descriptor, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK && lock.l_pid > 0;
  return known ? fmt::format(" (process {})", lock.l_pid) : "";
}

}  // namespace

RunFolder::RunFolder(const std::string& directory, bool fresh) : directory_(directory) {
  while (directory_.size() > 1 && directory_.back() == '/') directory_.pop_back();
  lock();
  if (fresh && fs::exists(fs::path(directory_) / "metrics.jsonl")) move_earlier_run_aside();
}

RunFolder::~RunFolder() { unlock(directory_); }

void RunFolder::lock() {
  const std::string file = (fs::path(directory_) / lock_name).string();
  // Who held it may just have taken the file away, or the whole folder to another name: then there is a new one to lock.
  for (;;) {
    std::error_code error;
    fs::create_directories(directory_, error);
    if (error) kernels::fail("{}: cannot be made: {}. Check run.output_dir.", directory_, error.message());
    descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor_ < 0 && errno == ENOENT) continue;
    if (descriptor_ < 0)
      kernels::fail("{}: cannot be written: {}. Is the disk full, and is run.output_dir yours?", file, std::strerror(errno));
    struct flock all = whole_file();
    const int refused = ::fcntl(descriptor_, F_SETLK, &all) == 0 ? 0 : errno;
    if (refused == 0 && is_the_file(descriptor_, file)) return;
    const std::string holder = refused == 0 ? "" : holder_of(descriptor_);
    ::close(descriptor_);
    descriptor_ = -1;
    if (refused == 0) continue;
    if (refused == EACCES || refused == EAGAIN)
      kernels::fail_usage("{}: another ponder{} runs in this folder. Wait for its end, or give this run another run.output_dir.",
                          directory_, holder);
    fmt::print(stderr, "warning: {}: {}; nothing keeps a second run out of the folder\n", file, std::strerror(refused));
    return;
  }
}

void RunFolder::unlock(const std::string& folder) {
  if (descriptor_ < 0) return;
  ::unlink((fs::path(folder) / lock_name).c_str());
  ::close(descriptor_);
  descriptor_ = -1;
}

// An earlier run is not lost when its config is run again, and its lines do not mix with the new ones.
void RunFolder::move_earlier_run_aside() {
  std::string aside;
  for (int i = 1; aside.empty() || fs::exists(aside); ++i) aside = fmt::format("{}.{}", directory_, i);
  std::error_code error;
  fs::rename(directory_, aside, error);
  if (error) {
    aside = move_contents_aside(directory_);
  } else {
    unlock(aside);
    lock();
  }
  fmt::print(stderr, "the earlier run in {} moved to {} (--resume auto goes on with a run that has a checkpoint)\n", directory_,
             aside);
}

std::string move_contents_aside(const std::string& directory) {
  const fs::path root(directory);
  fs::path aside;
  for (int i = 1; aside.empty() || fs::exists(aside); ++i) aside = root / fmt::format("earlier.{}", i);
  std::vector<fs::path> names;
  for (const auto& entry : fs::directory_iterator(root)) {
    const std::string name = entry.path().filename().string();
    if (name != lock_name && name.rfind("earlier.", 0) != 0 && name != "metrics.jsonl") names.push_back(name);
  }
  names.push_back("metrics.jsonl");  // by which the rest is still an earlier run, should this one be killed half-way
  std::error_code error;
  fs::create_directory(aside, error);
  for (const auto& name : names)
    if (!error && fs::exists(root / name)) fs::rename(root / name, aside / name, error);
  if (error)
    kernels::fail("{}: the earlier run there cannot be moved to {}: {}. Move it away, or give this run another run.output_dir.",
                  directory, aside.string(), error.message());
  return aside.string();
}

}  // namespace rl
