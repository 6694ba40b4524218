// sweep: measured cell by cell, resumed after a kill, told as a report.
#include <algorithm>
#include <csignal>
#include <set>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/app/cli_process.h"

namespace ropescope::cli_tests {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kSettings = R"({
  "settings": [{"methods": ["none"]}, {"methods": ["pi", "yarn"], "factors": [2, 4]}],
  "books": ["a.txt", "b.txt"],
  "perplexity": {"lengths": [64, 128, 256]}
})";

class Sweep : public testing::Test {
 protected:
  Sweep() {
    const std::string text = fileText(sample());
    writeText(file("a.txt"), text.substr(0, 2000));
    writeText(file("b.txt"), text.substr(2000, 1500));
    writeText(file("sweep.json"), kSettings);
  }
  fs::path file(const std::string& name) const { return folder.path() / name; }
  std::vector<std::string> call(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {
        "sweep", file("sweep.json").string(), "--model",   stories().string(),
        "--out", file("out.jsonl").string(),  "--threads", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  // Keys of the records; fails the test when one stands twice.
  std::set<std::string> keys() const {
    std::set<std::string> found;
    std::istringstream lines(fileText(file("out.jsonl")));
    std::string line;
    std::getline(lines, line);  // what the records have in common
    while (std::getline(lines, line)) {
      const Json record = Json::parse(line, nullptr, false);
      if (record.is_discarded()) continue;  // torn by the kill
      EXPECT_TRUE(found.insert(record.at("key").dump()).second) << line;
    }
    return found;
  }
  TempDir folder;
};

constexpr std::size_t kCells = 5 * 3 * 2;  // settings, lengths, books

TEST_F(Sweep, MeasuresEveryCellOnceAndSaysSo) {
  const Json first = result(call());
  EXPECT_EQ(first.at("cells"), kCells);
  EXPECT_EQ(first.at("measured"), kCells);
  EXPECT_EQ(first.at("missing"), 0);
  EXPECT_EQ(keys().size(), kCells);
  const std::string before = fileText(file("out.jsonl"));
  const Json second = result(call());
  EXPECT_EQ(second.at("measured"), 0);
  EXPECT_EQ(fileText(file("out.jsonl")), before);
}

// Killed as soon as the file holds three cells: no signal can be caught, nothing can be tidied up.
TEST_F(Sweep, SurvivesAKill) {
  std::vector<std::string> arguments = call();
  const std::string name = program().string();
  std::vector<char*> words{const_cast<char*>(name.c_str())};
  for (auto& argument : arguments) words.push_back(argument.data());
  words.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    const int null = ::open("/dev/null", O_WRONLY);
    ::dup2(null, 1);
    ::dup2(null, 2);
    ::execv(words[0], words.data());
    ::_exit(127);
  }
  std::error_code ignored;
  int ended = 0;
  while (::waitpid(child, &ended, WNOHANG) == 0) {
    const auto text = fs::exists(file("out.jsonl"), ignored) ? fileText(file("out.jsonl")) : "";
    if (std::count(text.begin(), text.end(), '\n') >= 4) break;
    std::this_thread::yield();
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, &ended, 0);
  const auto kept = keys();
  EXPECT_GE(kept.size(), 3U);
  const Json json = result(call());
  EXPECT_EQ(json.at("cells"), kCells);
  EXPECT_EQ(json.at("measured").get<std::size_t>() + kept.size(), kCells);
  EXPECT_EQ(keys().size(), kCells);
}

TEST_F(Sweep, BooksCanLieElsewhereOrBeGivenByName) {
  const auto other = file("books");
  fs::create_directory(other);
  for (const char* name : {"a.txt", "b.txt"}) fs::rename(file(name), other / name);
  const Outcome lost = run(call());
  EXPECT_EQ(lost.status, 1);
  EXPECT_THAT(lost.err, HasSubstr("a.txt"));
  EXPECT_EQ(result(call({"--books", other.string()})).at("measured"), kCells);
  // The same texts: nothing is new.
  EXPECT_EQ(result(call({"--document", (other / "a.txt").string(), (other / "b.txt").string()}))
                .at("measured"),
            0);
}

TEST_F(Sweep, StopsWhenItsMinutesAreOver) {
  const Json json = result(call({"--max-minutes", "0.000001"}));
  EXPECT_LT(json.at("measured"), kCells);
  EXPECT_GT(json.at("missing"), 0);
  EXPECT_THAT(json.at("notices").dump(), HasSubstr("the same call goes on"));
}

TEST_F(Sweep, SettingsThatWaitForACalibrationAreNamed) {
  writeText(file("sweep.json"), R"({"settings": [{"methods": ["pi"], "factors": [2],
      "variants": ["untrained", "psc"], "calibration": "{method}-{factor}x-{variant}.safetensors"}],
      "books": ["a.txt"], "perplexity": {"lengths": [64]}})");
  const Json json = result(call());
  EXPECT_EQ(json.at("measured"), 1);
  ASSERT_EQ(json.at("waiting").size(), 1U);
  EXPECT_EQ(json.at("waiting").at(0).at("setting"),
            "pi:factor=2,calibration=pi-2x-psc.safetensors");
}

TEST_F(Sweep, RefusesInOneSentence) {
  const auto refused = [&](const std::vector<std::string>& arguments, int status,
                           const std::string& part) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, status);
    EXPECT_THAT(outcome.err, HasSubstr(part));
    EXPECT_THAT(outcome.err, Not(HasSubstr("unexpected")));
  };
  refused({"sweep"}, 2, "needs --settings or --report");
  refused(call({"--report", "x.jsonl"}), 2, "not both");
  refused(call({"--compare", "psc/lora"}), 1, "--compare belongs to --report");
  refused({"sweep", "--report", "x.jsonl", "--books", "."}, 1, "--books is of no use");
  refused({"sweep", "--report", "x.jsonl", "--compare", "psc"}, 2, "CANDIDATE/BASELINE");
  refused(call({"--dtype", "float64", "--max-minutes", "x"}), 2, "--max-minutes");
  writeText(file("sweep.json"), R"({"settings": [{"methods": ["none"]}], "lenghts": [64]})");
  refused(call(), 1, "unknown key 'lenghts'; the known ones are settings, books, perplexity");
}

TEST_F(Sweep, ResultsOfAnotherDtypeAreNotMixedIn) {
  result(call());
  const Outcome other = run(call({"--dtype", "float64"}));
  EXPECT_EQ(other.status, 1);
  EXPECT_THAT(other.err, HasSubstr("'dtype' \"float32\" where this call has \"float64\""));
  EXPECT_EQ(keys().size(), kCells);
}

TEST_F(Sweep, TellsItsResultsAsAReport) {
  result(call());
  const Outcome shown = run({"sweep", "--report", file("out.jsonl").string()});
  EXPECT_EQ(shown.status, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("## Perplexity by length"));
  EXPECT_THAT(shown.out, HasSubstr("| `yarn:factor=4` | untrained |"));
  const Outcome written = run({"sweep", "--report", file("out.jsonl").string(), "--compare",
                               "psc/lora", "--out", file("R.md").string()});
  EXPECT_EQ(written.status, 0) << written.err;
  EXPECT_THAT(written.err, HasSubstr("no result has the variant psc"));
  EXPECT_THAT(fileText(file("R.md")),
              HasSubstr("ropescope-cli sweep --report out.jsonl --compare 'psc/lora' --out R.md"));
  EXPECT_THAT(fileText(file("R.md")), Not(HasSubstr(folder.path().string())));
}

}  // namespace
}  // namespace ropescope::cli_tests
