// Golden files come from the PyPI library `safetensors`: tests/support/make_gguf_golden.py.
#include "model/files/safetensors.h"

#include <cstring>
#include <filesystem>
#include <limits>

#include "tests/model/golden.h"
#include "tests/support/catch.h"

using Catch::Matchers::Contains;
using golden::error_of;

namespace {

std::string with_header(const std::string& header, size_t data_bytes) {
  const uint64_t size = header.size();
  std::string file(8, '\0');
  std::memcpy(file.data(), &size, 8);
  return file + header + std::string(data_bytes, '\1');
}

std::string error_in(const std::string& file) {
  return error_of([&] {
    model::parse_safetensors(reinterpret_cast<const unsigned char*>(file.data()), static_cast<int64_t>(file.size()), "f");
  });
}

std::vector<float> floats(const model::SafetensorsFile& file, const std::string& name) {
  const auto* entry = file.find(name);
  REQUIRE(entry);
  int64_t count = 1;
  for (const int64_t n : entry->shape) count *= n;
  std::vector<float> values(static_cast<size_t>(count));
  model::read_as_float32(*entry, "f", values.data());
  return values;
}

}  // namespace

TEST_CASE("a file of the safetensors library is read, each dtype", "[safetensors]") {
  const model::SafetensorsFile file(golden::path("by_library.safetensors"));
  REQUIRE(file.entries().size() == 6);
  CHECK(floats(file, "a") == std::vector<float>{0, 0.25f, 0.5f, 0.75f, 1, 1.25f});
  CHECK(file.find("a")->shape == std::vector<int64_t>{2, 3});
  CHECK(floats(file, "half") == std::vector<float>{1.5f, -2.0f, 65504.0f});
  CHECK(floats(file, "double") == std::vector<float>{0.1f});
  CHECK(floats(file, "empty").empty());
  CHECK(file.find("ints")->dtype == "I64");
  CHECK(file.find("bytes")->data[0] == 255);
  CHECK(file.find("nothing") == nullptr);
  CHECK_THAT(error_of([&] { floats(file, "ints"); }), Contains("tensor ints: is I64, but weights must be"));
}

TEST_CASE("what is written is what the library reads, and is read back with equal bits", "[safetensors]") {
  const golden::TemporaryFolder folder;
  auto x = kernels::zeros_f32({1, 3});
  kernels::f32(x)[0] = 0.5f, kernels::f32(x)[1] = 1.5f, kernels::f32(x)[2] = -2.0f;
  auto source = kernels::zeros_f32({2});
  kernels::f32(source)[0] = 1.0f, kernels::f32(source)[1] = 3.0f;
  const auto b = kernels::rounded(source, kernels::Dtype::bf16);
  auto n = kernels::empty_i32({2});
  kernels::i32(n)[0] = 1, kernels::i32(n)[1] = -2;
  model::write_safetensors(folder / "m.safetensors", {{"x", x}, {"b", b}, {"n", n}}, {{"step", "3"}});
  // The library's view of these very bytes is checked by make_gguf_golden.py.
  CHECK(model::read_text_file(folder / "m.safetensors") == golden::text("by_ponder.safetensors"));
  const model::SafetensorsFile file(folder / "m.safetensors");
  CHECK(floats(file, "x") == std::vector<float>{0.5f, 1.5f, -2.0f});
  CHECK(floats(file, "b") == std::vector<float>{1.0f, 3.0f});
  CHECK(reinterpret_cast<uintptr_t>(file.find("x")->data) % 8 == 0);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);  // no temporary file is left
  CHECK_THROWS_WITH(model::write_safetensors(folder / "m", {{"x", x}, {"x", x}}), Contains("x is named twice"));
}

TEST_CASE("each kind of damage is one clear error", "[safetensors]") {
  const auto one = [](const std::string& entry, size_t data = 8) { return error_in(with_header("{\"w\":" + entry + "}", data)); };
  const auto entry = [&](const char* dtype, const char* shape, const char* offsets, size_t data = 8) {
    return one(fmt::format("{{\"dtype\":\"{}\",\"shape\":{},\"data_offsets\":{}}}", dtype, shape, offsets), data);
  };
  REQUIRE(entry("F32", "[2]", "[0,8]") == "no error");
  CHECK_THAT(error_in(""), Contains("f: has 0 bytes, too few"));
  CHECK_THAT(error_in("1234567"), Contains("has 7 bytes"));
  CHECK_THAT(error_in(std::string("\x10\0\0\0\0\0\0\0{}", 10)), Contains("the header should have 16 bytes, but the file has 10"));
  CHECK_THAT(error_in(std::string(8, '\xff') + "{}"), Contains("the header should have 18446744073709551615 bytes"));
  CHECK_THAT(error_in(with_header("[]", 0)), Contains("does not start with '{'"));
  CHECK_THAT(error_in(with_header("", 0)), Contains("does not start with '{'"));
  CHECK_THAT(error_in(with_header("{\"a\":", 0)), Contains("the header is not JSON"));
  CHECK_THAT(one("3"), Contains("tensor \"w\": is 3, but a JSON object"));
  CHECK_THAT(entry("F6_E3M2", "[8]", "[0,8]"), Contains("dtype is \"F6_E3M2\", which is not supported"));
  CHECK_THAT(entry("F32", "[-2]", "[0,8]"), Contains("shape: is [-2]"));
  CHECK_THAT(entry("F32", "[2.0]", "[0,8]"), Contains("shape: is [2.0]"));
  CHECK_THAT(entry("F32", "[4294967296,4294967296,4]", "[0,8]"), Contains("too large to be true"));
  CHECK_THAT(entry("F32", "[3]", "[0,8]"), Contains("F32 of shape [3] takes 12 bytes, but data_offsets hold 8"));
  CHECK_THAT(entry("F32", "[2]", "[0,16]"), Contains("data_offsets are [0, 16], but the file has 8 bytes of data"));
  CHECK_THAT(entry("F32", "[2]", "[8,0]"), Contains("data_offsets are [8, 0]"));
  CHECK_THAT(entry("F32", "[2]", "[-8,0]"), Contains("data_offsets: is [-8,0]"));
  CHECK_THAT(entry("F32", "[2]", "[0]"), Contains("data_offsets: is [0]"));
  CHECK_THAT(entry("F32", "[2]", "[0,8]", 12), Contains("the last 4 bytes belong to no tensor"));
  CHECK_THAT(entry("F32", "[2]", "[4,12]", 12), Contains("4 bytes before tensor \"w\" belong to no tensor"));
  const std::string w = "\"w\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}";
  CHECK_THAT(error_in(with_header("{" + w + "," + w + "}", 4)), Contains("the header names \"w\" twice"));
  CHECK_THAT(error_in(with_header("{" + w + ",\"v\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[2,6]}}", 6)),
             Contains("overlaps"));
}

TEST_CASE("a path that cannot be read or written is named", "[safetensors]") {
  CHECK_THAT(error_of([] { model::SafetensorsFile("/no/such.safetensors"); }),
             Contains("/no/such.safetensors: cannot be opened: No such file"));
  CHECK_THAT(error_of([] { model::SafetensorsFile("/tmp"); }), Contains("not a regular file"));
  CHECK_THAT(error_of([] { model::write_file_atomically("/no/such/file", "x"); }), Contains("/no/such/file: cannot be written"));
}
