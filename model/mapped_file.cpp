#include "model/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "kernels/error.h"

namespace model {

MappedFile::MappedFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) kernels::fail_usage("{}: cannot be opened: {}", path, std::strerror(errno));
  struct stat info {};
  const bool regular = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  size_ = regular ? info.st_size : 0;
  if (size_ > 0) mapping_ = mmap(nullptr, static_cast<size_t>(size_), PROT_READ, MAP_PRIVATE, fd, 0);
  const int error = errno;
  close(fd);
  if (!regular) kernels::fail_usage("{}: is not a regular file", path);
  if (mapping_ == MAP_FAILED) kernels::fail("{}: cannot be mapped: {}", path, std::strerror(error));
}

MappedFile::~MappedFile() {
  if (mapping_) munmap(mapping_, static_cast<size_t>(size_));
}

}  // namespace model
