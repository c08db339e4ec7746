#include "rollout/record_io.h"

#include <array>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "kernels/error.h"

namespace rollout {

namespace {

static_assert(std::endian::native == std::endian::little, "records are written as they lie in memory");

constexpr char magic[8] = {'P', 'N', 'D', 'R', 'S', 'M', 'P', 'L'};
constexpr size_t header_size = 24;

// CRC-32 of ISO 3309 (zlib's): polynomial 0xEDB88320, reflected.
constexpr std::array<uint32_t, 256> crc_table = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit) c = (c & 1) ? 0xEDB88320u ^ (c >> 1) : c >> 1;
    table[i] = c;
  }
  return table;
}();

uint32_t crc32(const std::byte* data, size_t size) {
  uint32_t c = 0xFFFFFFFFu;
  for (size_t i = 0; i < size; ++i) c = crc_table[(c ^ static_cast<uint32_t>(data[i])) & 0xFF] ^ (c >> 8);
  return ~c;
}

// One list of fields for both directions. `Archive` is Writer or Reader.
template <typename Archive, typename Record>
void each_field(Archive& a, Record& r) {
  a.value(r.request_id);
  a.value(r.prompt_id);
  a.value(r.group_id);
  a.value(r.sample_index);
  a.value(r.request_step);
  a.list(r.prompt_tokens);
  a.value(r.cached_tokens);
  a.list(r.tokens);
  a.list(r.trained);
  a.list(r.logprobs);
  a.list(r.policy_versions);
  a.list(r.kept_mass);
  a.list(r.kept.sizes);
  a.list(r.kept.words);
  a.list(r.routes);
  a.list(r.prompt_routes);
  a.value(r.sampling.temperature);
  a.value(r.sampling.top_k);
  a.value(r.sampling.top_p);
  a.value(r.sampling.min_p);
  a.flag(r.sampling.renormalise);
  a.choice(r.purpose, 5);
  a.value(r.seed);
  a.choice(r.finish, 3);
  a.list(r.stop_text);
  a.list(r.source);
}

struct Writer {
  std::string& out;

  template <typename T>
  void value(const T& v) {
    static_assert(std::is_trivially_copyable_v<T>);
    out.append(reinterpret_cast<const char*>(&v), sizeof v);
  }
  template <typename List>
  void list(const List& v) {
    value(static_cast<uint64_t>(v.size()));
    out.append(reinterpret_cast<const char*>(v.data()), v.size() * sizeof(typename List::value_type));
  }
  void flag(bool v) { value(static_cast<uint32_t>(v)); }
  template <typename Enum>
  void choice(Enum v, uint32_t) {
    value(static_cast<uint32_t>(v));
  }
};

struct Reader {
  const std::byte* at;
  size_t left;

  void take(void* to, size_t bytes) {
    if (bytes > left)
      kernels::fail("sample record: a field needs {} bytes, but {} are left; the record is damaged.", bytes, left);
    if (bytes > 0) std::memcpy(to, at, bytes);
    at += bytes;
    left -= bytes;
  }
  template <typename T>
  void value(T& v) {
    take(&v, sizeof v);
  }
  template <typename List>
  void list(List& v) {
    constexpr size_t width = sizeof(typename List::value_type);
    uint64_t count = 0;
    value(count);
    if (count > left / width)
      kernels::fail("sample record: a list of {} entries of {} bytes, but {} bytes are left; the record is damaged.", count,
                    width, left);
    v.resize(static_cast<size_t>(count));
    take(v.data(), v.size() * width);
  }
  void flag(bool& v) {
    uint32_t number = 0;
    value(number);
    if (number > 1) kernels::fail("sample record: a flag is {}, neither 0 nor 1; the record is damaged.", number);
    v = number == 1;
  }
  template <typename Enum>
  void choice(Enum& v, uint32_t count) {
    uint32_t number = 0;
    value(number);
    if (number >= count) kernels::fail("sample record: choice {} is not below {}; the record is damaged.", number, count);
    v = static_cast<Enum>(number);
  }
};

template <typename T>
T number_at(const std::byte* bytes) {
  T v;
  std::memcpy(&v, bytes, sizeof v);
  return v;
}

const char* name_of(kernels::Purpose purpose) {
  constexpr const char* names[] = {"train", "eval", "serve", "data", "init"};
  return names[static_cast<uint32_t>(purpose)];
}

}  // namespace

namespace {

void check_kept(const SampleRecord& r) {
  if (r.kept.empty() && r.kept.words.empty()) return;
  if (!r.sampling.renormalise || !r.sampling.truncates())
    kernels::fail("sample record: it has lists of kept ids, but its log-probabilities are over the full vocabulary.");
  const kernels::KeptRows rows(r.kept);
  int64_t row = 0;
  for (const TrainedRun& run : r.trained)
    for (int64_t t = run.first; t < run.first + run.length; ++t, ++row) {
      const kernels::KeptRow kept = rows[row];
      if (!kept.fits(int64_t{1} << 31)) kernels::fail("sample record: the kept ids of token {} do not ascend; the record is damaged.", t);
      if (kept.all() || !kept.holds(r.tokens[static_cast<size_t>(t)]))
        kernels::fail("sample record: token {} is not among its kept ids; the record is damaged.", t);
    }
}

}  // namespace

void check_record(const SampleRecord& r) {
  const int64_t tokens = static_cast<int64_t>(r.tokens.size());
  int64_t trained = 0, end = 0;
  for (const TrainedRun& run : r.trained) {
    if (run.first < end || run.length < 1 || run.first > tokens || run.length > tokens - run.first)
      kernels::fail("sample record: the trained run of {} tokens at {} does not fit after token {} in {} tokens.", run.length,
                    run.first, end, tokens);
    end = run.first + run.length;
    trained += run.length;
  }
  const auto one_each = [trained](const char* name, size_t size, bool optional) {
    if (static_cast<int64_t>(size) != trained && !(optional && size == 0))
      kernels::fail("sample record: {} {} for {} trained tokens; there must be one for each.", size, name, trained);
  };
  one_each("log-probabilities", r.logprobs.size(), false);
  one_each("policy versions", r.policy_versions.size(), false);
  one_each("kept masses", r.kept_mass.size(), true);
  one_each("lists of kept ids", r.kept.sizes.size(), true);
  check_kept(r);
  const auto whole_rows = [](const char* name, size_t size, int64_t rows) {
    if (size > 0 && (rows == 0 || static_cast<int64_t>(size) % rows != 0))
      kernels::fail("sample record: {} routes for {} {}; each must have equally many.", size, rows, name);
    return rows == 0 ? 0 : static_cast<int64_t>(size) / rows;
  };
  const int64_t width = whole_rows("trained tokens", r.routes.size(), trained);
  const int64_t prompt_width = whole_rows("prompt tokens", r.prompt_routes.size(), static_cast<int64_t>(r.prompt_tokens.size()));
  if (prompt_width != 0 && width != prompt_width)
    kernels::fail("sample record: {} routes for a trained token and {} for one of the prompt.", width, prompt_width);
}

void append_record(const SampleRecord& record, std::string& bytes) {
  check_record(record);
  const size_t start = bytes.size();
  bytes.resize(start + header_size);
  Writer writer{bytes};
  each_field(writer, record);
  const uint64_t length = bytes.size() - start - header_size;
  const uint32_t version = SampleRecord::format_version;
  const uint32_t crc = crc32(reinterpret_cast<const std::byte*>(bytes.data()) + start + header_size, length);
  std::memcpy(&bytes[start], magic, sizeof magic);
  std::memcpy(&bytes[start + 8], &version, sizeof version);
  std::memcpy(&bytes[start + 12], &crc, sizeof crc);
  std::memcpy(&bytes[start + 16], &length, sizeof length);
}

SampleRecord read_record(const std::byte* bytes, size_t size, size_t& used) {
  if (size < header_size)
    kernels::fail("sample record: {} bytes are left, but its header needs {}; the end is cut off.", size, header_size);
  if (std::memcmp(bytes, magic, sizeof magic) != 0) kernels::fail("sample record: it does not begin with PNDRSMPL.");
  const auto version = number_at<uint32_t>(bytes + 8);
  if (version != SampleRecord::format_version)
    kernels::fail("sample record: format version {}; this program reads version {}.", version, SampleRecord::format_version);
  const auto length = number_at<uint64_t>(bytes + 16);
  if (length > size - header_size)
    kernels::fail("sample record: its payload has {} bytes, but {} are left; the end is cut off.", length, size - header_size);
  const std::byte* payload = bytes + header_size;
  if (crc32(payload, length) != number_at<uint32_t>(bytes + 12))
    kernels::fail("sample record: the checksum differs; the record is damaged.");
  SampleRecord record;
  Reader reader{payload, static_cast<size_t>(length)};
  each_field(reader, record);
  if (reader.left > 0) kernels::fail("sample record: {} bytes follow its last field; the record is damaged.", reader.left);
  check_record(record);
  used = header_size + static_cast<size_t>(length);
  return record;
}

nlohmann::ordered_json record_to_json(const SampleRecord& r, const model::Tokenizer* tokenizer) {
  nlohmann::ordered_json trained = nlohmann::ordered_json::array();
  for (const TrainedRun& run : r.trained) trained.push_back({run.first, run.length});
  nlohmann::ordered_json json = {
      {"format_version", SampleRecord::format_version}, {"request_id", r.request_id}, {"prompt_id", r.prompt_id},
      {"group_id", r.group_id}, {"sample_index", r.sample_index}, {"request_step", r.request_step}, {"source", r.source},
      {"purpose", name_of(r.purpose)}, {"seed", r.seed}, {"finish_reason", name_of(r.finish)}, {"stop_text", r.stop_text},
      {"temperature", r.sampling.temperature}, {"top_k", r.sampling.top_k}, {"top_p", r.sampling.top_p},
      {"min_p", r.sampling.min_p}, {"renormalised", !r.kept.empty()}};
  if (tokenizer) {
    json["prompt"] = tokenizer->decode(r.prompt_tokens);
    json["completion"] = tokenizer->decode(r.tokens);
  }
  json["prompt_tokens"] = r.prompt_tokens;
  json["cached_tokens"] = r.cached_tokens;
  json["tokens"] = r.tokens;
  json["trained"] = std::move(trained);
  json["logprobs"] = r.logprobs;
  json["policy_versions"] = r.policy_versions;
  if (!r.kept_mass.empty()) json["kept_mass"] = r.kept_mass;
  if (!r.kept.empty()) json["kept"] = r.kept.counts();
  return json;
}

std::string json_line(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace rollout
