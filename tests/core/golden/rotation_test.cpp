// Rotation and phase shift of single vectors, worked out by hand.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/rope/phase_torch.h"
#include "core/rope/rotary_torch.h"
#include "tests/support/golden.h"

namespace ropescope::rope {
namespace {

using golden::Json;
using golden::must;

const Json& closedForm() {
  static const Json json = golden::fileJson(golden::goldenPath("closed_form.json"));
  return json;
}

at::Tensor tensorOf(const Json& list) {  // [1, 1, D]
  return at::tensor(list.get<std::vector<double>>(), at::kDouble).view({1, 1, -1});
}

double largestDifference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

TEST(Rotation, PairsHalvesAsTheHandComputationDoes) {
  const Json& entry = closedForm().at("rotation");
  const std::int64_t position = entry.at("position");
  const auto plan = must(makePlan({.id = "none"}, {.base = entry.at("base"),
                                                   .headDim = entry.at("head_dim"),
                                                   .originalLength = 64,
                                                   .plannedLength = 64}));
  const auto tables = rotaryTables(plan, position + 1, at::kCPU, at::kDouble);
  const at::Tensor turned = rotate(tensorOf(entry.at("x")), tables, position);
  EXPECT_LE(largestDifference(turned, tensorOf(entry.at("half_split"))),
            entry.at("absolute_tolerance").get<double>());
  EXPECT_GT(largestDifference(turned, tensorOf(entry.at("interleaved_for_contrast"))), 0.1);
}

TEST(Rotation, OfAChunkIsThatOfItsTokensOneByOne) {
  const auto plan =
      must(makePlan({.id = "yarn", .factor = 4.0},
                    {.base = 1e4, .headDim = 16, .originalLength = 64, .plannedLength = 256}));
  const auto tables = rotaryTables(plan, 256, at::kCPU, at::kFloat);
  at::manual_seed(3);
  const at::Tensor x = at::randn({7, 3, 16});  // [T, H, D]
  const at::Tensor chunk = rotate(x, tables, 200);
  for (std::int64_t t = 0; t < x.size(0); ++t) {
    EXPECT_TRUE(at::equal(chunk.narrow(0, t, 1), rotate(x.narrow(0, t, 1), tables, 200 + t)));
  }
}

PhaseModule handModule(int headDim) {
  at::Tensor up = at::empty({1, headDim, headDim}, at::kDouble);
  at::Tensor down = at::empty_like(up);
  for (int i = 0; i < headDim; ++i) {
    for (int j = 0; j < headDim; ++j) {
      up[0][i][j] = 0.1 * (i + 1) - 0.05 * j;
      down[0][i][j] = ((i + j) % 2 == 0 ? 0.2 : -0.2) + 0.1 * i;
    }
  }
  return {up, down};
}

TEST(PhaseShift, IsTheHandComputedOne) {
  const Json& entry = closedForm().at("psc");
  const PhaseModule module = handModule(entry.at("head_dim"));
  const at::Tensor x = tensorOf(entry.at("x"));
  const at::Tensor out = shiftPhase(x, module, entry.at("strength"));
  EXPECT_LE(largestDifference(out, tensorOf(entry.at("out"))),
            entry.at("absolute_tolerance").get<double>());
  const PhaseModule transposed{module.up.transpose(1, 2), module.down};
  EXPECT_GT(largestDifference(shiftPhase(x, transposed, 1.0), out), 1e-4);
}

TEST(PhaseShift, IsIdentityAtZeroStrengthAndWithZeroUp) {
  const at::Tensor x = tensorOf(closedForm().at("psc").at("x"));
  PhaseModule module = handModule(4);
  EXPECT_TRUE(at::equal(shiftPhase(x, module, 0.0), x));
  EXPECT_TRUE(at::equal(shiftPhase(x, PhaseModule{}, 1.0), x));
  module.up.zero_();  // as at the start of training
  EXPECT_TRUE(at::equal(shiftPhase(x, module, 1.0), x));
}

TEST(PhaseShift, StaysWithinHalfAndTurnsAPairByLessThanThirtyDegrees) {
  at::manual_seed(4);
  const PhaseModule module{at::randn({3, 8, 8}) * 5, at::randn({3, 8, 8}) * 5};
  const at::Tensor x = at::randn({50, 3, 8});
  const at::Tensor out = shiftPhase(x, module, 1.0);
  EXPECT_LE((out / x - 1.0).abs().max().item<double>(), 0.5 + 1e-6);
  const auto half = [](const at::Tensor& t, int which) { return t.narrow(2, 4 * which, 4); };
  const at::Tensor turned =
      at::atan2(half(out, 1), half(out, 0)) - at::atan2(half(x, 1), half(x, 0));
  EXPECT_LE(turned.abs().max().item<double>(), 30.0 * 3.14159265358979 / 180.0 + 1e-5);
  EXPECT_GT(turned.abs().max().item<double>(), 0.3);
}

}  // namespace
}  // namespace ropescope::rope
