#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file_io.h"
#include "core/base/memory_size.h"
#include "core/base/progress.h"
#include "core/base/sha256.h"
#include "tests/support/test_models.h"

namespace ropescope {
namespace {

using namespace ropescope::test;

std::int64_t filesIn(const std::filesystem::path& folder) {
  return std::distance(std::filesystem::directory_iterator(folder), {});
}

std::string sha256(std::string_view text) {
  Sha256 hash;
  hash.add(text);
  return hash.hex();
}

// FIPS 180-4 examples (NIST's SHA256.pdf and SHA2_Additional.pdf).
TEST(Sha256, GivesThePublishedDigests) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  EXPECT_EQ(sha256("\xbd"), "68325720aabd7c82f30f554b313d0570c95accbb7dc4b5aae11204c08ffe732b");
  EXPECT_EQ(sha256(std::string(55, '\0')),
            "02779466cdec163811d078815c633f21901413081449002f24aa3e80f0b88ef7");
  EXPECT_EQ(sha256(std::string(56, '\0')),
            "d4817aa5497628e7c77e6b606107042bbba3130888c5f47a375e6179be789fbb");
  EXPECT_EQ(sha256(std::string(64, '\0')),
            "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b");
}

TEST(Sha256, DoesNotDependOnThePieces) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += static_cast<char>(i * 7);
  for (const std::size_t step : {1U, 3U, 63U, 64U, 65U, 200U}) {
    Sha256 hash;
    for (std::size_t at = 0; at < text.size(); at += step) hash.add(text.substr(at, step));
    EXPECT_EQ(hash.hex(), sha256(text)) << step;
  }
}

TEST(MemorySize, SpeaksForPeople) {
  EXPECT_EQ(bytesText(0), "0 B");
  EXPECT_EQ(bytesText(512), "512 B");
  EXPECT_EQ(bytesText(std::int64_t{3} << 29), "1.50 GiB");
  EXPECT_EQ(bytesText(22 << 20), "22.0 MiB");
  EXPECT_EQ(countText(0), "0");
  EXPECT_EQ(countText(999), "999");
  EXPECT_EQ(countText(1000), "1,000");
  EXPECT_EQ(countText(65536), "65,536");
  EXPECT_EQ(countText(-1234567), "-1,234,567");
  EXPECT_GT(peakResidentBytes(), 1 << 20);
}

TEST(JobControl, IsSilentWhenEmpty) {
  const JobControl job;
  EXPECT_FALSE(job.stopRequested());
  job.report({"stage", 1, 2});
  job.step();
}

// --- files --------------------------------------------------------------------------------------

TEST(FileIo, WritesAndReadsAnyBytes) {
  TempDir temp;
  const std::string bytes("a\0\xFF\n", 4);
  ASSERT_TRUE(writeFileAtomically(temp / "f", bytes));
  const auto read = readFile(temp / "f");
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, bytes);
  ASSERT_TRUE(writeFileAtomically(temp / "f", ""));
  EXPECT_EQ(*readFile(temp / "f"), "");
  EXPECT_EQ(filesIn(temp.path()), 1);  // no partial file beside it
}

TEST(FileIo, SaysWhatCannotBeRead) {
  TempDir temp;
  expectError(readFile(temp / "none"), ErrorCode::NotFound, {"none", "No such file"});
  expectError(readFile(temp.path()), ErrorCode::InvalidArgument, {"is a folder"});
}

TEST(FileIo, SaysWhatCannotBeWritten) {
  TempDir temp;
  expectError(writeFileAtomically(temp / "no" / "f", "x"), ErrorCode::Device,
              {"cannot be written", "No such file", "folder"});
}

TEST(FileIo, AFullDeviceIsAClearError) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full on this machine";
  expectError(writeFileAtomically("/dev/full", "some text"), ErrorCode::Device,
              {"/dev/full", "No space left", "free some space"});
}

// A disk of 64 KiB, mounted for the test; needs root with the right to mount.
TEST(FileIo, AFullDiskLeavesTheOldFile) {
  TempDir temp;
  const auto disk = temp / "disk";
  std::filesystem::create_directory(disk);
  if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=64k") != 0) {
    GTEST_SKIP() << "a tiny disk cannot be mounted here (" << std::strerror(errno)
                 << "); only /dev/full was tried";
  }
  const Status first = writeFileAtomically(disk / "result.json", "old content");
  const Status second = writeFileAtomically(disk / "result.json", std::string(200'000, 'x'));
  const std::string kept = readText(disk / "result.json");
  const auto files = filesIn(disk);
  ::umount(disk.c_str());
  EXPECT_TRUE(first);
  expectError(second, ErrorCode::Device, {"result.json", "No space left", "old file is untouched"});
  EXPECT_EQ(kept, "old content");
  EXPECT_EQ(files, 1);
}

TEST(FileIo, AFailedWriteTouchesNothing) {
  TempDir temp;
  std::filesystem::create_directory(temp / "folder");
  writeText(temp / "folder" / "inside", "x");
  expectError(writeFileAtomically(temp / "folder", "text"), ErrorCode::Device, {"folder"});
  EXPECT_EQ(filesIn(temp.path()), 1);
  EXPECT_EQ(readText(temp / "folder" / "inside"), "x");
}

TEST(FileIo, ALinkStaysALink) {
  TempDir temp;
  writeText(temp / "real", "old");
  std::filesystem::create_symlink("real", temp / "link");
  ASSERT_TRUE(writeFileAtomically(temp / "link", "new"));
  EXPECT_TRUE(std::filesystem::is_symlink(temp / "link"));
  EXPECT_EQ(readText(temp / "real"), "new");
}

TEST(FileIo, AReaderNeverSeesHalfAFile) {
  TempDir temp;
  const auto path = temp / "f";
  ASSERT_TRUE(writeFileAtomically(path, std::string(100'000, 'a')));
  std::ifstream reader(path, std::ios::binary);  // opened before, reads after
  ASSERT_TRUE(writeFileAtomically(path, std::string(10, 'b')));
  const std::string seen((std::istreambuf_iterator<char>(reader)),
                         std::istreambuf_iterator<char>());
  EXPECT_EQ(seen, std::string(100'000, 'a'));
  EXPECT_EQ(readText(path), std::string(10, 'b'));
}

TEST(FileIo, WritesToPipesAndDevices) {
  EXPECT_TRUE(writeFileAtomically("/dev/null", "text"));
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

}  // namespace
}  // namespace ropescope
