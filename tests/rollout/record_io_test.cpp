#include "rollout/record_io.h"

#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "kernels/error.h"
#include "tests/support/catch.h"

using rollout::SampleRecord;

namespace {

SampleRecord example() {
  SampleRecord r;
  r.request_id = -7;
  r.prompt_id = int64_t{1} << 40;
  r.group_id = 3;
  r.sample_index = 5;
  r.request_step = 11;
  r.prompt_tokens = {1, 2, 3};
  r.cached_tokens = 2;
  r.tokens = {10, 11, 12, 13, 14};
  r.trained = {{0, 2}, {3, 2}};  // token 2 came from a tool
  r.logprobs = {-0.5f, -1e-30f, -std::numeric_limits<float>::infinity(), -0.1f};
  r.policy_versions = {4, 4, 5, 5};
  r.kept_mass = {1.0f, 0.9f, 0.8f, 0.7f};
  r.routes = {0, 1, 2, 3, 4, 5, 6, 7};
  r.sampling = {0.7, 50, 0.95, 0.01, true};
  r.kept.add({10, 90}), r.kept.add({11}), r.kept.add({13, 14, 15}), r.kept.add({14, 90});
  r.purpose = kernels::Purpose::eval;
  r.seed = ~uint64_t{0};
  r.finish = rollout::FinishReason::length;
  r.stop_text = "</answer>";
  r.source = "policy";
  return r;
}

std::string bytes_of(const SampleRecord& record) {
  std::string bytes;
  rollout::append_record(record, bytes);
  return bytes;
}

SampleRecord read(const std::string& bytes, size_t& used) {
  return rollout::read_record(reinterpret_cast<const std::byte*>(bytes.data()), bytes.size(), used);
}

// The CRC of zlib, bit by bit, to mend a damaged payload's checksum.
uint32_t slow_crc(const std::string& bytes) {
  uint32_t c = ~0u;
  for (const char byte : bytes) {
    c ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) c = (c >> 1) ^ ((c & 1) * 0xEDB88320u);
  }
  return ~c;
}

void mend(std::string& bytes) {
  const uint64_t length = bytes.size() - 24;
  const uint32_t crc = slow_crc(bytes.substr(24));
  std::memcpy(&bytes[12], &crc, 4);
  std::memcpy(&bytes[16], &length, 8);
}

}  // namespace

TEST_CASE("a record read back has every field, bit for bit", "[record_io]") {
  const SampleRecord record = example();
  const std::string bytes = bytes_of(record);
  size_t used = 0;
  const SampleRecord back = read(bytes, used);
  CHECK(used == bytes.size());
  CHECK(back.request_id == -7);
  CHECK(back.prompt_id == int64_t{1} << 40);
  CHECK(back.group_id == 3);
  CHECK(back.sample_index == 5);
  CHECK(back.request_step == 11);
  CHECK(back.prompt_tokens == record.prompt_tokens);
  CHECK(back.cached_tokens == 2);
  CHECK(back.tokens == record.tokens);
  REQUIRE(back.trained.size() == 2);
  CHECK(back.trained[1].first == 3);
  CHECK(back.trained[1].length == 2);
  CHECK(back.logprobs == record.logprobs);
  CHECK(back.policy_versions == record.policy_versions);
  CHECK(back.kept_mass == record.kept_mass);
  CHECK(back.kept.sizes == std::vector<int32_t>{2, 1, -1, 2});
  CHECK(back.kept.words == record.kept.words);
  CHECK(back.routes == record.routes);
  CHECK(back.sampling.temperature == 0.7);
  CHECK(back.sampling.top_k == 50);
  CHECK(back.sampling.top_p == 0.95);
  CHECK(back.sampling.min_p == 0.01);
  CHECK(back.sampling.renormalise);
  CHECK(back.purpose == kernels::Purpose::eval);
  CHECK(back.seed == ~uint64_t{0});
  CHECK(back.finish == rollout::FinishReason::length);
  CHECK(back.stop_text == "</answer>");
  CHECK(back.source == "policy");
  CHECK(bytes_of(back) == bytes);
}

TEST_CASE("records follow one another in a file", "[record_io]") {
  std::string bytes = bytes_of(SampleRecord());  // an aborted sample: no tokens
  const size_t first = bytes.size();
  rollout::append_record(example(), bytes);
  size_t used = 0;
  CHECK(read(bytes, used).tokens.empty());
  CHECK(used == first);
  CHECK(read(bytes.substr(first), used).tokens.size() == 5);
  CHECK(first + used == bytes.size());
}

TEST_CASE("the checksum is zlib's CRC-32", "[record_io]") {
  std::string bytes = bytes_of(example());
  const std::string before = bytes;
  mend(bytes);
  CHECK(bytes == before);
  CHECK(slow_crc("123456789") == 0xCBF43926u);  // the check value of the standard
}

TEST_CASE("any flipped byte and any cut is refused", "[record_io]") {
  const std::string bytes = bytes_of(example());
  size_t used = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x41);
    INFO("byte " << i);
    CHECK_THROWS_AS(read(damaged, used), kernels::Error);
    CHECK_THROWS_AS(read(bytes.substr(0, i), used), kernels::Error);
  }
}

TEST_CASE("damage with a mended checksum never reads outside or allocates without bounds", "[record_io]") {
  // What is still a record must write back to the same bytes; anything else throws Error and nothing else.
  const std::string bytes = bytes_of(example());
  std::mt19937 random(3);
  int refused = 0, read_well = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string damaged = bytes;
    const int changes = 1 + static_cast<int>(random() % 3);
    for (int c = 0; c < changes; ++c)
      damaged[24 + random() % (damaged.size() - 24)] = static_cast<char>(random() % 4 ? random() : 0xFF);
    if (random() % 4 == 0) damaged.resize(24 + random() % (damaged.size() - 24));
    mend(damaged);
    size_t used = 0;
    try {
      const SampleRecord record = read(damaged, used);
      CHECK(bytes_of(record) == damaged);
      ++read_well;
    } catch (const kernels::Error&) {
      ++refused;
    }
  }
  CHECK(refused > 1000);
  CHECK(read_well > 1000);
}

TEST_CASE("another format version is named", "[record_io]") {
  std::string bytes = bytes_of(example());
  bytes[8] = 9;
  size_t used = 0;
  CHECK_THROWS_WITH(read(bytes, used), Catch::Contains("version 9") && Catch::Contains("reads version 3"));
}

TEST_CASE("a record that contradicts itself is neither written nor read", "[record_io]") {
  std::string bytes;
  SampleRecord r = example();
  r.logprobs.pop_back();
  CHECK_THROWS_AS(rollout::append_record(r, bytes), kernels::Error);
  r = example();
  r.trained = {{0, 2}, {1, 2}};  // overlap
  CHECK_THROWS_AS(rollout::append_record(r, bytes), kernels::Error);
  r = example();
  r.trained = {{0, 2}, {4, 2}};  // past the end
  CHECK_THROWS_AS(rollout::append_record(r, bytes), kernels::Error);
  r = example();
  r.trained = {{0, 2}, {4, std::numeric_limits<int64_t>::max()}};
  CHECK_THROWS_AS(rollout::append_record(r, bytes), kernels::Error);
  r = example();
  r.tokens[1] = 12;  // its kept id is 11
  CHECK_THROWS_WITH(rollout::append_record(r, bytes), Catch::Contains("token 1 is not among"));
  r = example();
  r.kept.sizes.pop_back();
  CHECK_THROWS_AS(rollout::append_record(r, bytes), kernels::Error);
  r = example();
  r.sampling.renormalise = false;
  CHECK_THROWS_WITH(rollout::append_record(r, bytes), Catch::Contains("full vocabulary"));
  r = example();
  r.routes.pop_back();
  CHECK_THROWS_AS(rollout::append_record(r, bytes), kernels::Error);
  CHECK(bytes.empty());
}

TEST_CASE("a line of JSON holds the record and survives bytes that are not UTF-8", "[record_io]") {
  SampleRecord r = example();
  r.logprobs[2] = -2.0f;
  r.stop_text = "a\xFF\nb";
  const std::string line = rollout::json_line(rollout::record_to_json(r));
  CHECK(line.find('\n') == std::string::npos);
  const auto json = nlohmann::json::parse(line);
  CHECK(json["stop_text"] == "a\xEF\xBF\xBD\nb");
  CHECK(json["tokens"] == nlohmann::json({10, 11, 12, 13, 14}));
  CHECK(json["trained"] == nlohmann::json({{0, 2}, {3, 2}}));
  CHECK(json["logprobs"][3].get<float>() == -0.1f);
  CHECK(json["kept"] == nlohmann::json({2, 1, 3, 2}));
  CHECK(json["renormalised"] == true);
  CHECK(json["finish_reason"] == "length");
  CHECK(json["purpose"] == "eval");
  CHECK(json["seed"] == ~uint64_t{0});
  CHECK(json.count("completion") == 0);
}
