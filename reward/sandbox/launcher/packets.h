// Packets with descriptors between the launcher and its rooms, and a descriptor that closes itself.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <utility>

namespace reward::sandbox {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Descriptor() {
    if (value_ >= 0) close(value_);
  }
  int get() const { return value_; }
  int release() { return std::exchange(value_, -1); }

 private:
  int value_ = -1;
};

// False when the other side is gone.
bool send_packet(int socket, const void* bytes, size_t size, const int* descriptors, int count);
// One packet of exactly `size` bytes and at most one descriptor. False when there is none.
bool receive_packet(int socket, void* bytes, size_t size, Descriptor& attached);

}  // namespace reward::sandbox
