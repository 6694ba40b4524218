// What candidates are scored on, and that the score is the model's loss there; stories260K.
#include "core/calibration/longrope_samples.h"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "core/calibration/longrope_judge.h"
#include "tests/support/test_models.h"

namespace ropescope::calibration {
namespace {

using namespace ropescope::test;

constexpr double kSameSum = 1e-12;  // the same double losses, added in another order

class LongropeSamples : public testing::Test {
 protected:
  LongropeSamples() : engine(loadEngine(storiesPath())) {
    const std::string text = readText(testsDir() / "golden" / "inputs" / "excerpt.txt");
    // Books must differ, or nothing would show which one a sample is from.
    for (int book = 0; book < 3; ++book) {
      const auto path = temp / ("book" + std::to_string(book) + ".txt");
      writeText(path, text.substr(static_cast<std::size_t>(book) * 500));
      files.push_back(path);
    }
  }
  SampleConfig config(std::int64_t count, std::int64_t length) const {
    return {.files = files, .count = count, .length = length, .seed = 5};
  }
  rope::RopeContext context(std::int64_t planned) const {
    auto plan = engine->plan({.id = "none", .values = {}, .factor = {}}, planned);
    EXPECT_TRUE(plan) << plan.error().message;
    plan->context.factor = 2.0;
    return plan->context;
  }
  std::int32_t bos() const { return (*engine->tokenizer())->bos(); }
  std::string textOf(std::span<const std::int32_t> ids) const {
    std::string text;
    for (const std::int32_t id : ids) text += (*engine->tokenizer())->bytes(id);
    return text;
  }

  TempDir temp;
  EnginePtr engine;
  std::vector<std::filesystem::path> files;
};

TEST_F(LongropeSamples, AreWindowsOfTheBooksTheyName) {
  const auto samples = perplexitySamples(*engine, config(7, 128));
  ASSERT_TRUE(samples) << samples.error().message;
  ASSERT_EQ(samples->size(), 7U);
  std::map<std::string, int> perBook;
  for (const SearchSample& sample : *samples) {
    ++perBook[sample.book];
    ASSERT_EQ(sample.ids.size(), 128U);
    EXPECT_EQ(sample.ids.front(), bos());
    EXPECT_EQ(sample.firstScored, 1);
    const auto book = readSearchBook(*engine, temp / sample.book);
    ASSERT_TRUE(book) << book.error().message;
    for (std::size_t i = 1; i < sample.ids.size(); ++i) {
      ASSERT_EQ(sample.ids[i], book->ids[static_cast<std::size_t>(sample.begin) + i - 1]);
    }
  }
  // 7 = 3 + 3 + 1: no book is left out or taken twice as often.
  ASSERT_EQ(perBook.size(), 3U);
  for (const auto& [book, count] : perBook) EXPECT_GE(count, 2) << book;
}

TEST_F(LongropeSamples, DependOnTheSeedAlone) {
  const auto once = perplexitySamples(*engine, config(5, 128));
  const auto again = perplexitySamples(*engine, config(5, 128));
  SampleConfig changed = config(5, 128);
  changed.seed = 6;
  const auto other = perplexitySamples(*engine, changed);
  ASSERT_TRUE(once && again && other);
  bool differs = false;
  for (std::size_t i = 0; i < once->size(); ++i) {
    EXPECT_EQ((*once)[i].ids, (*again)[i].ids);
    differs = differs || (*once)[i].ids != (*other)[i].ids;
  }
  EXPECT_TRUE(differs);
}

TEST_F(LongropeSamples, TheScoreIsTheMeanLossOfTheScoredTokens) {
  const rope::RopeContext stretched = context(600);
  Candidate candidate{.factors = {1.0, 1.2, 1.9, 2.1}, .unscaledTokens = 4};
  for (const auto positions : {ScoredPositions::All, ScoredPositions::SecondHalf}) {
    SampleConfig wanted = config(2, 600);
    wanted.positions = positions;
    const auto samples = perplexitySamples(*engine, wanted);
    ASSERT_TRUE(samples) << samples.error().message;
    double sum = 0.0;
    int scored = 0;
    for (const SearchSample& sample : *samples) {
      // The same plan the long way round: as a method with its parameters.
      auto session = newSession(
          engine, {.rope = {.id = "longrope",
                            .values = {{"long_factor", candidate.factors}, {"n_hat", 4.0}},
                            .factor = 2.0},
                   .contextTokens = 600});
      // sqrt(1 + ln s / ln L), L = 512 (transformers' longrope).
      EXPECT_DOUBLE_EQ(session->plan().attentionFactor,
                       std::sqrt(1.0 + std::log(2.0) / std::log(512.0)));
      EXPECT_EQ(session->plan().unscaledTokens, 4);
      const auto score = session->score(sample.ids, {}, {});
      ASSERT_TRUE(score) << score.error().message;
      const std::size_t first = positions == ScoredPositions::All ? 0 : 299;  // of token 300
      for (std::size_t i = first; i < score->nll.size(); ++i) {
        sum += score->nll[i];
        ++scored;
      }
    }
    EXPECT_EQ(scored, positions == ScoredPositions::All ? 2 * 599 : 2 * 300);
    const auto loss = sampleScore(engine, *samples, stretched, {}, {})(candidate);
    ASSERT_TRUE(loss) << loss.error().message;
    EXPECT_NEAR(*loss, sum / scored, kSameSum);
  }
}

TEST_F(LongropeSamples, NeedlesStandNearTheStartAndOnlyTheAnswerIsScored) {
  const auto samples = needleSamples(*engine, config(6, 400));
  ASSERT_TRUE(samples) << samples.error().message;
  for (const SearchSample& sample : *samples) {
    EXPECT_EQ(sample.ids.size(), 400U);
    EXPECT_EQ(sample.ids.front(), bos());
    ASSERT_GT(sample.firstScored, 1);
    const std::span<const std::int32_t> ids = sample.ids;
    const auto first = static_cast<std::size_t>(sample.firstScored);
    EXPECT_EQ(textOf(ids.subspan(first)), " " + sample.answer);
    const std::string before = textOf(ids.first(first));
    // The plain prompt format: "Question: {question}\nAnswer:" at the end.
    const std::string tail = "Question: " + sample.question + "\nAnswer:";
    ASSERT_GE(before.size(), tail.size());
    EXPECT_EQ(before.substr(before.size() - tail.size()), tail);
    const auto needle = before.find(sample.answer);
    ASSERT_NE(needle, std::string::npos);
    // In the first tenth of the text, at the sentence border that is nearest.
    EXPECT_LT(needle, before.size() / 10 + 200);
    EXPECT_LT(sample.begin, 120);
  }
  const auto loss =
      sampleScore(engine, *samples, context(400), {}, {})({.factors = {1.0, 1.0, 1.0, 1.0}});
  ASSERT_TRUE(loss) << loss.error().message;
  EXPECT_GT(*loss, 0.0);
}

TEST_F(LongropeSamples, TooShortTextsAreLeftOutAndNamed) {
  writeText(temp / "short.txt", "Once upon a time.");
  SampleConfig wanted = config(4, 128);
  wanted.files.push_back(temp / "short.txt");
  std::string said;
  wanted.log = [&](LogLevel, const std::string& text) { said += text; };
  const auto samples = perplexitySamples(*engine, wanted);
  ASSERT_TRUE(samples) << samples.error().message;
  EXPECT_NE(said.find("short.txt"), std::string::npos) << said;
  wanted.files = {temp / "short.txt"};
  expectError(perplexitySamples(*engine, wanted), ErrorCode::InvalidArgument,
              {"no text of the corpus is long enough", "128", "--context"});
}

TEST_F(LongropeSamples, IdsAreTakenAsTheyAreAndCheckedAgainstTheVocabulary) {
  writeText(temp / "ids.json", "[5, 6, 7, 8, 9, 10, 11, 12]");
  SampleConfig wanted{.files = {temp / "ids.json"}, .count = 1, .length = 9};
  const auto samples = perplexitySamples(*engine, wanted);
  ASSERT_TRUE(samples) << samples.error().message;
  EXPECT_EQ(samples->front().ids, (Ids{bos(), 5, 6, 7, 8, 9, 10, 11, 12}));
  expectError(needleSamples(*engine, {.files = {temp / "ids.json"}, .count = 1, .length = 8}),
              ErrorCode::InvalidArgument, {"ids.json", "UTF-8 text"});
  for (const char* wrong : {"[]", "[5, 512]", "[5, -1]", "[5, 1.5]", "{}"}) {
    writeText(temp / "ids.json", wrong);
    expectError(perplexitySamples(*engine, wanted), ErrorCode::InvalidArgument,
                {"ids.json", "0 to 511"});
  }
}

TEST_F(LongropeSamples, FactorsThatAreAMethodsOwnAreJudgedEqualToIt) {
  // PI's own divisors under longrope differ from PI by the attention factor alone.
  std::vector<EvaluationBook> books;
  for (const auto& path : files) {
    auto book = readSearchBook(*engine, path);
    ASSERT_TRUE(book) << book.error().message;
    books.push_back({book->name, book->ids});
  }
  const auto space = makeSearchSpace(context(600), {});
  ASSERT_TRUE(space) << space.error().message;
  const Candidate& pi = space->seeds[0].candidate;
  const auto judgement = judgeFactors(*engine, books, *space, pi, {.windowsPerBook = 2}, {});
  ASSERT_TRUE(judgement) << judgement.error().message;
  EXPECT_EQ(judgement->length, 600);
  EXPECT_EQ(judgement->found.windows, 6);
  EXPECT_EQ(judgement->found.books, 3);
  ASSERT_EQ(judgement->verdicts.size(), 3U);
  for (const Verdict& verdict : judgement->verdicts) {
    EXPECT_NEAR(verdict.difference.meanDifference, judgement->found.mean - verdict.loss.mean,
                kSameSum);
    EXPECT_EQ(verdict.beaten,
              verdict.difference.meanDifference < 0.0 &&
                  -verdict.difference.meanDifference > 2.0 * *verdict.difference.standardError);
  }
  // Against perplexity's own measurement of the method, windows and all.
  const auto windows =
      evaluationWindows(books, {.length = 600, .bos = bosOf(*engine), .mostPerBook = 2});
  ASSERT_TRUE(windows);
  const auto ntk =
      windowLosses(*engine, {.label = "ntk", .rope = {.id = "ntk", .values = {}, .factor = 2.0}},
                   *windows, {600}, {});
  ASSERT_TRUE(ntk) << ntk.error().message;
  double sum = 0.0;
  for (const WindowLoss& loss : *ntk) sum += loss.meanLoss;
  EXPECT_NEAR(judgement->verdicts[1].loss.mean, sum / 6.0, kSameSum);
}

TEST(Verdicts, SayPlainlyWhetherTheFoundFactorsWin) {
  const auto verdict = [](double difference, std::optional<double> error) {
    Verdict made{.method = "ntk"};
    made.difference.meanDifference = difference;
    made.difference.standardError = error;
    made.beaten = error && -difference > kClearlyBetter * *error;
    return verdictText(made);
  };
  EXPECT_EQ(verdict(-0.03, 0.01), "beats ntk by 0.0300 +- 0.0100 nats (3.0 standard errors)");
  EXPECT_EQ(verdict(-0.01, 0.01),
            "does not beat ntk by more than two standard errors: it is 0.0100 +- 0.0100 nats (1.0 "
            "standard errors) better");
  EXPECT_EQ(verdict(0.03, 0.01),
            "does not beat ntk by more than two standard errors: it is 0.0300 +- 0.0100 nats (3.0 "
            "standard errors) worse");
  EXPECT_EQ(verdict(-0.03, std::nullopt),
            "is better than ntk by 0.0300 nats, without a standard error: all windows are of one "
            "book");
}

}  // namespace
}  // namespace ropescope::calibration
