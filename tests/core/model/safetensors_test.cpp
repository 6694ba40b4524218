#include "core/model/safetensors.h"

#include <optional>
#include <random>

#include <gtest/gtest.h>

#include "tests/support/test_models.h"

namespace ropescope {
namespace {

using namespace ropescope::test;

std::string entry(const std::string& dtype, const std::string& shape, std::int64_t begin,
                  std::int64_t end) {
  return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":[)" +
         std::to_string(begin) + "," + std::to_string(end) + "]}";
}

void refused(const std::string& json, std::int64_t dataBytes, const std::vector<std::string>& parts,
             ErrorCode code = ErrorCode::CorruptFile) {
  SCOPED_TRACE(json.substr(0, 200));
  expectError(parseSafetensorsHeader(json, dataBytes, "m.safetensors"), code, parts);
}

TEST(SafetensorsHeader, IsReadWhenItIsTrue) {
  const auto header = parseSafetensorsHeader(
      R"({"__metadata__":{"format":"pt","n":3},"a":)" + entry("F32", "[2,3]", 0, 24) + R"(,"b":)" +
          entry("BF16", "[4]", 24, 32) + R"(,"none":)" + entry("F16", "[0,7]", 32, 32) +
          R"(,"scalar":)" + entry("F64", "[]", 32, 40) + "}   ",
      40, "m.safetensors");
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_EQ(header->entries.at("a").shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(header->entries.at("b").begin, 24);
  EXPECT_EQ(header->metadata.at("format"), "pt");
  EXPECT_EQ(header->metadata.at("n"), "3");
}

TEST(SafetensorsHeader, LiesAreNamed) {
  refused("", 0, {"m.safetensors", "not a JSON object"});
  refused("[]", 0, {"not a JSON object"});
  refused("{\"a\":", 0, {"not a JSON object"});
  refused(R"({"a":3})", 0, {"'a'", "lacks a proper dtype, shape or data_offsets"});
  refused(R"({"a":{"dtype":"F32","shape":[1]}})", 4, {"'a'", "data_offsets"});
  refused(R"({"a":{"dtype":7,"shape":[1],"data_offsets":[0,4]}})", 4, {"'a'"});
  refused(R"({"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}})", 4, {"'a'"});
  refused(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}})", 8, {"'a'"});
  refused(R"({"a":{"dtype":"F32","shape":"1","data_offsets":[0,4]}})", 4, {"'a'"});
  refused(R"({"__metadata__":[]})", 0, {"__metadata__"});
  // Nested as deep as the stack: must be refused, not printed.
  refused(R"({"__metadata__":{"k":)" + std::string(300'000, '[') + std::string(300'000, ']') + "}}",
          0, {"nested deeper"});
  refused(R"({"a":)" + entry("F32", "[-1]", 0, 4) + "}", 4, {"'a'"});
  refused(R"({"a":)" + entry("F32", "[2]", -8, 0) + "}", 8, {"'a'"});
  refused(R"({"a":)" + entry("F32", "[2]", 8, 0) + "}", 8, {"'a'", "bytes 8 to 0"});
  refused(R"({"a":)" + entry("F32", "[3]", 0, 8) + "}", 8, {"'a'", "[3]", "12 bytes", "8"});
  refused(R"({"a":)" + entry("F32", "[2]", 0, 8) + "}", 4, {"'a'", "0 to 8", "4 bytes of data"});
  refused(R"({"a":)" + entry("F32", "[1]", 0, 4) + "}", 9, {"describes 4 bytes", "9"});
  refused("{}", 5, {"describes 0 bytes", "5"});
}

TEST(SafetensorsHeader, OverlapsAndHolesAreFound) {
  refused(R"({"a":)" + entry("F32", "[2]", 0, 8) + R"(,"b":)" + entry("F32", "[2]", 4, 12) + "}",
          12, {"overlap or leave a hole"});
  refused(R"({"a":)" + entry("F32", "[1]", 0, 4) + R"(,"b":)" + entry("F32", "[1]", 8, 12) + "}",
          12, {"overlap or leave a hole", "data byte 4"});
  refused(R"({"a":)" + entry("F32", "[1]", 4, 8) + "}", 8, {"data byte 0"});
  refused(R"({"a":)" + entry("F32", "[1]", 0, 4) + R"(,"b":)" + entry("F32", "[1]", 0, 4) + "}", 4,
          {"overlap"});
}

TEST(SafetensorsHeader, ImpossibleShapesDoNotOverflow) {
  const std::string huge = "9223372036854775807";
  refused(R"({"a":)" + entry("F32", "[" + huge + "]", 0, 4) + "}", 4, {"impossible shape"});
  refused(R"({"a":)" + entry("F32", "[" + huge + ",2]", 0, 4) + "}", 4, {"impossible shape"});
  refused(R"({"a":)" + entry("F32", "[4294967296,4294967296]", 0, 4) + "}", 4,
          {"impossible shape"});
  // 2^64 values wrap around to 0.
  refused(R"({"a":)" + entry("F32", "[65536,65536,65536,65536]", 0, 0) + "}", 0,
          {"impossible shape"});
  refused(R"({"a":)" + entry("F32", "[18446744073709551615]", 0, 4) + "}", 4, {"'a'"});
  refused(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[18446744073709551612,0]}})", 4,
          {"'a'"});
}

TEST(SafetensorsHeader, OtherTypesAreNamed) {
  for (const char* type : {"I64", "U8", "F8_E4M3", "BOOL", "f32", ""}) {
    refused(R"({"a":)" + entry(type, "[1]", 0, 8) + "}", 8, {"'a'", type, "F32"},
            ErrorCode::Unsupported);
  }
}

// --- whole files --------------------------------------------------------------------------------

std::string fileOf(const std::string& header, const std::string& data) {
  const std::uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), 8) + header + data;
}

TEST(SafetensorsFile, RefusesFilesThatAreCutOrLie) {
  TempDir temp;
  const auto path = temp / "m.safetensors";
  const auto refusedFile = [&](const std::string& bytes, const std::vector<std::string>& parts) {
    writeText(path, bytes);
    expectError(SafetensorsFile::open(path), ErrorCode::CorruptFile, parts);
  };
  refusedFile("", {"m.safetensors", "empty"});
  refusedFile("1234567", {"cut short", "download"});
  refusedFile(std::string(8, '\xFF'), {"header claims 18446744073709551615"});
  const std::uint64_t gigabytes = std::uint64_t{1} << 33;
  refusedFile(std::string(reinterpret_cast<const char*>(&gigabytes), 8) + "{}",
              {"header claims 8589934592", "10"});
  refusedFile(fileOf("{}", "").substr(0, 9), {"header claims 2"});
  const std::string whole = readText(tinyPath() / "model.safetensors");
  for (const std::size_t bytes :
       {std::size_t{9}, std::size_t{100}, whole.size() / 2, whole.size() - 1}) {
    refusedFile(whole.substr(0, bytes), {"m.safetensors", "download the file again"});
  }
  refusedFile(whole + "x", {"describes"});
  expectError(SafetensorsFile::open(temp / "none"), ErrorCode::NotFound, {"none"});
  expectError(SafetensorsFile::open(temp.path()), ErrorCode::CorruptFile, {"safetensors file"});
}

TEST(SafetensorsFile, WritesWhatItReads) {
  TempDir temp;
  OwnedTensors tensors{{"b", float32Tensor({2, 2}, {1, 2, 3, 4})}, {"a", float32Tensor({0}, {})}};
  tensors["c"] = {StoredType::BF16, {3}, std::vector<std::byte>(6, std::byte{0x40})};
  writeTensors(temp / "t.safetensors", tensors);
  const auto again = readTensors(temp / "t.safetensors");
  ASSERT_EQ(again.size(), 3U);
  for (const auto& [name, tensor] : tensors) {
    EXPECT_EQ(again.at(name).shape, tensor.shape);
    EXPECT_EQ(again.at(name).bytes, tensor.bytes);
    EXPECT_EQ(again.at(name).type, tensor.type);
  }
}

TEST(SafetensorsFile, StaysMappedWhileACopyLives) {
  TempDir temp;
  writeTensors(temp / "t.safetensors", {{"a", float32Tensor({2}, {1, 2})}});
  std::optional<SafetensorsFile> copy;
  {
    auto file = SafetensorsFile::open(temp / "t.safetensors");
    ASSERT_TRUE(file);
    copy = *file;
  }
  std::filesystem::remove(temp / "t.safetensors");
  float value = 0;
  std::memcpy(&value, copy->tensors().at("a").bytes.data() + 4, 4);
  EXPECT_EQ(value, 2.0F);
}

// --- fuzz ---------------------------------------------------------------------------------------

const std::vector<std::string>& words() {
  static const std::vector<std::string> list{"\"",
                                             "{",
                                             "}",
                                             "[",
                                             "]",
                                             ",",
                                             ":",
                                             "-1",
                                             "0",
                                             "1e400",
                                             "9223372036854775807",
                                             "18446744073709551616",
                                             "null",
                                             "true",
                                             "\"F32\"",
                                             "\"dtype\"",
                                             "\"shape\"",
                                             "\"data_offsets\"",
                                             "\"__metadata__\"",
                                             "[[]]",
                                             "\\u0000",
                                             "\xFF",
                                             std::string(1, '\0')};
  return list;
}

std::string mutated(std::string text, std::mt19937& random) {
  const int changes = 1 + static_cast<int>(random() % 4);
  for (int i = 0; i < changes && !text.empty(); ++i) {
    const std::size_t at = random() % text.size();
    switch (random() % 5) {
      case 0:
        text[at] = static_cast<char>(random() % 256);
        break;
      case 1:
        text.erase(at, random() % 16 + 1);
        break;
      case 2:
        text.insert(at, words()[random() % words().size()]);
        break;
      case 3:
        text.insert(at, text.substr(random() % text.size(), random() % 40));
        break;
      default:
        if (text[at] >= '0' && text[at] <= '9') text[at] = static_cast<char>('0' + random() % 10);
    }
  }
  return text;
}

// A header that is accepted must describe the data truly; nothing may crash.
TEST(SafetensorsHeader, SurvivesMutations) {
  const std::string valid = R"({"__metadata__":{"format":"pt"},"a.weight":)" +
                            entry("F32", "[2,3]", 0, 24) + R"(,"b.weight":)" +
                            entry("BF16", "[4,1]", 24, 32) + R"(,"c":)" +
                            entry("F64", "[2]", 32, 48) + "}";
  ASSERT_TRUE(parseSafetensorsHeader(valid, 48, "fuzz"));
  std::mt19937 random(20260);
  int accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    const auto header = parseSafetensorsHeader(mutated(valid, random), 48, "fuzz");
    if (!header) {
      EXPECT_FALSE(header.error().message.empty());
      continue;
    }
    ++accepted;
    std::int64_t total = 0;
    for (const auto& [name, e] : header->entries) {
      EXPECT_TRUE(0 <= e.begin && e.begin <= e.end && e.end <= 48) << name;
      std::int64_t values = 1;
      for (const std::int64_t size : e.shape) values *= size;
      EXPECT_EQ(values * bytesPerValue(e.type), e.end - e.begin) << name;
      total += e.end - e.begin;
    }
    EXPECT_EQ(total, 48);
  }
  EXPECT_GT(accepted, 100);  // names and metadata may change
  EXPECT_LT(accepted, 10000);
}

TEST(SafetensorsFile, SurvivesMutationsOfAWholeFile) {
  TempDir temp;
  const auto path = temp / "fuzz.safetensors";
  const std::string valid =
      fileOf(R"({"a":)" + entry("F32", "[2]", 0, 8) + "}", std::string(8, 'x'));
  std::mt19937 random(31);
  for (int i = 0; i < 1000; ++i) {
    writeText(path, mutated(valid, random));
    const auto file = SafetensorsFile::open(path);
    if (!file) continue;
    unsigned sum = 0;  // every byte can be touched
    for (const auto& [name, tensor] : file->tensors()) {
      for (const std::byte byte : tensor.bytes) sum += std::to_integer<unsigned>(byte);
    }
    EXPECT_LE(sum, 255U * 64U);
  }
}

}  // namespace
}  // namespace ropescope
