// The gate of Phase Shift Calibration: a hand vector, a dense formula on random phase tensors, and
// what the paper's form promises.
#include "core/lens/psc_gate.h"

#include <algorithm>
#include <cmath>
#include <random>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/rope/phase_torch.h"
#include "tests/support/golden.h"
#include "tests/support/plain_decoder.h"

namespace ropescope {
namespace {

using namespace ropescope::test;

constexpr double kPrinted = 1e-9;   // the hand vector has ten digits
constexpr double kFloat64 = 1e-10;  // against the plain double decoder
constexpr double kFloat32 = 1e-4;   // three float32 layers against double
constexpr std::int64_t kTokens = 90;

// rope-methods 6.2: one head of 4 components, U[i][j] = .1(i+1) - .05j, W[i][j] = .2(-1)^(i+j) +
// .1i.
TEST(PscGate, OfTheHandVector) {
  at::Tensor up = at::empty({1, 4, 4}, at::kDouble);
  at::Tensor down = at::empty({1, 4, 4}, at::kDouble);
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < 4; ++j) {
      up[0][i][j] = 0.1 * (i + 1) - 0.05 * j;
      down[0][i][j] = ((i + j) % 2 == 0 ? 0.2 : -0.2) + 0.1 * i;
    }
  }
  const std::vector<double> x = {1.0, -2.0, 0.5, 0.25};
  const std::vector<double> y = {-0.0085937752, -0.0037499866, -0.0085937752, -0.0037499866};
  const std::vector<double> out = {0.9957032182, -1.9962500310, 0.4978516091, 0.2495312539};
  const at::Tensor gate =
      rope::phaseGate(at::tensor(x, at::kDouble).view({1, 1, 4}), {up, down}, 1.0);
  const auto values =
      std::vector<double>(gate.const_data_ptr<double>(), gate.const_data_ptr<double>() + 4);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(values[i], 1.0 + std::tanh(y[i]) / 2.0, kPrinted);
    EXPECT_NEAR(values[i] * x[i], out[i], kPrinted);
  }
  // Pair (0, 2): both gates alike, so it keeps its direction; (1, 3) likewise.
  for (const PairTurn& turn : pairTurns(x, values)) EXPECT_NEAR(turn.degrees, 0.0, 1e-6);
  EXPECT_NEAR(pairTurns(x, values)[0].length, out[0] / x[0], kPrinted);
}

TEST(PairTurns, AreTheAngleAndTheLengthOfTheArrow) {
  // (1, 1) times (1.5, 0.5): from 45 degrees to atan(1/3).
  const auto turns =
      pairTurns(std::vector<double>{1, 0, 1, 0}, std::vector<double>{1.5, 1, 0.5, 1});
  EXPECT_NEAR(turns[0].degrees, std::atan(1.0 / 3.0) * 180.0 / M_PI - 45.0, 1e-12);
  EXPECT_NEAR(turns[0].length, std::sqrt(2.5 / 2.0), 1e-12);
  EXPECT_EQ(turns[1].degrees, 0.0);  // no length: no direction
  EXPECT_EQ(turns[1].length, 1.0);
}

// Gates within (0.5, 1.5): asin(1/2) bounds the turn, and comes near when components are 1 :
// sqrt 3.
TEST(PairTurns, StayBelowThirtyDegrees) {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> gate(0.5, 1.5);
  std::normal_distribution<double> content;
  double widest = 0.0;
  for (int i = 0; i < 20000; ++i) {
    const auto turn = pairTurns(std::vector<double>{content(random), content(random)},
                                std::vector<double>{gate(random), gate(random)});
    widest = std::max(widest, std::abs(turn[0].degrees));
    EXPECT_GT(turn[0].length, 0.5);
    EXPECT_LT(turn[0].length, 1.5);
  }
  EXPECT_LT(widest, 30.0);
  EXPECT_GT(widest, 25.0);
  const auto edge =
      pairTurns(std::vector<double>{1, std::sqrt(3.0)}, std::vector<double>{1.5, 0.5});
  EXPECT_NEAR(edge[0].degrees, -30.0, 1e-9);
}

struct Read {
  EnginePtr engine;
  std::unique_ptr<Session> session;
  std::vector<LayerQueriesKeys> layers;       // with the calibration
  std::vector<LayerQueriesKeys> sameButOpen;  // hidden states as above in layer 0 only, strength 0
};

Read read(const std::string& dtype) {
  auto engine = loadEngine(tinyPath(), dtype);
  const auto path = golden::goldenPath("psc_tiny.safetensors");
  const rope::MethodChoice yarn{.id = "yarn", .values = {}, .factor = 4.0};
  auto session = newSession(engine, {.rope = yarn,
                                     .contextTokens = kTokens,
                                     .calibration = golden::must(engine->loadCalibration(path)),
                                     .captureLayers = {0, 1, 2}});
  const Ids ids = randomIds(128, kTokens, 9);
  EXPECT_TRUE(session->prefill({ids}, {}));
  const auto decode = [&](double strength) {
    const PlainCalibration plain{.tensors = readTensors(path), .strength = strength};
    return PlainDecoder(tinyPath(), engine->config(), session->plan(), plain).run(ids);
  };
  auto gated = decode(1.0);
  auto open = decode(0.0);
  return {engine, std::move(session), std::move(gated), std::move(open)};
}

TEST(PscGate, IsTheDenseFormulaOnRandomPhaseTensors) {
  for (const auto& [dtype, tolerance] :
       {std::pair{"float64", kFloat64}, std::pair{"float32", kFloat32}}) {
    const Read read = ropescope::read(dtype);
    const auto gates = tokenGates(*read.session, {.layer = 0, .position = 37}, {});
    ASSERT_TRUE(gates) << gates.error().message;
    const auto compare = [&](const SideGates& side, const Matrix& gated, const Matrix& open) {
      const std::size_t width = side.gates.size();
      double spread = 0.0;
      for (std::size_t i = 0; i < width; ++i) {
        EXPECT_NEAR(side.contents[i], open[37 * width + i], tolerance);
        EXPECT_NEAR(side.contents[i] * side.gates[i], gated[37 * width + i], tolerance);
        EXPECT_GT(side.gates[i], 0.5);
        EXPECT_LT(side.gates[i], 1.5);
        spread = std::max(spread, std::abs(side.gates[i] - 1.0));
      }
      EXPECT_GT(spread, 0.1) << "random modules move the gates";
    };
    EXPECT_EQ(gates->query.heads, 4);
    EXPECT_EQ(gates->key.heads, 2);
    compare(gates->query, read.layers[0].unrotatedQ, read.sameButOpen[0].unrotatedQ);
    compare(gates->key, read.layers[0].unrotatedK, read.sameButOpen[0].unrotatedK);
    // Deeper layers: what is rotated is contents times gate.
    const auto deeper = tokenGates(*read.session, {.layer = 2, .position = 80}, {});
    ASSERT_TRUE(deeper);
    for (std::size_t i = 0; i < deeper->query.gates.size(); ++i) {
      EXPECT_NEAR(deeper->query.contents[i] * deeper->query.gates[i],
                  read.layers[2].unrotatedQ[80 * deeper->query.gates.size() + i], tolerance);
    }
  }
}

TEST(PscGate, StrengthBlendsTowardsIdentity) {
  const Read read = ropescope::read("float64");
  const auto at = [&](double strength) {
    return golden::must(tokenGates(*read.session, {1, 20, strength}, {})).query.gates;
  };
  const auto full = at(1.0);
  const auto part = at(0.3);
  const auto none = at(0.0);
  for (std::size_t i = 0; i < full.size(); ++i) {
    EXPECT_NEAR(part[i] - 1.0, 0.3 * (full[i] - 1.0), kFloat64);
    EXPECT_EQ(none[i], 1.0);
  }
}

TEST(GateSpread, HasTheQuantilesOfTheSampledTokens) {
  const Read read = ropescope::read("float64");
  const SpreadRequest request{.layer = 1, .side = GateSide::Key, .head = 1, .mostTokens = 20};
  const auto spread = gateSpread(*read.session, request, {});
  ASSERT_TRUE(spread) << spread.error().message;
  EXPECT_EQ(spread->stride, 5);
  EXPECT_EQ(spread->tokens, 18);
  ASSERT_EQ(spread->gates.size(), 16U);
  ASSERT_EQ(spread->turns.size(), 8U);
  std::vector<double> component;
  std::vector<double> turn;
  std::vector<double> all;
  for (std::int64_t position = 0; position < kTokens; position += 5) {
    const auto gates = golden::must(tokenGates(*read.session, {1, position}, {})).key;
    component.push_back(gates.gatesOf(1)[3]);
    turn.push_back(pairTurns(gates.contentsOf(1), gates.gatesOf(1))[6].degrees);
    all.insert(all.end(), gates.gatesOf(1).begin(), gates.gatesOf(1).end());
  }
  for (auto* values : {&component, &turn, &all}) std::sort(values->begin(), values->end());
  // 18 values: the 25 % quantile lies at index 4.25, the median between 8 and 9, 95 % at 16.15.
  const auto expectQuantiles = [](const Quantiles& q, const std::vector<double>& v) {
    EXPECT_NEAR(q.low, v[0] + 0.85 * (v[1] - v[0]), kFloat64);
    EXPECT_NEAR(q.quarter, v[4] + 0.25 * (v[5] - v[4]), kFloat64);
    EXPECT_NEAR(q.median, (v[8] + v[9]) / 2.0, kFloat64);
    EXPECT_NEAR(q.threeQuarters, v[12] + 0.75 * (v[13] - v[12]), kFloat64);
    EXPECT_NEAR(q.high, v[16] + 0.15 * (v[17] - v[16]), kFloat64);
    EXPECT_LT(q.low, q.high) << "the gate depends on the content";
  };
  expectQuantiles(spread->gates[3], component);
  expectQuantiles(spread->turns[6], turn);
  EXPECT_NEAR(spread->all.median, (all[143] + all[144]) / 2.0, kFloat64);  // 18 * 16 values
}

TEST(PscGate, RefusesWhatIsNotThere) {
  const auto engine = loadEngine(tinyPath());
  auto plain = newSession(engine, {.contextTokens = 20, .captureLayers = {1}});
  ASSERT_TRUE(plain->prefill({randomIds(128, 20, 4)}, {}));
  expectError(tokenGates(*plain, {.layer = 1}, {}), ErrorCode::InvalidArgument,
              {"no calibration", "--calibration"});
  const Read read = ropescope::read("float32");
  expectError(tokenGates(*read.session, {.layer = 5}, {}), ErrorCode::InvalidArgument, {"layer 5"});
  expectError(tokenGates(*read.session, {.layer = 1, .position = 90}, {}),
              ErrorCode::InvalidArgument, {"position 90"});
  expectError(tokenGates(*read.session, {1, 2, -0.5}, {}), ErrorCode::InvalidArgument,
              {"strength is -0.5"});
  expectError(gateSpread(*read.session, {.layer = 1, .side = GateSide::Key, .head = 2}, {}),
              ErrorCode::InvalidArgument, {"head 2", "key", "0 to 1"});
  std::stop_source source;
  source.request_stop();
  JobControl stopped;
  stopped.stop = source.get_token();
  expectError(tokenGates(*read.session, {.layer = 1}, stopped), ErrorCode::Cancelled, {"stopped"});
  expectError(gateSpread(*read.session, {.layer = 1}, stopped), ErrorCode::Cancelled, {"stopped"});
}

}  // namespace
}  // namespace ropescope
