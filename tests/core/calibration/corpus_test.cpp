// Windows in an order that the seed alone fixes.
#include "core/calibration/corpus.h"

#include <set>

#include <gtest/gtest.h>

#include "tests/support/test_models.h"

namespace ropescope::calibration {
namespace {

using test::expectError;
using test::TempDir;
using test::writeText;

class CorpusTest : public testing::Test {
 protected:
  // Ids 3, 4, 5 … so that a window tells where it was cut.
  std::filesystem::path idsFile(const std::string& name, int first, int count) {
    std::string text = "[";
    for (int i = 0; i < count; ++i) text += (i ? "," : "") + std::to_string(first + i);
    writeText(m_temp / name, text + "]");
    return m_temp / name;
  }
  Result<Corpus> open(std::vector<std::filesystem::path> files, std::int64_t window,
                      std::uint64_t seed = 1) {
    return Corpus::open({.files = std::move(files),
                         .tokenizer = nullptr,
                         .vocabularySize = 2000,
                         .windowTokens = window,
                         .seed = seed,
                         .log = [this](LogLevel, const std::string& text) { m_said += text; }});
  }
  TempDir m_temp;
  std::string m_said;
};

TEST_F(CorpusTest, TargetsAreTheNextTokens) {
  auto corpus = open({idsFile("a.json", 3, 500)}, 16);
  ASSERT_TRUE(corpus) << corpus.error().message;
  for (std::uint64_t index = 0; index < 50; ++index) {
    const auto window = corpus->window(index);
    ASSERT_TRUE(window) << window.error().message;
    ASSERT_EQ(window->inputs.size(), 16U);
    ASSERT_EQ(window->targets.size(), 16U);
    for (std::size_t i = 0; i < 16; ++i) EXPECT_EQ(window->targets[i], window->inputs[i] + 1);
  }
}

TEST_F(CorpusTest, TextWindowsBeginWithBosAndFollowTheText) {
  const auto engine = test::loadEngine(test::storiesPath());
  const auto tokenizer = *engine->tokenizer();
  const auto text = test::testsDir() / "golden" / "inputs" / "excerpt.txt";
  auto corpus = Corpus::open({.files = {text},
                              .tokenizer = tokenizer,
                              .vocabularySize = engine->config().vocabularySize,
                              .windowTokens = 32,
                              .seed = 3,
                              .log = {}});
  ASSERT_TRUE(corpus) << corpus.error().message;
  const auto all = tokenizer->encode(test::readText(text)).ids;
  const auto window = corpus->window(5);
  ASSERT_TRUE(window);
  EXPECT_EQ(window->inputs.front(), tokenizer->bos());
  const auto found =
      std::search(all.begin(), all.end(), window->targets.begin(), window->targets.end());
  EXPECT_NE(found, all.end());
  EXPECT_TRUE(
      std::equal(window->inputs.begin() + 1, window->inputs.end(), window->targets.begin()));
}

TEST_F(CorpusTest, TheOrderIsTheSeedsWhateverWasDrawnBefore) {
  const std::vector<std::filesystem::path> files{idsFile("a.json", 3, 300),
                                                 idsFile("b.json", 1003, 300)};
  auto whole = open(files, 8);
  auto later = open(files, 8);
  auto other = open(files, 8, 2);
  ASSERT_TRUE(whole && later && other);
  std::set<std::int32_t> starts;
  int different = 0;
  std::vector<std::vector<std::int32_t>> drawn;
  for (std::uint64_t i = 0; i < 40; ++i) drawn.push_back(whole->window(i)->inputs);
  for (std::uint64_t i = 20; i < 40; ++i) {
    EXPECT_EQ(later->window(i)->inputs, drawn[i]) << "a resumed run sees window " << i;
    different += other->window(i)->inputs != drawn[i];
  }
  for (const auto& window : drawn) starts.insert(window.front());
  EXPECT_GT(starts.size(), 30U);
  EXPECT_GT(different, 15);
  EXPECT_LT(*starts.begin(), 1000) << "both files are drawn from";
  EXPECT_GT(*starts.rbegin(), 1000);
}

// A resumed run on a corrected book of the same length is another run.
TEST_F(CorpusTest, TheFingerprintIsThatOfTheContents) {
  const auto file = idsFile("a.json", 3, 300);
  const auto fingerprint = [&] {
    auto corpus = open({file}, 8);
    EXPECT_TRUE(corpus);
    return corpus->fingerprint();
  };
  const auto before = fingerprint();
  EXPECT_EQ(fingerprint(), before);
  std::string text = test::readText(file);
  text[text.find('3')] = '4';
  writeText(file, text);
  EXPECT_NE(fingerprint(), before);
}

TEST_F(CorpusTest, AFileWithoutAWindowIsLeftOutAloud) {
  const auto longFile = idsFile("long.json", 3, 300);
  writeText(m_temp / "short.json", "[" + std::string(2000, ' ') + "1,2,3]");
  auto corpus = open({m_temp / "short.json", longFile}, 64);
  ASSERT_TRUE(corpus) << corpus.error().message;
  for (std::uint64_t i = 0; i < 20; ++i) ASSERT_TRUE(corpus->window(i));
  EXPECT_NE(m_said.find("short.json has 3 tokens"), std::string::npos) << m_said;
}

TEST_F(CorpusTest, AFolderStandsForItsTextsInTheOrderOfTheirNames) {
  const auto folder = m_temp / "books";
  std::filesystem::create_directories(folder / "deeper");
  for (const char* name : {"b.txt", "a-2.txt", "a.txt", "notes.md"}) writeText(folder / name, "x");
  const auto files = corpusFiles({m_temp / "first.txt", folder});
  ASSERT_TRUE(files) << files.error().message;
  EXPECT_EQ(*files, (std::vector<std::filesystem::path>{m_temp / "first.txt", folder / "a-2.txt",
                                                        folder / "a.txt", folder / "b.txt"}));
  expectError(corpusFiles({folder / "deeper"}), ErrorCode::InvalidArgument,
              {"deeper", "folder without texts"});
}

TEST_F(CorpusTest, SaysWhatItCannotUse) {
  const auto ids = idsFile("ids.json", 3, 20);
  expectError(open({ids}, 4096), ErrorCode::InvalidArgument, {"too few for one window", "4,096"});
  expectError(open({m_temp / "none.txt"}, 8), ErrorCode::NotFound, {"none.txt"});
  expectError(open({}, 8), ErrorCode::InvalidArgument, {"no corpus"});
  writeText(m_temp / "a.txt", std::string(100, 'a'));
  expectError(open({m_temp / "a.txt"}, 8), ErrorCode::InvalidArgument, {"no tokenizer"});
  auto outside = open({idsFile("far.json", 1990, 20)}, 8);
  ASSERT_TRUE(outside);
  expectError(outside->window(0), ErrorCode::InvalidArgument, {"far.json", "0 to 1999"});
  auto few = open({idsFile("few.json", 100, 20)}, 40);
  ASSERT_TRUE(few) << few.error().message;
  expectError(few->window(0), ErrorCode::InvalidArgument, {"no text", "40"});
}

}  // namespace
}  // namespace ropescope::calibration
