#include "rl/report/tensorboard.h"

#include <fmt/core.h>
#include <unistd.h>

#include <boost/crc.hpp>
#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "kernels/error.h"
#include "rl/line_log.h"

namespace rl {
namespace {

template <typename Number>
std::string little_endian(Number value) {
  std::string bytes(sizeof(value), '\0');
  std::memcpy(bytes.data(), &value, sizeof(value));
  return bytes;
}

// Protobuf's wire types: 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes.
std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}
std::string tag(uint32_t field, uint32_t wire_type) { return varint(field << 3 | wire_type); }
std::string integer_field(uint32_t field, int64_t value) { return tag(field, 0) + varint(static_cast<uint64_t>(value)); }
std::string double_field(uint32_t field, double value) { return tag(field, 1) + little_endian(value); }
std::string float_field(uint32_t field, float value) { return tag(field, 5) + little_endian(value); }
std::string bytes_field(uint32_t field, std::string_view bytes) {
  return tag(field, 2) + varint(bytes.size()) + std::string(bytes);
}

double wall_time_now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

}  // namespace

uint32_t crc32c(std::string_view data) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  crc.process_bytes(data.data(), data.size());
  return crc.checksum();
}

uint32_t masked_crc32c(std::string_view data) {
  const uint32_t crc = crc32c(data);
  return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

std::string tensorboard_record(std::string_view data) {
  const std::string length = little_endian(static_cast<uint64_t>(data.size()));
  return length + little_endian(masked_crc32c(length)) + std::string(data) + little_endian(masked_crc32c(data));
}

std::string version_event(double wall_time) { return double_field(1, wall_time) + bytes_field(3, "brain.Event:2"); }

std::string scalars_event(double wall_time, int64_t step, const std::string& prefix, const Metrics& values) {
  std::string summary;
  for (const auto& [name, value] : values) {
    if (!std::isfinite(value)) continue;
    summary += bytes_field(1, bytes_field(1, prefix + name) + float_field(2, static_cast<float>(value)));
  }
  return double_field(1, wall_time) + integer_field(2, step) + bytes_field(5, summary);
}

TensorBoardWriter::TensorBoardWriter(const std::string& directory) {
  std::filesystem::create_directories(directory);
  char host[256] = "localhost";
  ::gethostname(host, sizeof(host) - 1);
  const double now = wall_time_now();
  for (int n = 0; n == 0 || std::filesystem::exists(file_); ++n)
    file_ = fmt::format("{}/events.out.tfevents.{}.{}.{}.{}", directory, static_cast<int64_t>(now), host, ::getpid(), n);
  if (!std::ofstream(file_)) kernels::fail("{}: cannot be written. Check run.output_dir, or set log.tensorboard = false.", file_);
  line_log(file_).append_record(tensorboard_record(version_event(now)));
}

void TensorBoardWriter::write(const std::string& stage, int64_t step, const Metrics& values) {
  line_log(file_).append_record(tensorboard_record(scalars_event(wall_time_now(), step, stage + "/", values)));
}

}  // namespace rl
