// Numbers and texts in a row of bytes, between the trainer, the launcher and the rooms of one machine.
//
// A number is eight bytes as the processor has them; a text is its length, its bytes and a zero. A row that ends too early
// throws Error: its writer died.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "reward/reward.h"

namespace reward::sandbox {

class Writer {
 public:
  void number(int64_t value) { bytes_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void real(double value) { bytes_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void text(std::string_view value) {
    number(static_cast<int64_t>(value.size()));
    bytes_.append(value);
    bytes_.push_back('\0');
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  int64_t number() { return value<int64_t>(); }
  double real() { return value<double>(); }
  std::string text() {
    const int64_t size = number();
    if (size < 0 || static_cast<uint64_t>(size) >= rest_.size()) throw Error("sandbox: a message of the launcher is cut off");
    std::string result(rest_.substr(0, static_cast<size_t>(size)));
    rest_.remove_prefix(static_cast<size_t>(size) + 1);
    return result;
  }

 private:
  template <typename T>
  T value() {
    if (rest_.size() < sizeof(T)) throw Error("sandbox: a message of the launcher is cut off");
    T result;
    std::memcpy(&result, rest_.data(), sizeof result);
    rest_.remove_prefix(sizeof result);
    return result;
  }
  std::string_view rest_;
};

}  // namespace reward::sandbox
