#include "model/gguf/gguf.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "kernels/error.h"
#include "model/files/json_fields.h"
#include "model/files/number_formats.h"

namespace model {

using kernels::fail_usage;
using nlohmann::json;

namespace {

// Names of types that are refused, for the message. The gaps are types that ggml has removed.
constexpr const char* kTypeNames[] = {"F32",     "F16",     "Q4_0",   "Q4_1",  "?",       "?",      "Q5_0",    "Q5_1",
                                      "Q8_0",    "Q8_1",    "Q2_K",   "Q3_K",  "Q4_K",    "Q5_K",   "Q6_K",    "Q8_K",
                                      "IQ2_XXS", "IQ2_XS",  "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S",  "IQ2_S",   "IQ4_XS",
                                      "I8",      "I16",     "I32",    "I64",   "F64",     "IQ1_M",  "BF16",    "?",
                                      "?",       "?",       "TQ1_0",  "TQ2_0", "?",       "?",      "?",       "MXFP4"};

// Bytes of the file in order; reading past the end is an error.
class Cursor {
 public:
  Cursor(const unsigned char* bytes, int64_t size, const std::string& file) : bytes_(bytes), size_(size), file_(file) {}

  int64_t left() const { return size_ - at_; }
  int64_t at() const { return at_; }
  const unsigned char* take(int64_t count) {
    if (count < 0 || count > left())
      fail_usage("{}: ends in the middle of its header, at byte {} of {}. Was it cut off?", file_, at_, size_);
    at_ += count;
    return bytes_ + at_ - count;
  }
  template <typename T>
  T number() {
    return load<T>(take(sizeof(T)));
  }
  // A count of things that take at least `least` bytes each, so that a wrong one cannot ask for more than the file holds.
  int64_t count(int64_t least, const char* what) {
    const auto n = number<uint64_t>();
    if (n > static_cast<uint64_t>(left() / least))
      fail_usage("{}: says that it has {} {}, more than fit into the file. Was it cut off?", file_, n, what);
    return static_cast<int64_t>(n);
  }
  std::string string() {
    const int64_t length = count(1, "bytes in a string");
    const auto* text = take(length);
    return {reinterpret_cast<const char*>(text), static_cast<size_t>(length)};
  }

 private:
  const unsigned char* bytes_;
  int64_t size_, at_ = 0;
  const std::string& file_;
};

constexpr uint32_t kString = 8, kArray = 9;
constexpr int kDeepest = 8;  // lists in lists
constexpr int64_t kValueBytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8};  // by type; strings and arrays: at least

json read_value(Cursor& in, uint32_t type, const std::string& where) {
  switch (type) {
    case 0:
      return in.number<uint8_t>();
    case 1:
      return in.number<int8_t>();
    case 2:
      return in.number<uint16_t>();
    case 3:
      return in.number<int16_t>();
    case 4:
      return in.number<uint32_t>();
    case 5:
      return in.number<int32_t>();
    case 6:
      return in.number<float>();
    case 7:
      return in.number<uint8_t>() != 0;
    case kString:
      return in.string();
    case 10:
      return in.number<uint64_t>();
    case 11:
      return in.number<int64_t>();
    case 12:
      return in.number<double>();
    default:
      fail_usage("{}: has type {}, which GGUF does not have.", where, type);
  }
}

json read_any(Cursor& in, uint32_t type, const std::string& where, int depth) {
  if (type != kArray) return read_value(in, type, where);
  const auto element = in.number<uint32_t>();
  if (element >= std::size(kValueBytes)) fail_usage("{}: is a list of type {}, which GGUF does not have.", where, element);
  if (depth == kDeepest) fail_usage("{}: is lists in lists, nested more than {} deep.", where, kDeepest);
  const int64_t count = in.count(kValueBytes[element], "list elements");
  json list = json::array();
  list.get_ref<json::array_t&>().reserve(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) list.push_back(read_any(in, element, where, depth + 1));
  return list;
}

struct Description {
  GgufTensor tensor;
  uint64_t offset = 0;
};

Description read_description(Cursor& in, const std::string& file) {
  Description d;
  d.tensor.name = in.string();
  const auto where = fmt::format("{}: tensor {}", file, shown(d.tensor.name));
  const auto dimensions = in.number<uint32_t>();
  if (dimensions < 1 || dimensions > 4) fail_usage("{}: has {} dimensions, but must have 1 to 4.", where, dimensions);
  d.tensor.elements = 1;
  for (uint32_t i = 0; i < dimensions; ++i) {
    const auto n = in.number<uint64_t>();
    if (n > INT32_MAX || __builtin_mul_overflow(d.tensor.elements, static_cast<int64_t>(n), &d.tensor.elements) ||
        d.tensor.elements > (int64_t{1} << 56))
      fail_usage("{}: the shape is too large to be true.", where);
    d.tensor.shape.insert(d.tensor.shape.begin(), static_cast<int64_t>(n));
  }
  const auto type = in.number<uint32_t>();
  d.tensor.type = find_gguf_type(type);
  if (!d.tensor.type)
    fail_usage("{}: is of type {} ({}), which is not supported. Supported: {}.", where, type,
               type < std::size(kTypeNames) ? kTypeNames[type] : "?", gguf_type_names());
  if (d.tensor.shape.back() % d.tensor.type->block_elements != 0)
    fail_usage("{}: rows of {} elements are no whole blocks of {}.", where, d.tensor.shape.back(), d.tensor.type->name);
  d.offset = in.number<uint64_t>();
  return d;
}

int64_t bytes_of(const GgufTensor& t) { return t.elements / t.type->block_elements * t.type->block_bytes; }

// Sets the data pointers; each tensor must lie inside the data, aligned, and on no other's bytes.
void place(std::vector<Description>& list, const unsigned char* data, int64_t size, int64_t alignment, const std::string& file) {
  for (auto& d : list) {
    const int64_t bytes = bytes_of(d.tensor);
    if (d.offset > static_cast<uint64_t>(size) || bytes > size - static_cast<int64_t>(d.offset))
      fail_usage("{}: tensor {} takes bytes {} to {} of the data, which has {}. Was the file cut off?", file,
                 shown(d.tensor.name), d.offset, d.offset + static_cast<uint64_t>(bytes), size);
    if (d.offset % static_cast<uint64_t>(alignment) != 0)
      fail_usage("{}: tensor {} starts at byte {} of the data, which is no multiple of {}.", file, shown(d.tensor.name), d.offset,
                 alignment);
    d.tensor.data = data + d.offset;
  }
  std::vector<const Description*> sorted;
  for (const auto& d : list) sorted.push_back(&d);
  std::sort(sorted.begin(), sorted.end(), [](auto* a, auto* b) { return a->offset < b->offset; });
  for (size_t i = 1; i < sorted.size(); ++i)
    if (sorted[i - 1]->tensor.data + bytes_of(sorted[i - 1]->tensor) > sorted[i]->tensor.data)
      fail_usage("{}: tensors {} and {} overlap.", file, shown(sorted[i - 1]->tensor.name), shown(sorted[i]->tensor.name));
}

}  // namespace

const GgufTensor* GgufContent::find(const std::string& name) const {
  const auto it = std::find_if(tensors.begin(), tensors.end(), [&](const auto& t) { return t.name == name; });
  return it == tensors.end() ? nullptr : &*it;
}

GgufContent parse_gguf(const unsigned char* bytes, int64_t size, const std::string& file) {
  Cursor in(bytes, size, file);
  if (size < 24 || std::memcmp(in.take(4), "GGUF", 4) != 0)
    fail_usage("{}: does not start with \"GGUF\". Is it a GGUF file?", file);
  const auto version = in.number<uint32_t>();
  if (version == 2u << 24 || version == 3u << 24) fail_usage("{}: is a big-endian GGUF file. Convert it again.", file);
  if (version != 2 && version != 3)
    fail_usage("{}: is GGUF version {}, but only versions 2 and 3 are supported. Convert it again.", file, version);
  const int64_t tensor_count = in.count(24, "tensors");
  const int64_t pair_count = in.count(13, "metadata entries");
  GgufContent content;
  for (int64_t i = 0; i < pair_count; ++i) {
    const auto key = in.string();
    if (content.metadata.contains(key)) fail_usage("{}: {} is in the metadata twice.", file, shown(key));
    content.metadata[key] = read_any(in, in.number<uint32_t>(), fmt::format("{}: {}", file, shown(key)), 0);
  }
  std::vector<Description> list;
  std::set<std::string> names;
  for (int64_t i = 0; i < tensor_count; ++i) {
    list.push_back(read_description(in, file));
    if (!names.insert(list.back().tensor.name).second)
      fail_usage("{}: tensor {} comes twice.", file, shown(list.back().tensor.name));
  }
  const int64_t alignment = JsonFields(content.metadata, file).integer("general.alignment", 1, 1 << 20, 32);
  in.take(std::min(in.left(), (alignment - in.at() % alignment) % alignment));
  const int64_t data_size = in.left();
  place(list, in.take(data_size), data_size, alignment, file);
  for (auto& d : list) content.tensors.push_back(std::move(d.tensor));
  return content;
}

}  // namespace model
