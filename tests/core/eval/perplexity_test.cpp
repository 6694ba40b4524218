#include "core/eval/perplexity.h"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "tests/support/test_models.h"

namespace ropescope {
namespace {

using namespace ropescope::test;
using Documents = std::vector<Ids>;

// The one-pass curve reads chunks of 512, a separate score of a shorter text ends in a shorter
// chunk: float32 sums in another order.
constexpr double kFloat32Order = 1e-5;
constexpr double kSameSum = 1e-12;  // the same double losses, added in another order

class Perplexity : public testing::Test {
 protected:
  Perplexity() : engine(loadEngine(storiesPath())), text(storyIds(*engine, 2000)) {
    text.erase(text.begin());  // documents come without BOS
  }
  Ids document(std::size_t begin, std::size_t count) const {
    return {text.begin() + static_cast<long>(begin),
            text.begin() + static_cast<long>(begin + count)};
  }
  CurveSettings curve(const std::string& settings) const {
    auto parsed = parseCurve(settings, *engine);
    EXPECT_TRUE(parsed) << parsed.error().message;
    return *parsed;
  }
  PerplexityCurve measure(const std::string& settings, const Documents& documents,
                          const PerplexityConfig& config, const JobControl& job = {}) const {
    auto measured = measureCurve(*engine, curve(settings), documents, config, {}, job);
    EXPECT_TRUE(measured) << measured.error().message;
    return measured ? *std::move(measured) : PerplexityCurve{};
  }
  // Losses of BOS + ids in a session of their own.
  std::vector<double> losses(const Ids& ids, const rope::MethodChoice& rope,
                             std::int64_t planned) const {
    Ids all{1};
    all.insert(all.end(), ids.begin(), ids.end());
    auto score = newSession(engine, {.rope = rope, .contextTokens = planned})->score(all, {}, {});
    EXPECT_TRUE(score) << score.error().message;
    return score->nll;
  }

  EnginePtr engine;
  Ids text;
};

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

rope::MethodChoice yarn(double factor) {
  return {.id = "yarn", .values = {}, .factor = factor};
}

TEST_F(Perplexity, OnePassGivesWhatSeparateScoresGive) {
  const Ids ids = document(0, 799);
  const std::vector<std::int64_t> lengths{2, 64, 300, 513, 800};
  const auto measured = measure("yarn:factor=4", {ids}, {.lengths = lengths});
  ASSERT_EQ(measured.points.size(), lengths.size());
  EXPECT_EQ(measured.factor, 4.0);
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const PerplexityPoint& point = measured.points[i];
    const Ids part(ids.begin(), ids.begin() + lengths[i] - 1);  // BOS is one of the tokens
    const auto nll = losses(part, yarn(4.0), lengths[i]);
    EXPECT_EQ(point.length, lengths[i]);
    EXPECT_EQ(point.scoredTokens, lengths[i] - 1);
    EXPECT_EQ(point.documents, 1);
    EXPECT_FALSE(point.standardError);
    EXPECT_NEAR(point.nllMeanTo, mean(nll), kFloat32Order) << lengths[i];
    EXPECT_NEAR(point.perplexity, std::exp(point.nllMeanTo), kSameSum * point.perplexity);
  }
}

TEST_F(Perplexity, MeansAndBinsByHand) {
  const Ids first = document(0, 299);
  const Ids second = document(700, 299);
  const std::vector<std::int64_t> lengths{50, 120, 300};
  const auto measured = measure("pi:factor=2", {first, second}, {.lengths = lengths});
  const rope::MethodChoice pi{.id = "pi", .values = {}, .factor = 2.0};
  const auto a = losses(first, pi, 300);
  const auto b = losses(second, pi, 300);
  std::int64_t before = 0;
  for (const PerplexityPoint& point : measured.points) {
    const auto to = static_cast<std::size_t>(point.length - 1);  // nll[i] is of token i + 1
    const double meanA = mean({a.data(), to});
    const double meanB = mean({b.data(), to});
    EXPECT_NEAR(point.nllMeanTo, (meanA + meanB) / 2, kSameSum);
    // Tokens before … length - 1.
    const auto from = static_cast<std::size_t>(std::max<std::int64_t>(before - 1, 0));
    double bin = 0.0;
    for (std::size_t i = from; i < to; ++i) bin += a[i] + b[i];
    ASSERT_TRUE(point.nllBin);
    EXPECT_NEAR(*point.nllBin, bin / static_cast<double>(2 * (to - from)), kSameSum);
    EXPECT_EQ(point.scoredTokens, 2 * static_cast<std::int64_t>(to));
    before = point.length;
  }
}

TEST_F(Perplexity, StandardErrorOverDocumentsByHand) {
  const Documents documents{document(0, 199), document(300, 199), document(600, 199)};
  const auto measured = measure("none", documents, {.lengths = {200}});
  ASSERT_EQ(measured.points.size(), 1U);
  std::vector<double> means;
  for (const Ids& ids : documents) {
    means.push_back(mean(losses(ids, {.id = "none", .values = {}, .factor = {}}, 200)));
  }
  const double middle = mean(means);
  double squares = 0.0;
  for (const double value : means) squares += (value - middle) * (value - middle);
  const double error = std::sqrt(squares / 2) / std::sqrt(3.0);  // deviation / sqrt(documents)
  const PerplexityPoint& point = measured.points.front();
  EXPECT_EQ(point.documents, 3);
  EXPECT_NEAR(point.nllMeanTo, middle, kSameSum);
  ASSERT_TRUE(point.standardError);
  EXPECT_NEAR(*point.standardError, std::exp(middle) * error, 1e-9);
}

TEST_F(Perplexity, ADocumentShorterThanALengthDoesNotCountThere) {
  const Documents documents{document(0, 700), document(700, 250)};
  for (const Protocol protocol : kProtocols) {
    const auto measured =
        measure("none", documents, {.lengths = {100, 300}, .protocol = protocol, .stride = 64});
    ASSERT_EQ(measured.points.size(), 2U) << protocolName(protocol);
    EXPECT_EQ(measured.points[0].documents, 2) << protocolName(protocol);
    EXPECT_TRUE(measured.points[0].standardError);
    EXPECT_EQ(measured.points[1].documents, 1) << protocolName(protocol);
    // llama.cpp's error is over tokens.
    EXPECT_EQ(measured.points[1].standardError.has_value(), protocol == Protocol::LlamaCpp);
  }
}

TEST_F(Perplexity, FixedFactorsNeedOnePassAndFollowingFactorsOnePerLength) {
  const Documents documents{document(0, 699)};
  const PerplexityConfig config{.lengths = {512, 600, 700}};
  const auto chunks = [&](const std::string& settings) {
    int steps = 0;
    JobControl job;
    job.betweenSteps = [&] { ++steps; };
    measure(settings, documents, config, job);
    return steps;
  };
  EXPECT_EQ(chunks("yarn:factor=4"), 2);  // 512 + 188 tokens
  EXPECT_EQ(chunks("yarn"), 2);           // 700 / 512, for the whole curve
  EXPECT_EQ(chunks("none"), 2);
  EXPECT_EQ(chunks("yarn:factor=auto"), 1 + 2 + 2);
  EXPECT_EQ(chunks("dynamic:factor=2"), 1 + 2 + 2);
}

TEST_F(Perplexity, LengthDependentMethodsArePlannedForEveryLength) {
  const Ids ids = document(0, 699);
  const std::vector<std::int64_t> lengths{256, 600, 700};
  for (const std::string settings : {"yarn:factor=auto", "dynamic:factor=2", "pi:factor=auto"}) {
    const auto measured = measure(settings, {ids}, {.lengths = lengths});
    ASSERT_EQ(measured.points.size(), 3U);
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      rope::MethodChoice rope = curve(settings).rope;
      if (settings.find("auto") != std::string::npos) {
        rope.factor = std::max(1.0, static_cast<double>(lengths[i]) / 512.0);
      }
      const Ids part(ids.begin(), ids.begin() + lengths[i] - 1);
      EXPECT_NEAR(measured.points[i].nllMeanTo, mean(losses(part, rope, lengths[i])), kFloat32Order)
          << settings << " at " << lengths[i];
    }
  }
}

// Planned for more than is measured: what a session of that plan gives, in one pass for the curve.
TEST_F(Perplexity, ALongerPlanIsThatOfEveryLength) {
  const Ids ids = document(0, 699);
  const PerplexityConfig config{.lengths = {256, 700}, .planned = 2048};
  for (const std::string settings : {"dynamic", "yarn"}) {
    const auto measured = measure(settings, {ids}, config);
    ASSERT_EQ(measured.points.size(), 2U);
    EXPECT_EQ(measured.factor, 4.0) << "2,048 / 512 trained tokens";
    const rope::MethodChoice rope{.id = settings, .values = {}, .factor = 4.0};
    for (const auto& point : measured.points) {
      const Ids part(ids.begin(), ids.begin() + point.length - 1);
      EXPECT_NEAR(point.nllMeanTo, mean(losses(part, rope, 2048)), kFloat32Order)
          << settings << " at " << point.length;
      EXPECT_GT(std::abs(point.nllMeanTo - mean(losses(part, rope::MethodChoice{}, 2048))), 1e-3);
    }
  }
  expectError(measureCurve(*engine, curve("yarn:factor=auto"), {ids}, config, {}, {}),
              ErrorCode::InvalidArgument, {"factor=auto", "--context"});
  expectError(validate({.lengths = {256, 700}, .planned = 600}), ErrorCode::InvalidArgument,
              {"planned length is 600", "longest length 700"});
}

TEST_F(Perplexity, AFactorLeftOutIsThatOfTheLongestLength) {
  const auto measured = measure("yarn", {document(0, 767)}, {.lengths = {256, 768}});
  EXPECT_EQ(measured.factor, 1.5);
  const auto fixed = measure("yarn:factor=1.5", {document(0, 767)}, {.lengths = {256, 768}});
  EXPECT_EQ(measured.points[0].nllMeanTo, fixed.points[0].nllMeanTo);
}

// YaRN's program on 1,000 tokens with a maximum of 513 and stride 256.
TEST_F(Perplexity, SlidingWindowsScoreWhatYarnsProgramScores) {
  const Ids ids = document(0, 1000);
  const auto measured = measure("yarn:factor=2", {ids},
                                {.lengths = {513}, .protocol = Protocol::Sliding, .stride = 256});
  ASSERT_EQ(measured.points.size(), 1U);
  const PerplexityPoint& point = measured.points.front();
  EXPECT_EQ(point.scoredTokens, 512 + 256 + 232);
  EXPECT_FALSE(point.nllBin);
  const auto lastOf = [&](std::size_t begin, std::size_t end, std::size_t count) {
    const auto nll = losses(document(begin, end - begin), yarn(2.0), 513);
    EXPECT_EQ(nll.size(), end - begin);
    return mean({nll.data() + nll.size() - count, count});
  };
  // A plain mean over windows: the short last one counts as much.
  const double wanted = (lastOf(0, 512, 512) + lastOf(256, 768, 256) + lastOf(512, 1000, 232)) / 3;
  EXPECT_NEAR(point.nllMeanTo, wanted, kSameSum);
  EXPECT_NEAR(point.perplexity, std::exp(wanted), 1e-9);
}

// The program stacks the windows of all documents and takes one mean: a long document counts more.
// Its clustered error by hand: 2 / (2 - 1) sum of (sum of a document - its windows * mean)^2 / 5^2.
TEST_F(Perplexity, SlidingIsTheMeanOverTheWindowsOfAllDocuments) {
  const Ids first = document(0, 300);  // 256 own tokens a window: 256 + 44
  const Ids second = document(700, 512);
  const PerplexityConfig config{.lengths = {257}, .protocol = Protocol::Sliding, .stride = 128};
  const auto lastOf = [&](const Ids& ids, std::size_t begin, std::size_t end, std::size_t count) {
    const Ids part(ids.begin() + static_cast<long>(begin), ids.begin() + static_cast<long>(end));
    const auto nll = losses(part, yarn(2.0), 257);
    return mean({nll.data() + nll.size() - count, count});
  };
  const double a = lastOf(first, 0, 256, 256) + lastOf(first, 128, 300, 44);
  const double b =
      lastOf(second, 0, 256, 256) + lastOf(second, 128, 384, 128) + lastOf(second, 256, 512, 128);
  const double wanted = (a + b) / 5;
  const auto measured = measure("yarn:factor=2", {first, second}, config);
  ASSERT_EQ(measured.points.size(), 1U);
  EXPECT_NEAR(measured.points[0].nllMeanTo, wanted, kSameSum);
  EXPECT_EQ(measured.points[0].scoredTokens, 300 + 512);
  const double error =
      std::sqrt(2 * (std::pow(a - 2 * wanted, 2) + std::pow(b - 3 * wanted, 2))) / 5;
  ASSERT_TRUE(measured.points[0].standardError);
  EXPECT_NEAR(*measured.points[0].standardError, std::exp(wanted) * error, 1e-9);
}

// By hand: 250 own tokens and BOS hold two chunks of 100; chunk 1 reads BOS and tokens 100 … 198.
// Positions 50 … 98 predict, so the last 49 losses of each count.
TEST_F(Perplexity, LlamaCppScoresTheSecondHalfOfEveryChunk) {
  const Ids ids = document(0, 250);
  const auto measured =
      measure("yarn:factor=2", {ids}, {.lengths = {100}, .protocol = Protocol::LlamaCpp});
  ASSERT_EQ(measured.points.size(), 1U);
  const PerplexityPoint& point = measured.points.front();
  std::vector<double> counted;
  for (const std::size_t begin : {0U, 100U}) {
    const auto nll = losses(document(begin, 99), yarn(2.0), 100);
    counted.insert(counted.end(), nll.end() - 49, nll.end());
  }
  EXPECT_EQ(point.scoredTokens, 98);
  const double middle = mean(counted);
  EXPECT_NEAR(point.nllMeanTo, middle, kSameSum);
  double squares = 0.0;  // llama.cpp: sqrt((mean of squares - square of mean) / (n - 1))
  for (const double nll : counted) squares += nll * nll;
  const double error = std::sqrt((squares / 98 - middle * middle) / 97);
  ASSERT_TRUE(point.standardError);
  EXPECT_NEAR(*point.standardError, std::exp(middle) * error, 1e-9);
}

TEST_F(Perplexity, LlamaCppWantsTwiceTheLength) {
  const auto asked = [&](std::int64_t length) {
    return measureCurve(*engine, curve("none"), {document(0, 99)},
                        {.lengths = {length}, .protocol = Protocol::LlamaCpp}, {}, {});
  };
  EXPECT_TRUE(asked(50));  // BOS + 99
  expectError(asked(51), ErrorCode::InvalidArgument, {"100 tokens", "51", "twice", "up to 50"});
  expectError(asked(2), ErrorCode::InvalidArgument, {"3 or more", "found 2"});
}

TEST_F(Perplexity, SlidingOverAnExactLengthIsOneWindow) {
  const auto measured = measure("none", {document(0, 512)},
                                {.lengths = {513}, .protocol = Protocol::Sliding, .stride = 512});
  EXPECT_EQ(measured.points.front().scoredTokens, 512);
}

TEST_F(Perplexity, TruncateIsOneWindow) {
  const Ids ids = document(0, 1000);
  const auto measured =
      measure("yarn:factor=2", {ids}, {.lengths = {300, 513}, .protocol = Protocol::Truncate});
  ASSERT_EQ(measured.points.size(), 2U);
  EXPECT_EQ(measured.points[0].scoredTokens, 299);
  EXPECT_EQ(measured.points[1].scoredTokens, 512);
  EXPECT_NEAR(measured.points[1].nllMeanTo, mean(losses(document(0, 512), yarn(2.0), 513)),
              kSameSum);
}

TEST_F(Perplexity, WithoutBosTheFirstTokenHasNoLoss) {
  const auto tiny = loadEngine(tinyPath());  // no tokenizer: no BOS
  const Ids ids = randomIds(128, 100, 1);
  const auto settings = parseCurve("none", *tiny);
  ASSERT_TRUE(settings);
  const auto onePass = measureCurve(*tiny, *settings, {ids}, {.lengths = {40, 100}}, {}, {});
  ASSERT_TRUE(onePass) << onePass.error().message;
  EXPECT_EQ(onePass->points[0].scoredTokens, 39);
  EXPECT_EQ(onePass->points[1].scoredTokens, 99);
  const auto sliding =
      measureCurve(*tiny, *settings, {ids},
                   {.lengths = {40}, .protocol = Protocol::Sliding, .stride = 20}, {}, {});
  ASSERT_TRUE(sliding) << sliding.error().message;
  EXPECT_EQ(sliding->points[0].scoredTokens, 39 + 3 * 20);
}

TEST(PerplexityOfAUniformModel, IsItsVocabularySize) {
  TempDir temp;
  const auto model = copyOf(tinyPath(), temp);
  auto tensors = readTensors(model / "model.safetensors");
  for (std::byte& byte : tensors.at("model.embed_tokens.weight").bytes) byte = std::byte{0};
  writeTensors(model / "model.safetensors", tensors);
  const auto engine = loadEngine(model);
  const auto settings = parseCurve("none", *engine);
  for (const Protocol protocol : kProtocols) {
    const auto measured =
        measureCurve(*engine, *settings, {randomIds(128, 64, 2), randomIds(128, 101, 3)},
                     {.lengths = {9, 32}, .protocol = protocol, .stride = 7}, {}, {});
    ASSERT_TRUE(measured) << measured.error().message;
    ASSERT_EQ(measured->points.size(), 2U);
    for (const PerplexityPoint& point : measured->points) {
      EXPECT_NEAR(point.perplexity, 128.0, 1e-9) << protocolName(protocol) << point.length;
      ASSERT_TRUE(point.standardError) << protocolName(protocol);
      // The difference of two squares near 24 leaves its rounding under the root.
      EXPECT_NEAR(*point.standardError, 0.0, 1e-5) << protocolName(protocol);
    }
  }
}

TEST_F(Perplexity, TellsEveryNewPoint) {
  std::vector<std::size_t> counts;
  const auto measured = measureCurve(
      *engine, curve("none"), {document(0, 299)}, {.lengths = {64, 128, 300}},
      [&](const PerplexityCurve& curve) { counts.push_back(curve.points.size()); }, {});
  ASSERT_TRUE(measured);
  EXPECT_EQ(counts, (std::vector<std::size_t>{1, 2, 3, 3}));
}

TEST_F(Perplexity, CanBeStoppedWithinAChunk) {
  std::stop_source source;
  JobControl job;
  job.stop = source.get_token();
  job.betweenSteps = [&] { source.request_stop(); };
  for (const Protocol protocol : {Protocol::OnePass, Protocol::Sliding}) {
    const auto measured = measureCurve(*engine, curve("none"), {document(0, 1500)},
                                       {.lengths = {1024}, .protocol = protocol}, {}, job);
    expectError(measured, ErrorCode::Cancelled, {"stopped"});
  }
}

TEST_F(Perplexity, RefusesSettingsThatCannotWork) {
  const Documents documents{document(0, 100)};
  const auto refused = [&](const PerplexityConfig& config, const std::vector<std::string>& parts) {
    expectError(measureCurve(*engine, curve("none"), documents, config, {}, {}),
                ErrorCode::InvalidArgument, parts);
  };
  refused({.lengths = {}}, {"no lengths"});
  refused({.lengths = {1}}, {"2 or more", "found 1"});
  refused({.lengths = {50, 50}}, {"ascend", "50"});
  refused({.lengths = {60, 50}}, {"ascend", "50"});
  refused({.lengths = {-4}}, {"-4"});
  refused({.lengths = {50}, .protocol = Protocol::Sliding, .stride = 0}, {"stride is 0"});
  refused({.lengths = {102}}, {"101", "102"});  // BOS + 100
  refused({.lengths = {50, 5000}}, {"5,000", "longer document"});
  // A stride beyond the window would leave tokens out.
  refused({.lengths = {50, 90}, .protocol = Protocol::Sliding, .stride = 50},
          {"stride is 50", "49"});
  EXPECT_TRUE(measureCurve(*engine, curve("none"), documents,
                           {.lengths = {50, 90}, .protocol = Protocol::Sliding, .stride = 49}, {},
                           {}));
  EXPECT_TRUE(measureCurve(*engine, curve("none"), documents, {.lengths = {50}, .stride = 256}, {},
                           {}));  // one-pass has no stride
}

TEST_F(Perplexity, RefusesNoDocuments) {
  expectError(measureCurve(*engine, curve("none"), {}, {.lengths = {50}}, {}, {}),
              ErrorCode::InvalidArgument, {"50"});
}

TEST_F(Perplexity, RefusesAFactorBelowOne) {
  expectError(
      measureCurve(*engine, curve("pi:factor=0.5"), {document(0, 99)}, {.lengths = {50}}, {}, {}),
      ErrorCode::InvalidArgument, {"0.5", "1 or larger"});
}

TEST_F(Perplexity, SaysItsProtocolInWords) {
  for (const Protocol protocol : kProtocols) {
    EXPECT_EQ(findProtocol(protocolName(protocol)), protocol);
    const std::string bos = protocol == Protocol::LlamaCpp ? "BOS over the first" : "BOS first";
    EXPECT_NE(protocolText({.protocol = protocol}, true).find(bos), std::string::npos);
    EXPECT_NE(protocolText({.protocol = protocol}, false).find("no BOS"), std::string::npos);
  }
  EXPECT_FALSE(findProtocol("one pass"));
  EXPECT_NE(protocolText({.protocol = Protocol::Sliding, .stride = 77}, true).find("77"),
            std::string::npos);
}

// --- "yarn:factor=4,…" -------------------------------------------------------------------------

TEST_F(Perplexity, ReadsACurve) {
  const auto settings = curve("yarn:factor=4,beta_fast=16,truncate=false,ramp=paper");
  EXPECT_EQ(settings.rope.id, "yarn");
  EXPECT_EQ(settings.rope.factor, 4.0);
  EXPECT_EQ(std::get<double>(settings.rope.values.at("beta_fast")), 16.0);
  EXPECT_FALSE(std::get<bool>(settings.rope.values.at("truncate")));
  EXPECT_EQ(std::get<std::string>(settings.rope.values.at("ramp")), "paper");
  EXPECT_FALSE(settings.factorFollowsLength);
  EXPECT_TRUE(curve("pi:factor=auto").factorFollowsLength);
  EXPECT_FALSE(curve("none").rope.factor);
}

TEST(CalibratedCurve, LoadsItsFile) {
  const auto tiny = loadEngine(tinyPath());
  const std::string file = (testsDir() / "golden" / "psc_tiny.safetensors").string();
  const auto settings =
      parseCurve("yarn:factor=4,psc_strength=0.5,lora=off,calibration=" + file, *tiny);
  ASSERT_TRUE(settings) << settings.error().message;
  ASSERT_TRUE(settings->calibration);
  EXPECT_EQ(settings->pscStrength, 0.5);
  EXPECT_FALSE(settings->lora);
  const Ids ids = randomIds(128, 100, 1);
  const auto calibrated = measureCurve(*tiny, *settings, {ids}, {.lengths = {100}}, {}, {});
  const auto plain =
      measureCurve(*tiny, *parseCurve("yarn:factor=4", *tiny), {ids}, {.lengths = {100}}, {}, {});
  ASSERT_TRUE(calibrated && plain);
  EXPECT_GT(std::abs(calibrated->points[0].nllMeanTo - plain->points[0].nllMeanTo), 0.01);
  for (const char* without : {"yarn:psc_strength=0.5", "yarn:lora=off"}) {
    expectError(parseCurve(without, *tiny), ErrorCode::InvalidArgument, {"calibration=FILE"});
  }
  expectError(parseCurve("yarn:psc_strength=3,calibration=" + file, *tiny),
              ErrorCode::InvalidArgument, {"psc_strength is '3'"});
}

TEST_F(Perplexity, RefusesWrongCurves) {
  const auto refused = [&](const std::string& settings, const std::vector<std::string>& parts) {
    expectError(parseCurve(settings, *engine), ErrorCode::InvalidArgument, parts);
  };
  refused("", {"no RoPE method", "yarn"});
  refused("yran", {"'yran'", "none", "yarn"});
  refused("yarn:factor", {"'factor'", "name=value"});
  refused("yarn:factor=four", {"factor is 'four'", "number"});
  refused("yarn:factor=4x", {"'4x'"});
  refused("yarn:speed=4", {"unknown setting 'speed'", "beta_fast", "psc_strength"});
  refused("yarn:beta_fast=fast", {"beta_fast", "'fast'"});
  refused("yarn:ramp=sine", {"ramp", "code", "paper"});
  refused("yarn:truncate=maybe", {"truncate", "true or false"});
  refused("yarn:factor=4,factor=8", {"'factor'", "twice"});
  refused("yarn:lora=maybe", {"lora is 'maybe'", "on or off"});
  refused("none:factor=4", {"none", "takes no factor"});
  refused("none:factor=auto", {"takes no factor"});
  expectError(parseCurve("yarn:calibration=/nowhere/psc.safetensors", *engine), ErrorCode::NotFound,
              {"/nowhere/psc.safetensors"});
}

}  // namespace
}  // namespace ropescope
