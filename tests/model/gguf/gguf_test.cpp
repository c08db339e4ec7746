// Golden values come from the PyPI library `gguf`: tests/support/make_gguf_golden.py.
#include "model/gguf/gguf.h"

#include <cmath>
#include <limits>

#include "tests/model/gguf/support.h"
#include "tests/support/catch.h"

using Catch::Matchers::Contains;
using golden::error_of;
using namespace gguf_test;

namespace {

std::string error_in(const std::string& bytes) {
  return error_of([&] { parse(bytes); });
}

}  // namespace

TEST_CASE("each type is dequantised as the gguf library does it, bit for bit, whatever the scales", "[gguf]") {
  for (const auto& c : golden::json("dequantized.json")) {
    const auto hex = c["bytes"].get<std::string>();
    std::vector<unsigned char> bytes;
    for (size_t i = 0; i < hex.size(); i += 2)
      bytes.push_back(static_cast<unsigned char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    const auto* type = model::find_gguf_type(c["type"].get<uint32_t>());
    REQUIRE(type);
    CHECK(type->name == c["name"]);
    const auto blocks = c["fnv"].get<std::vector<std::string>>();
    const auto elements = c["block_elements"].get<size_t>();
    std::vector<float> values(blocks.size() * elements);
    REQUIRE(static_cast<int64_t>(bytes.size()) == static_cast<int64_t>(values.size()) / type->block_elements * type->block_bytes);
    model::dequantize(*type, bytes.data(), static_cast<int64_t>(values.size()), values.data());
    for (float& x : values)
      if (std::isnan(x)) x = std::numeric_limits<float>::quiet_NaN();
    for (size_t i = 0; i < blocks.size(); ++i) {
      INFO(type->name << ", block " << i);
      CHECK(golden::hex(golden::fnv(values.data() + i * elements, elements * 4)) == blocks[i]);
    }
  }
}

TEST_CASE("Q4_1 by hand: d q + m, low halves first", "[gguf]") {
  // d = 0.5 (half 0x3800), m = -1 (half 0xbc00); byte 0 is 0xf2: element 0 is 0.5 * 2 - 1 = 0, element 16 is 0.5 * 15 - 1 = 6.5.
  unsigned char block[20] = {0x00, 0x38, 0x00, 0xbc, 0xf2};
  float out[32];
  model::dequantize(*model::find_gguf_type(3), block, 32, out);
  CHECK(out[0] == 0.0f);
  CHECK(out[16] == 6.5f);
  CHECK(out[1] == -1.0f);
}

TEST_CASE("Q5_K by hand: the sixth group takes its six-bit scale from two places and its fifth bits from bit 5", "[gguf]") {
  // d = 2 (0x4000), m = 1 (0x3c00). Group 5 of the 12 packed bytes: scale = low half of byte 9, 3, and the top bits of
  // byte 1, 1: 3 + 16 = 19. Minimum = high half of byte 9, 2, and the top bits of byte 5, 2: 2 + 32 = 34. Its element 0:
  // high half of nibble byte 64, 7, and bit 5 of fifth byte 0: 7 + 16 = 23. x = 2 * 19 * 23 - 34 = 840.
  unsigned char block[176] = {0x00, 0x40, 0x00, 0x3c};
  block[4 + 1] = 0x40, block[4 + 5] = 0x80, block[4 + 9] = 0x23;
  block[16] = 0x20, block[48 + 64] = 0x70;
  float out[256];
  model::dequantize(*model::find_gguf_type(13), block, 256, out);
  CHECK(out[160] == 840.0f);
  CHECK(out[161] == -34.0f);  // q = 0
  CHECK(out[0] == 0.0f);
}

TEST_CASE("metadata may be lists in lists", "[gguf]") {
  const auto number = [](uint64_t n) { return little_endian(n, 4); };
  // One key, "x", of type 9 (list): 2 lists of uint32 (type 4), [1, 2] and [3].
  const std::string head = "GGUF" + number(3) + little_endian(0) + little_endian(1) + little_endian(1) + "x" + number(9);
  const std::string lists = number(9) + little_endian(2) + number(4) + little_endian(2) + number(1) + number(2) + number(4) +
                            little_endian(1) + number(3);
  CHECK(parse(head + lists).metadata["x"].dump() == "[[1,2],[3]]");
  std::string deep = head;
  for (int i = 0; i < 20; ++i) deep += number(9) + little_endian(1);
  CHECK_THAT(error_in(deep), Contains("\"x\": is lists in lists, nested more than 8 deep"));
}

TEST_CASE("each kind of damage to a GGUF file is one clear error", "[gguf]") {
  const auto good = golden::text("tiny.gguf");
  REQUIRE(error_in(good) == "no error");
  CHECK_THAT(error_in(""), Contains("f.gguf: does not start with \"GGUF\""));
  CHECK_THAT(error_in(replaced(good, "GGUF", "GGML")), Contains("does not start with \"GGUF\""));
  CHECK(error_in(replaced(good, "GGUF\x03", "GGUF\x02")) == "no error");  // version 2 has the same layout
  CHECK_THAT(error_in(replaced(good, "GGUF\x03", "GGUF\x01")), Contains("GGUF version 1, but only versions 2 and 3"));
  CHECK_THAT(error_in(replaced(good, std::string("GGUF\x03\0\0\0", 8), std::string("GGUF\0\0\0\x03", 8))),
             Contains("big-endian"));
  CHECK_THAT(error_in(good.substr(0, 8) + little_endian(1ull << 60) + good.substr(16)),
             Contains("1152921504606846976 tensors, more than fit"));
  CHECK_THAT(error_in(good.substr(0, 16) + little_endian(~0ull) + good.substr(24)), Contains("metadata entries, more than fit"));
  CHECK_THAT(error_in(good.substr(0, 24) + little_endian(~0ull) + good.substr(32)), Contains("bytes in a string, more than fit"));
  CHECK_THAT(error_in(good.substr(0, good.size() - 1000)), Contains("Was the file cut off?"));
  CHECK_THAT(error_in(good.substr(0, 600)), Contains("Was it cut off?"));
  const std::string block = "llama.block_count";
  CHECK_THAT(error_in(replaced(good, block + little_endian(4, 4), block + little_endian(13, 4))), Contains("has type 13"));
  const std::string norm = "output_norm.weight" + little_endian(1, 4) + little_endian(32);  // one dimension, 32
  CHECK_THAT(error_in(replaced(good, norm, "output_norm.weight" + little_endian(9, 4) + little_endian(32))),
             Contains("has 9 dimensions"));
  CHECK_THAT(error_in(replaced(good, norm, "output_norm.weight" + little_endian(1, 4) + little_endian(1ull << 62))),
             Contains("too large to be true"));
  CHECK_THAT(error_in(replaced(good, norm + little_endian(0, 4), norm + little_endian(10, 4))),
             Contains("is of type 10 (Q2_K), which is not supported. Supported: F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, "
                      "Q4_K, Q5_K, Q6_K."));
  CHECK_THAT(error_in(replaced(good, norm + little_endian(0, 4), norm + little_endian(14, 4))),
             Contains("no whole blocks of Q6_K"));
  const size_t offset = good.find(norm) + norm.size() + 4;
  const auto with_offset = [&](uint64_t at) {
    return error_in(good.substr(0, offset) + little_endian(at) + good.substr(offset + 8));
  };
  CHECK_THAT(with_offset(1), Contains("no multiple of 32"));
  CHECK_THAT(with_offset(32), Contains("overlap"));
  CHECK_THAT(with_offset(~0ull - 31), Contains("Was the file cut off?"));
}

