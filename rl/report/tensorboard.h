// TensorBoard event files, written by hand.
//
// A record is: u64 length, masked CRC32C of the length, data, masked CRC32C of the data (little endian). The data is an
// Event in protobuf's wire format: 1 double wall_time, 2 int64 step, 3 string file_version, 5 Summary;
// Summary.Value: 1 tag, 2 float simple_value. Source: tensorboard/compat/proto/event.proto and summary.proto.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "rl/metrics.h"

namespace rl {

uint32_t crc32c(std::string_view data);
uint32_t masked_crc32c(std::string_view data);
std::string tensorboard_record(std::string_view data);

std::string version_event(double wall_time);  // the first record of a file
std::string scalars_event(double wall_time, int64_t step, const std::string& prefix, const Metrics& values);

class TensorBoardWriter {
 public:
  // A new events file in the folder; readers join several. Steps that a resumed run repeats have equal values in both.
  explicit TensorBoardWriter(const std::string& directory);
  // Tags are STAGE/METRIC. Values that are not finite are left out. What the disk refuses waits, see rl/line_log.h.
  void write(const std::string& stage, int64_t step, const Metrics& values);

 private:
  std::string file_;
};

}  // namespace rl
