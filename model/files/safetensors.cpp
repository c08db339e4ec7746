#include "model/files/safetensors.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <string_view>

#include "kernels/error.h"
#include "model/files/json_fields.h"
#include "model/files/number_formats.h"

namespace model {

using kernels::fail_usage;
using nlohmann::json;

namespace {

constexpr int64_t kLargestHeader = 100'000'000;

int64_t bytes_of_type(const std::string& dtype, const std::string& where) {
  if (const int64_t bytes = bytes_of_safetensors_type(dtype)) return bytes;
  fail_usage("{}: dtype is {}, which is not supported. Supported: F64 F32 F16 BF16 F8_E4M3 F8_E5M2 and integers.", where,
             shown(dtype));
}

// Product of the shape times `bytes`, or an error when it leaves int64.
int64_t checked_bytes(const std::vector<int64_t>& shape, int64_t bytes, const std::string& where) {
  int64_t total = bytes;
  for (const int64_t n : shape)
    if (__builtin_mul_overflow(total, n, &total)) fail_usage("{}: the shape is too large to be true.", where);
  return total;
}

std::pair<int64_t, int64_t> read_offsets(const json& entry, int64_t data_size, const std::string& where) {
  const JsonFields f(entry, where);
  const json& offsets = f.need("data_offsets");
  const auto is_offset = [](const json& n) { return n.is_number_unsigned() && n.get<uint64_t>() <= INT64_MAX; };
  if (!offsets.is_array() || offsets.size() != 2 || !is_offset(offsets[0]) || !is_offset(offsets[1]))
    f.wrong("data_offsets", "two positions, [begin, end]");
  const auto begin = offsets[0].get<int64_t>(), end = offsets[1].get<int64_t>();
  if (begin > end || end > data_size)
    fail_usage("{}: data_offsets are [{}, {}], but the file has {} bytes of data. Was it cut off?", where, begin, end, data_size);
  return {begin, end};
}

SafetensorsEntry read_entry(const std::string& name, const json& j, const unsigned char* data, int64_t data_size,
                            const std::string& file) {
  const auto where = fmt::format("{}: tensor {}", file, shown(name));
  const JsonFields f(j, where);
  SafetensorsEntry entry;
  entry.name = name;
  entry.dtype = f.string("dtype");
  const json& shape = f.need("shape");
  if (!shape.is_array() || shape.size() > 16) f.wrong("shape", "a list of at most 16 sizes");
  for (const auto& n : shape) {
    if (!n.is_number_unsigned() || n.get<uint64_t>() > INT64_MAX) f.wrong("shape", "a list of sizes");
    entry.shape.push_back(n.get<int64_t>());
  }
  const auto [begin, end] = read_offsets(j, data_size, where);
  entry.bytes = checked_bytes(entry.shape, bytes_of_type(entry.dtype, where), where);
  if (entry.bytes != end - begin)
    fail_usage("{}: {} of shape {} takes {} bytes, but data_offsets hold {}.", where, entry.dtype, shape.dump(), entry.bytes,
               end - begin);
  entry.data = data + begin;
  return entry;
}

// nlohmann keeps the last of two equal keys; here the first repetition is an error.
json parse_header(const unsigned char* text, int64_t size, const std::string& file) {
  std::vector<std::set<std::string>> keys;
  std::string repeated;
  const auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second)
      repeated = parsed.get<std::string>();
    if (depth > 8) fail_usage("{}: the header is nested more than 8 deep. Is it a safetensors file?", file);
    return true;
  };
  try {
    auto header = json::parse(text, text + size, watch);
    if (!repeated.empty()) fail_usage("{}: the header names {} twice.", file, shown(repeated));
    return header;
  } catch (const json::exception& e) {
    fail_usage("{}: the header is not JSON ({}).", file, e.what());
  }
}

// The data must be one gapless run of tensors.
void check_layout(const std::vector<SafetensorsEntry>& entries, const unsigned char* data, int64_t data_size,
                  const std::string& file) {
  std::vector<const SafetensorsEntry*> sorted;
  for (const auto& e : entries) sorted.push_back(&e);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](auto* a, auto* b) { return std::pair(a->data, a->bytes) < std::pair(b->data, b->bytes); });
  int64_t at = 0;
  for (const auto* e : sorted) {
    const int64_t begin = e->data - data;
    if (begin < at) fail_usage("{}: tensor {} overlaps the tensor before it.", file, shown(e->name));
    if (begin > at) fail_usage("{}: {} bytes before tensor {} belong to no tensor.", file, begin - at, shown(e->name));
    at = begin + e->bytes;
  }
  if (at != data_size) fail_usage("{}: the last {} bytes belong to no tensor.", file, data_size - at);
}

}  // namespace

std::vector<SafetensorsEntry> parse_safetensors(const unsigned char* bytes, int64_t size, const std::string& file) {
  if (size < 8) fail_usage("{}: has {} bytes, too few for a safetensors file. Was it cut off?", file, size);
  const auto begins = [&](std::string_view text) {
    return size >= static_cast<int64_t>(text.size()) && std::memcmp(bytes, text.data(), text.size()) == 0;
  };
  if (begins("version https://git-lfs"))
    fail_usage("{}: is a Git LFS pointer, not the file itself. Run: git lfs pull", file);
  uint64_t header_size = 0;
  std::memcpy(&header_size, bytes, 8);
  if (header_size > kLargestHeader || static_cast<int64_t>(header_size) > size - 8)
    fail_usage("{}: the header should have {} bytes, but the file has {}. Is it a safetensors file, and whole?", file,
               header_size, size);
  const auto length = static_cast<int64_t>(header_size);
  if (length == 0 || bytes[8] != '{') fail_usage("{}: the header does not start with '{{'. Is it a safetensors file?", file);
  const json header = parse_header(bytes + 8, length, file);
  const unsigned char* data = bytes + 8 + length;
  const int64_t data_size = size - 8 - length;
  std::vector<SafetensorsEntry> entries;
  for (const auto& [name, value] : header.items())
    if (name != "__metadata__") entries.push_back(read_entry(name, value, data, data_size, file));
  check_layout(entries, data, data_size, file);
  return entries;
}

SafetensorsFile::SafetensorsFile(const std::string& path)
    : path_(path), file_(path), entries_(parse_safetensors(file_.data(), file_.size(), path)) {}

const SafetensorsEntry* SafetensorsFile::find(const std::string& name) const {
  const auto it = std::find_if(entries_.begin(), entries_.end(), [&](const auto& e) { return e.name == name; });
  return it == entries_.end() ? nullptr : &*it;
}

void check_is_float(const SafetensorsEntry& entry, const std::string& file) {
  for (const char* type : {"F32", "BF16", "F16", "F64"})
    if (entry.dtype == type) return;
  fail_usage("{}: tensor {}: is {}, but weights must be F32, F16, BF16 or F64.", file, entry.name, entry.dtype);
}

const float* read_run(const SafetensorsEntry& entry, int64_t first, int64_t count, float* scratch) {
  const auto each = [&](int64_t width, auto convert) {
    const unsigned char* in = entry.data + first * width;
    for (int64_t i = 0; i < count; ++i) scratch[i] = convert(in + i * width);
    return scratch;
  };
  // A file may place a tensor at any byte; kernels want aligned elements.
  const bool aligned = reinterpret_cast<uintptr_t>(entry.data) % 4 == 0;
  if (entry.dtype == "F32" && aligned) return reinterpret_cast<const float*>(entry.data) + first;
  if (entry.dtype == "F32") return each(4, [](auto* p) { return load<float>(p); });
  if (entry.dtype == "BF16") return each(2, [](auto* p) { return float_from_bf16(load<uint16_t>(p)); });
  if (entry.dtype == "F16") return each(2, [](auto* p) { return float_from_half(load<uint16_t>(p)); });
  if (entry.dtype == "F8_E4M3") return each(1, [](auto* p) { return float_from_e4m3(*p); });
  return each(8, [](auto* p) { return static_cast<float>(load<double>(p)); });
}

const uint16_t* bf16_values(const SafetensorsEntry& entry) {
  const bool aligned = reinterpret_cast<uintptr_t>(entry.data) % 2 == 0;
  return entry.dtype == "BF16" && aligned ? reinterpret_cast<const uint16_t*>(entry.data) : nullptr;
}

}  // namespace model
