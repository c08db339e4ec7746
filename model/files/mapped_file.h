// A regular file mapped for reading.
#pragma once

#include <cstdint>
#include <string>

namespace model {

class MappedFile {
 public:
  explicit MappedFile(const std::string& path);  // throws UsageError when it cannot be opened
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  const unsigned char* data() const { return static_cast<const unsigned char*>(mapping_); }
  int64_t size() const { return size_; }
  // These bytes were read and will not be soon: their pages stop counting as this process's memory.
  void let_go(const unsigned char* data, int64_t bytes) const;

 private:
  void* mapping_ = nullptr;
  int64_t size_ = 0;
};

}  // namespace model
