// What the GGUF tests share.
#pragma once

#include "model/gguf/gguf.h"
#include "tests/model/golden.h"
#include "tests/support/catch.h"

namespace gguf_test {

inline model::GgufContent parse(const std::string& bytes) {
  return model::parse_gguf(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int64_t>(bytes.size()), "f.gguf");
}

// The file with the first `from` in it replaced; both have one length.
inline std::string replaced(std::string bytes, const std::string& from, const std::string& to) {
  const size_t at = bytes.find(from);
  REQUIRE(at != std::string::npos);
  REQUIRE(from.size() == to.size());
  return bytes.replace(at, from.size(), to);
}

inline std::string little_endian(uint64_t n, int bytes = 8) {
  return {reinterpret_cast<const char*>(&n), static_cast<size_t>(bytes)};
}

}  // namespace gguf_test
