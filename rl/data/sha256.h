// SHA-256 (FIPS 180-4): names data files and checkpoints in results, as `sha256sum` does.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace rl {

class Sha256 {
 public:
  void add(std::string_view bytes);
  std::string hex();  // 64 lower-case digits; ends the sum

 private:
  void block(const unsigned char* bytes);

  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<unsigned char, 64> rest_{};
  uint64_t bytes_ = 0;
};

std::string sha256_of_text(std::string_view text);
std::string sha256_of_file(const std::string& file);  // throws kernels::UsageError when it cannot be read

}  // namespace rl
