// Results on disk: what survives, what is refused.
#include "core/eval/result_log.h"

#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/test_models.h"

namespace ropescope::test {
namespace {

using testing::HasSubstr;

const ResultJson kSettings = {{"command", "passkey"},
                              {"model", {{"hash", "abc"}, {"path", "m"}}},
                              {"lengths", {256, 512}},
                              {"threshold", 0.2}};

std::filesystem::path logPath(const TempDir& folder) {
  return folder / "log.jsonl";
}

ResultLog openLog(const std::filesystem::path& path, LogStart start,
                  const ResultJson& settings = kSettings) {
  auto log = ResultLog::open(path, settings, start);
  if (!log) {
    ADD_FAILURE() << log.error().message;
    std::abort();
  }
  return *std::move(log);
}

void appendTo(ResultLog& log, const ResultJson& record) {
  const Status written = log.append(record);
  ASSERT_TRUE(written) << written.error().message;
}

void writeOneRecord(const std::filesystem::path& path) {
  auto log = openLog(path, LogStart::Fresh);
  appendTo(log, {{"a", 1}});
}

TEST(ResultLog, HasOneLineForTheSettingsAndOneForEachRecord) {
  const TempDir folder;
  {
    auto log = openLog(logPath(folder), LogStart::Fresh);
    appendTo(log, {{"found", 3}, {"text", "two\nlines"}});
    appendTo(log, {{"found", 0.1}});
  }
  EXPECT_EQ(readText(logPath(folder)),
            "{\"ropescope_results\":1,\"settings\":{\"command\":\"passkey\",\"model\":{\"hash\":"
            "\"abc\",\"path\":\"m\"},\"lengths\":[256,512],\"threshold\":0.2}}\n"
            "{\"found\":3,\"text\":\"two\\nlines\"}\n{\"found\":0.1}\n");
  auto again = openLog(logPath(folder), LogStart::Resume);
  ASSERT_EQ(again.records().size(), 2U);
  EXPECT_EQ(again.records()[0]["text"], "two\nlines");
  EXPECT_EQ(again.records()[1]["found"], 0.1);
  EXPECT_EQ(again.notice(), "");
}

TEST(ResultLog, IsNotOverwrittenWithoutResume) {
  const TempDir folder;
  writeOneRecord(logPath(folder));
  const std::string before = readText(logPath(folder));
  expectError(ResultLog::open(logPath(folder), kSettings, LogStart::Fresh),
              ErrorCode::InvalidArgument, {"log.jsonl", "1 results", "--resume"});
  EXPECT_EQ(readText(logPath(folder)), before);
}

TEST(ResultLog, StartsAnewWhereThereIsNothingToResume) {
  const TempDir folder;
  {
    auto log = openLog(logPath(folder), LogStart::Resume);
    EXPECT_TRUE(log.records().empty());
    appendTo(log, {{"a", 1}});
  }
  EXPECT_EQ(openLog(logPath(folder), LogStart::Resume).records().size(), 1U);
}

TEST(ResultLog, LeavesOutATornLastLineWithANoticeAndGoesOnBehindTheWholeOnes) {
  const TempDir folder;
  {
    auto log = openLog(logPath(folder), LogStart::Fresh);
    appendTo(log, {{"cell", 1}});
    appendTo(log, {{"cell", 2}});
  }
  const std::string whole = readText(logPath(folder));
  const std::size_t lastLine = whole.rfind("{\"cell\":2}");
  // Cut at every byte of the last line: after its line end nothing is torn.
  for (std::size_t cut = lastLine; cut < whole.size(); ++cut) {
    writeText(logPath(folder), whole.substr(0, cut));
    {
      auto log = openLog(logPath(folder), LogStart::Resume);
      ASSERT_EQ(log.records().size(), 1U) << cut;
      EXPECT_EQ(log.notice().find("line 3 was cut off") != std::string::npos, cut > lastLine);
      appendTo(log, {{"cell", 2}});
    }
    EXPECT_EQ(readText(logPath(folder)), whole) << cut;
  }
}

TEST(ResultLog, TakesATailOfZeroBytesForATornLine) {  // what a power cut may leave
  const TempDir folder;
  writeOneRecord(logPath(folder));
  const std::string whole = readText(logPath(folder));
  writeText(logPath(folder), whole + std::string(40, '\0'));
  auto log = openLog(logPath(folder), LogStart::Resume);
  EXPECT_EQ(log.records().size(), 1U);
  EXPECT_THAT(log.notice(), HasSubstr("line 3"));
}

TEST(ResultLog, BeginsAgainWhenEvenTheSettingsWereTorn) {
  const TempDir folder;
  writeText(logPath(folder), "{\"ropescope_res");
  auto log = openLog(logPath(folder), LogStart::Fresh);
  EXPECT_THAT(log.notice(), HasSubstr("line 1"));
  EXPECT_THAT(readText(logPath(folder)), HasSubstr("passkey"));
}

TEST(ResultLog, RefusesABrokenLineInTheMiddleAndForeignFiles) {
  const TempDir folder;
  writeOneRecord(logPath(folder));
  const std::string whole = readText(logPath(folder));
  writeText(logPath(folder), whole + "{\"a\":\n{\"a\":3}\n");
  expectError(ResultLog::open(logPath(folder), kSettings, LogStart::Resume), ErrorCode::CorruptFile,
              {"line 3"});
  writeText(logPath(folder), "{\"results\": []}\n{}\n");
  expectError(ResultLog::open(logPath(folder), kSettings, LogStart::Resume), ErrorCode::CorruptFile,
              {"log.jsonl", "ropescope_results"});
  EXPECT_EQ(readText(logPath(folder)), "{\"results\": []}\n{}\n");
  expectError(ResultLog::open(folder.path(), kSettings, LogStart::Fresh),
              ErrorCode::InvalidArgument, {"regular file"});
  expectError(ResultLog::open(folder / "none" / "log.jsonl", kSettings, LogStart::Fresh),
              ErrorCode::Device, {"cannot be written"});
}

TEST(ResultLog, NamesWhatDiffersWithBothValues) {
  const TempDir folder;
  { openLog(logPath(folder), LogStart::Fresh); }
  const std::string before = readText(logPath(folder));
  ResultJson other = kSettings;
  other["model"]["hash"] = "def";
  expectError(ResultLog::open(logPath(folder), other, LogStart::Resume), ErrorCode::InvalidArgument,
              {"'model.hash'", "\"abc\"", "\"def\"", "another file"});
  other = kSettings;
  other["lengths"] = {256, 1024};
  other["seed"] = 7;
  expectError(ResultLog::open(logPath(folder), other, LogStart::Resume), ErrorCode::InvalidArgument,
              {"'lengths' [256,512]", "[256,1024]", "'seed' nothing", "7"});
  EXPECT_EQ(readText(logPath(folder)), before);
}

TEST(ResultLog, ReadsBackTheSameSettingsWhateverTheirNumbersAndBytes) {
  const TempDir folder;
  const ResultJson odd = {{"tenth", 0.1},
                          {"large", std::uint64_t{1} << 63U},
                          {"bytes", "caf\xE9"},
                          {"empty", ResultJson::object()},
                          {"list", ResultJson::array({{{"b", 1}, {"a", 2}}})},
                          {"none", nullptr}};
  { openLog(logPath(folder), LogStart::Fresh, odd); }
  const auto again = ResultLog::open(logPath(folder), odd, LogStart::Resume);
  EXPECT_TRUE(again) << again.error().message;
}

TEST(ResultLog, IsWrittenByOneProgramAtATime) {
  const TempDir folder;
  const auto log = openLog(logPath(folder), LogStart::Fresh);
  expectError(ResultLog::open(logPath(folder), kSettings, LogStart::Resume),
              ErrorCode::InvalidArgument, {"another program"});
}

TEST(ResultLog, KeepsEveryRecordOfAKilledProgram) {
  const TempDir folder;
  int done[2];
  ASSERT_EQ(::pipe(done), 0);
  const pid_t child = ::fork();
  if (child == 0) {  // writes records and says so until it is killed
    auto log = ResultLog::open(logPath(folder), kSettings, LogStart::Fresh);
    for (int i = 0; log && log->append({{"cell", i}}); ++i) {
      const char byte = 0;
      if (::write(done[1], &byte, 1) != 1) break;
    }
    ::_exit(1);
  }
  constexpr int kRecords = 5;
  char bytes[kRecords];
  for (int got = 0; got < kRecords;) {
    const ssize_t read = ::read(done[0], bytes, static_cast<std::size_t>(kRecords - got));
    ASSERT_GT(read, 0);
    got += static_cast<int>(read);
  }
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  ::close(done[0]);
  ::close(done[1]);
  const auto log = openLog(logPath(folder), LogStart::Resume);
  ASSERT_GE(log.records().size(), static_cast<std::size_t>(kRecords));
  for (std::size_t i = 0; i < log.records().size(); ++i) EXPECT_EQ(log.records()[i]["cell"], i);
}

TEST(ResultLog, IsAsItWasWhenARecordDoesNotFit) {
  const TempDir folder;
  auto log = openLog(logPath(folder), LogStart::Fresh);
  appendTo(log, {{"cell", 1}});
  const std::string before = readText(logPath(folder));
  // Files may grow by 20 bytes only, which stands for a full disk: half of the line is written.
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  const rlimit tight{before.size() + 20, old.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
  const Status full = log.append({{"text", std::string(1000, 'x')}});
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  expectError(full, ErrorCode::Device, {"log.jsonl", "cannot be written"});
  EXPECT_EQ(readText(logPath(folder)), before);
  appendTo(log, {{"cell", 2}});
  EXPECT_EQ(readText(logPath(folder)), before + "{\"cell\":2}\n");
}

TEST(ResultLog, ReadsWithoutWriting) {
  const TempDir folder;
  writeOneRecord(logPath(folder));
  writeText(logPath(folder), readText(logPath(folder)) + "{\"a\"");
  const std::string before = readText(logPath(folder));
  const auto content = readResultLog(logPath(folder));
  ASSERT_TRUE(content) << content.error().message;
  EXPECT_EQ(content->settings, kSettings);
  EXPECT_EQ(content->records.size(), 1U);
  EXPECT_NE(content->notice, "");
  EXPECT_EQ(readText(logPath(folder)), before);
  expectError(readResultLog(folder / "none.jsonl"), ErrorCode::NotFound, {"none.jsonl"});
}

}  // namespace
}  // namespace ropescope::test
