// Contributions of rotary pairs: against a plain double decoder, for every kind of plan, shared key
// heads, with and without a calibration.
#include "core/lens/token_pair.h"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "tests/support/golden.h"
#include "tests/support/plain_decoder.h"

namespace ropescope {
namespace {

using namespace ropescope::test;

// What the view promises: contributions sum to the score that attention had.
constexpr double kSum = 1e-5;
// The session's float64 against the decoder's; tables of float64 sessions are in double.
constexpr double kFloat64 = 1e-10;
// Three float32 layers against double; scores of the random model reach about 10.
constexpr double kFloat32 = 1e-4;
// Two layers later the same tokens have other scores under another plan.
constexpr double kFarApart = 1e-3;
constexpr std::int64_t kTokens = 150;  // trained: 64

struct PlanCase {
  std::string name;
  rope::MethodChoice rope;
  bool calibrated = false;
};

rope::MethodChoice longrope() {
  return {.id = "longrope",
          .values = {{"long_factor", std::vector<double>{1.0, 1.1, 1.3, 1.7, 2.0, 2.5, 3.1, 4.0}},
                     {"n_hat", 20.0}},
          .factor = 4.0};
}

std::vector<PlanCase> planCases() {
  const rope::MethodChoice none;
  const rope::MethodChoice pi{.id = "pi", .values = {}, .factor = 4.0};
  const rope::MethodChoice yarn{.id = "yarn", .values = {}, .factor = 4.0};
  return {{"none", none},
          {"pi", pi},
          {"yarn", yarn},
          {"longrope", longrope()},
          {"none, calibrated", none, true},
          {"yarn, calibrated", yarn, true},
          {"longrope, calibrated", longrope(), true}};
}

struct Read {
  EnginePtr engine;
  std::unique_ptr<Session> session;
  PlainDecoder decoder;
  std::vector<LayerQueriesKeys> layers;
};

std::filesystem::path calibrationPath() {
  return golden::goldenPath("psc_tiny.safetensors");
}

Read readBoth(const rope::MethodChoice& rope, bool calibrated, const std::string& dtype,
              double strength = 1.0) {
  auto engine = loadEngine(tinyPath(), dtype);
  std::shared_ptr<const Calibration> calibration;
  std::optional<PlainCalibration> plain;
  if (calibrated) {
    calibration = golden::must(engine->loadCalibration(calibrationPath()));
    plain = PlainCalibration{.tensors = readTensors(calibrationPath()), .strength = strength};
  }
  auto session = newSession(engine, {.rope = rope,
                                     .contextTokens = kTokens,
                                     .calibration = calibration,
                                     .pscStrength = strength,
                                     .captureLayers = {0, 1, 2},
                                     .chunkTokens = 64});
  const Ids ids = randomIds(128, kTokens, 5);
  EXPECT_TRUE(session->prefill({ids}, {}));
  PlainDecoder decoder(tinyPath(), engine->config(), session->plan(), plain);
  auto layers = decoder.run(ids);
  return {engine, std::move(session), std::move(decoder), std::move(layers)};
}

// Head `head` of row `position` in [n, heads D].
std::vector<double> contentsOf(const Matrix& rows, int heads, int head, std::int64_t position,
                               int headDim) {
  const auto begin = rows.begin() + (position * heads + head) * headDim;
  return {begin, begin + headDim};
}

double sumOf(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

double logSumExp(const std::vector<double>& scores) {
  const double top = *std::max_element(scores.begin(), scores.end());
  double sum = 0.0;
  for (const double score : scores) sum += std::exp(score - top);
  return top + std::log(sum);
}

const std::vector<PairRequest>& couples() {
  static const std::vector<PairRequest> all = {{.layer = 0, .head = 0, .query = 0, .key = 0},
                                               {.layer = 0, .head = 3, .query = 149, .key = 2},
                                               {.layer = 1, .head = 1, .query = 64, .key = 63},
                                               {.layer = 1, .head = 2, .query = 100, .key = 19},
                                               {.layer = 2, .head = 3, .query = 149, .key = 20},
                                               {.layer = 2, .head = 0, .query = 18, .key = 7},
                                               {.layer = 2, .head = 2, .query = 131, .key = 131}};
  return all;
}

void compare(const PlanCase& setup, const std::string& dtype, double tolerance) {
  SCOPED_TRACE(setup.name + " in " + dtype);
  const Read read = readBoth(setup.rope, setup.calibrated, dtype);
  const ModelConfig& config = read.engine->config();
  const int size = config.headDim;
  for (const PairRequest& r : couples()) {
    SCOPED_TRACE("layer " + std::to_string(r.layer) + ", head " + std::to_string(r.head) + ", " +
                 std::to_string(r.query) + " <- " + std::to_string(r.key));
    const auto pair = tokenPair(*read.session, r, {});
    ASSERT_TRUE(pair) << pair.error().message;
    const LayerQueriesKeys& qk = read.layers[static_cast<std::size_t>(r.layer)];
    const auto row = read.decoder.scores(qk, r.head, r.query);
    const double dense = row[static_cast<std::size_t>(r.key)];
    EXPECT_NEAR(pair->used.score, dense, tolerance);
    EXPECT_NEAR(pair->used.logSumExp, logSumExp(row), tolerance);
    EXPECT_NEAR(pair->used.weight(), std::exp(dense - logSumExp(row)), tolerance);

    const auto shares = contributions(pair->contents, read.session->plan(), r.query, r.key);
    EXPECT_NEAR(sumOf(shares), pair->used.score, kSum);
    EXPECT_NEAR(sumOf(shares), dense, std::max(kSum, tolerance));
    const auto q = contentsOf(qk.q, config.heads, r.head, r.query, size);
    const auto k = contentsOf(qk.k, config.kvHeads, r.head / 2, r.key, size);
    for (std::size_t p = 0; p < shares.size(); ++p) {
      const std::size_t half = shares.size();
      EXPECT_NEAR(shares[p], (q[p] * k[p] + q[p + half] * k[p + half]) / std::sqrt(size), tolerance)
          << "pair " << p;
    }
    const auto again = rowUnder(*read.session, r, {read.session->plan()}, {});
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_NEAR(again->score, dense, tolerance);
    EXPECT_NEAR(again->logSumExp, logSumExp(row), tolerance);
  }
}

TEST(TokenPair, SharesSumToTheDenseScore) {
  for (const PlanCase& setup : planCases()) compare(setup, "float32", kFloat32);
}

TEST(TokenPair, SharesAreExactInFloat64) {
  for (const PlanCase& setup : planCases()) compare(setup, "float64", kFloat64);
}

TEST(TokenPair, HoldsWhatIsRotatedAndWhatCameBeforePsc) {
  const Read with = readBoth({}, true, "float64");
  const Read off = readBoth({}, true, "float64", 0.0);
  const PairRequest r{.layer = 0, .head = 3, .query = 40, .key = 11};
  const auto pair = tokenPair(*with.session, r, {});
  const auto plain = tokenPair(*off.session, r, {});
  ASSERT_TRUE(pair && plain);
  const ModelConfig& config = with.engine->config();
  const auto wanted = contentsOf(with.layers[0].unrotatedQ, config.heads, 3, 40, config.headDim);
  const auto wantedKey =
      contentsOf(with.layers[0].unrotatedK, config.kvHeads, 1, 11, config.headDim);
  double change = 0.0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_NEAR(pair->contents.query[i], wanted[i], kFloat64);
    EXPECT_NEAR(pair->contents.key[i], wantedKey[i], kFloat64);
    EXPECT_NEAR(pair->uncalibrated.query[i], plain->contents.query[i], kFloat64);
    EXPECT_NEAR(pair->uncalibrated.key[i], plain->contents.key[i], kFloat64);
    change = std::max(change, std::abs(pair->contents.query[i] - pair->uncalibrated.query[i]));
  }
  EXPECT_GT(change, kFarApart);
}

// The other plan's numbers are those of a session under it in layer 0, and other ones above.
TEST(TokenPair, AnotherPlanIsExactInLayerZeroOnly) {
  const rope::MethodChoice yarn{.id = "yarn", .values = {}, .factor = 4.0};
  const Read plain = readBoth({}, false, "float64");
  for (const rope::MethodChoice& choice : {yarn, longrope()}) {
    const Read other = readBoth(choice, false, "float64");
    for (const PairRequest& r : couples()) {
      const auto patched = rowUnder(*plain.session, r, {other.session->plan()}, {});
      const auto real = tokenPair(*other.session, r, {});
      const auto pair = tokenPair(*plain.session, r, {});
      ASSERT_TRUE(patched && real && pair);
      const double sum =
          sumOf(contributions(pair->contents, other.session->plan(), r.query, r.key));
      EXPECT_NEAR(sum, patched->score, kFloat64);
      if (r.layer == 0) {
        EXPECT_NEAR(patched->score, real->used.score, kFloat64);
        EXPECT_NEAR(patched->logSumExp, real->used.logSumExp, kFloat64);
      } else if (r.query > 60) {
        EXPECT_GT(std::abs(patched->score - real->used.score), kFarApart);
      }
    }
  }
}

TEST(TokenPair, AnotherStrengthIsThatOfASessionWithItInLayerZero) {
  const Read full = readBoth({}, true, "float64");
  for (const double strength : {0.0, 0.4}) {
    const Read weaker = readBoth({}, true, "float64", strength);
    const PairRequest r{.layer = 0, .head = 2, .query = 120, .key = 33};
    const auto patched = rowUnder(*full.session, r, {full.session->plan(), strength}, {});
    const auto real = tokenPair(*weaker.session, r, {});
    const auto before = tokenPair(*full.session, r, {});
    ASSERT_TRUE(patched && real && before);
    EXPECT_NEAR(patched->score, real->used.score, kFloat64);
    EXPECT_NEAR(patched->logSumExp, real->used.logSumExp, kFloat64);
    EXPECT_GT(std::abs(patched->score - before->used.score), kFarApart);
  }
}

TEST(ScoreCurve, IsTheScoreOfTheseContentsAtEveryDistance) {
  const rope::MethodChoice yarn{.id = "yarn", .values = {}, .factor = 4.0};
  const Read read = readBoth(yarn, true, "float64");
  const ModelConfig& config = read.engine->config();
  const auto pair = tokenPair(*read.session, {.layer = 1, .head = 1, .query = 140, .key = 60}, {});
  ASSERT_TRUE(pair);
  const std::vector<std::int64_t> distances = {0, 1, 7, 80, 149};
  const auto curve = scoreCurve(pairShares(pair->contents), read.session->plan(), distances);
  EXPECT_NEAR(curve[3], pair->used.score, kFloat64);  // their own distance
  const auto d = static_cast<std::size_t>(config.headDim);
  for (std::size_t i = 0; i < distances.size(); ++i) {
    // The same q at position 149, the same k `distance` before it, rotated by the plain decoder.
    Matrix q(150 * d, 0.0);
    Matrix k(150 * d, 0.0);
    std::copy_n(pair->contents.query.begin(), d, q.begin() + static_cast<std::ptrdiff_t>(149 * d));
    std::copy_n(pair->contents.key.begin(), d,
                k.begin() + (149 - distances[i]) * static_cast<std::ptrdiff_t>(d));
    q = read.decoder.rotated(q, 1);
    k = read.decoder.rotated(k, 1);
    const auto at = static_cast<std::size_t>(149 - distances[i]) * d;
    double dot = 0.0;
    for (std::size_t c = 0; c < d; ++c) dot += q[149 * d + c] * k[at + c];
    EXPECT_NEAR(curve[i], dot / std::sqrt(static_cast<double>(d)), kFloat64);
  }
}

TEST(HeadMean, ItsCurveIsTheMeanOverAllCouples) {
  const Read read = readBoth({}, true, "float64");
  const ModelConfig& config = read.engine->config();
  const auto mean = headMean(*read.session, 2, 3, 40, {});
  ASSERT_TRUE(mean) << mean.error().message;
  EXPECT_EQ(mean->stride, 4);  // 150 / 40, rounded up
  EXPECT_EQ(mean->tokens, 38);
  const std::vector<std::int64_t> distances = {5, 90};
  const auto curve = scoreCurve(pairShares(mean->contents), read.session->plan(), distances);
  std::vector<double> wanted(distances.size(), 0.0);
  for (std::int64_t a = 0; a < kTokens; a += 4) {
    for (std::int64_t b = 0; b < kTokens; b += 4) {
      const HeadContents couple{
          contentsOf(read.layers[2].unrotatedQ, config.heads, 3, a, config.headDim),
          contentsOf(read.layers[2].unrotatedK, config.kvHeads, 1, b, config.headDim)};
      const auto one = scoreCurve(pairShares(couple), read.session->plan(), distances);
      for (std::size_t i = 0; i < wanted.size(); ++i) wanted[i] += one[i] / (38.0 * 38.0);
    }
  }
  EXPECT_NEAR(curve[0], wanted[0], kFloat64);
  EXPECT_NEAR(curve[1], wanted[1], kFloat64);
}

TEST(TokenPair, RefusesWhatIsNotThere) {
  const auto engine = loadEngine(tinyPath());
  auto session = newSession(engine, {.contextTokens = 60, .captureLayers = {1}});
  ASSERT_TRUE(session->prefill({randomIds(128, 50, 4)}, {}));
  const PairRequest good{.layer = 1, .head = 3, .query = 49, .key = 0};
  ASSERT_TRUE(tokenPair(*session, good, {}));
  const auto refused = [&](auto change, const std::vector<std::string>& parts) {
    PairRequest bad = good;
    change(bad);
    expectError(tokenPair(*session, bad, {}), ErrorCode::InvalidArgument, parts);
    expectError(rowUnder(*session, bad, {session->plan()}, {}), ErrorCode::InvalidArgument, parts);
  };
  refused([](PairRequest& r) { r.layer = 3; }, {"layer 3", "0 to 2"});
  refused([](PairRequest& r) { r.layer = 0; }, {"layer 0", "not captured", "captureLayers"});
  refused([](PairRequest& r) { r.head = 4; }, {"head 4", "0 to 3"});
  refused([](PairRequest& r) { r.query = 50; }, {"position 50", "50 processed"});
  refused([](PairRequest& r) { r.key = -1; }, {"position -1"});
  refused([](PairRequest& r) { r.query = 5, r.key = 6; }, {"6", "5", "swap"});
  rope::RotaryPlan shorter = session->plan();
  shorter.invFreq.pop_back();
  expectError(rowUnder(*session, good, {shorter}, {}), ErrorCode::InvalidArgument,
              {"7 rotary pairs", "8"});
  expectError(headMean(*session, 1, 3, 0, {}), ErrorCode::InvalidArgument, {"sample of 0"});
  std::stop_source source;
  source.request_stop();
  JobControl stopped;
  stopped.stop = source.get_token();
  expectError(tokenPair(*session, good, stopped), ErrorCode::Cancelled, {"stopped"});
  expectError(rowUnder(*session, good, {session->plan()}, stopped), ErrorCode::Cancelled,
              {"stopped"});
  expectError(headMean(*session, 1, 3, 8, stopped), ErrorCode::Cancelled, {"stopped"});
}

}  // namespace
}  // namespace ropescope
