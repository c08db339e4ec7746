// The safetensors format, read as a hostile file.
//
// Layout: u64 little-endian size of a JSON header, the header, the data. Checked: header at most 100 MB, UTF-8 and
// starting with '{', ranges inside the file, no overlap, no hole, length = shape * size of dtype (overflow-safe), no name
// twice. Source: the format's page in the repository huggingface/safetensors.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/files/mapped_file.h"

namespace model {

struct SafetensorsEntry {
  std::string name;
  std::string dtype;  // F32 F16 BF16 F64 F8_E4M3 F8_E5M2 I64 I32 I16 I8 U64 U32 U16 U8 BOOL
  std::vector<int64_t> shape;
  const unsigned char* data = nullptr;  // into the mapping
  int64_t bytes = 0;
};

// A memory-mapped file. Entries point into it while it lives.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::string& path);
  const std::vector<SafetensorsEntry>& entries() const { return entries_; }
  const SafetensorsEntry* find(const std::string& name) const;
  const std::string& path() const { return path_; }
  // Copies the bytes of an entry of this file on all threads, and lets the file's pages go on the way.
  void copy(const SafetensorsEntry& entry, void* out) const;

 private:
  std::string path_;
  MappedFile file_;
  std::vector<SafetensorsEntry> entries_;
};

// Parses the header of a file already in memory; for the reader above and the fuzzer.
std::vector<SafetensorsEntry> parse_safetensors(const unsigned char* bytes, int64_t size, const std::string& file);

// Elements [first, first + count) of an F32, F16, BF16, F64 or F8_E4M3 entry as float32: a pointer into the mapping where
// they are that already, or `scratch`, filled. F8 values are as stored: a scale kept beside them is the caller's business.
const float* read_run(const SafetensorsEntry& entry, int64_t first, int64_t count, float* scratch);
// The bf16 bits of an aligned BF16 entry, where they lie; nullptr for any other.
const uint16_t* bf16_values(const SafetensorsEntry& entry);
// Throws UsageError for an entry that is not F32, F16, BF16 or F64.
void check_is_float(const SafetensorsEntry& entry, const std::string& file);
// All elements of such an entry into `out`, on all threads.
void read_as_float32(const SafetensorsEntry& entry, const std::string& file, float* out);

// Text to a file: temporary name, fsync, rename, fsync of the folder.
void write_file_atomically(const std::string& path, const std::string& text);

}  // namespace model
