#include "model/files/atomic_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "kernels/error.h"

namespace model {

namespace fs = std::filesystem;

namespace {

void sync_folder(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;  // a folder that may be written to but not read: nothing more can be done
  ::fsync(fd);
  ::close(fd);
}

// The two change names in one call, or, where the file system cannot, the old one waits under another name.
void put_in_place(const fs::path& temporary, const fs::path& final_path) {
  std::error_code error;
  if (fs::exists(final_path)) {
    fs::path old = temporary;
    if (::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, final_path.c_str(), RENAME_EXCHANGE) != 0) {
      old += ".old";
      fs::remove_all(old, error);
      fs::rename(final_path, old, error);
      if (!error) fs::rename(temporary, final_path, error);
    }
    std::error_code ignored;
    if (!error) fs::remove_all(old, ignored);
  } else {
    fs::rename(temporary, final_path, error);
  }
  if (error) kernels::fail("{}: cannot take its name, {}: {}.", temporary.string(), final_path.string(), error.message());
}

}  // namespace

AtomicFolder::AtomicFolder(const std::string& path) {
  fs::path final_path = fs::path(path).lexically_normal();
  if (!final_path.has_filename()) final_path = final_path.parent_path();  // "out/"
  path_ = final_path.string();
  temporary_ = (final_path.parent_path() / ("." + final_path.filename().string() + ".partial")).string();
  std::error_code error;
  fs::remove_all(temporary_, error);
  fs::create_directories(temporary_, error);
  if (error) kernels::fail("{}: cannot be made: {}. Is there space, and is the folder yours?", temporary_, error.message());
}

AtomicFolder::~AtomicFolder() {
  std::error_code ignored;
  if (!committed_) fs::remove_all(temporary_, ignored);
}

void AtomicFolder::commit() {
  for (const auto& entry : fs::recursive_directory_iterator(temporary_))
    if (entry.is_directory()) sync_folder(entry.path());
  sync_folder(temporary_);
  put_in_place(temporary_, path_);
  committed_ = true;
  const fs::path parent = fs::path(path_).parent_path();
  sync_folder(parent.empty() ? fs::path(".") : parent);
}

}  // namespace model
