// A file that appears whole or not at all: written under a temporary name beside it, synced, renamed, folder synced.
#pragma once

#include <cstddef>
#include <string>

namespace model {

class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path);  // throws UsageError when the folder cannot be written to
  ~AtomicFile();                                 // without commit(): nothing is left behind
  AtomicFile(const AtomicFile&) = delete;
  void write(const void* data, size_t size);
  void commit();

 private:
  [[noreturn]] void give_up(const char* action);
  std::string path_, temporary_;
  int fd_ = -1;
};

}  // namespace model
