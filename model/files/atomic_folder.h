// A folder that appears whole or not at all: filled under a temporary name beside it, synced, renamed.
#pragma once

#include <string>

namespace model {

class AtomicFolder {
 public:
  // Makes the temporary folder .NAME.partial beside `path`, and the folders above it. One that an earlier process left is
  // removed. Throws kernels::Error with the path when the disk refuses.
  explicit AtomicFolder(const std::string& path);
  ~AtomicFolder();  // without commit(): nothing is left behind
  AtomicFolder(const AtomicFolder&) = delete;

  const std::string& path() const { return path_; }            // without a slash at its end
  const std::string& temporary() const { return temporary_; }  // write here
  // Puts the folder in its place. What stands there stays until the new one does, and is then removed.
  void commit();

 private:
  std::string path_, temporary_;
  bool committed_ = false;
};

}  // namespace model
