#include "model/files/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "kernels/error.h"
#include "model/files/safetensors.h"

namespace model {

AtomicFile::AtomicFile(const std::string& path) : path_(path), temporary_(fmt::format("{}.tmp-{}", path, getpid())) {
  fd_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd_ < 0)
    kernels::fail_usage("{}: cannot be written: {}. Does the folder exist, and is it yours?", path, std::strerror(errno));
}

AtomicFile::~AtomicFile() {
  if (fd_ < 0) return;
  close(fd_);
  unlink(temporary_.c_str());
}

void AtomicFile::give_up(const char* action) {
  kernels::fail("{}: {} failed: {}. Is the disk full?", path_, action, std::strerror(errno));
}

void AtomicFile::write(const void* data, size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t done = ::write(fd_, at, std::min<size_t>(size, size_t{1} << 30));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) give_up("writing");
    at += done;
    size -= static_cast<size_t>(done);
  }
}

void AtomicFile::commit() {
  if (fsync(fd_) != 0) give_up("syncing");
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) give_up("renaming");
  close(fd_);
  fd_ = -1;
  const size_t slash = path_.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path_.substr(0, slash);
  const int folder_fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_fd < 0) return;  // a folder that may be written to but not read: nothing more can be done
  fsync(folder_fd);
  close(folder_fd);
}

void write_file_atomically(const std::string& path, const std::string& text) {
  AtomicFile file(path);
  file.write(text.data(), text.size());
  file.commit();
}

}  // namespace model
