#include "core/rope/factor_spline.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

namespace ropescope::rope {
namespace {

constexpr double kRounding = 1e-12;  // of exp(log(x))

TEST(FactorSpline, GoesThroughEveryHandle) {
  const std::vector<FactorHandle> handles = {{0, 1.0}, {7, 1.2}, {15, 3.0}, {24, 2.0}, {31, 4.0}};
  const auto factors = splineFactors(handles, 32);
  ASSERT_EQ(factors.size(), 32U);
  for (const FactorHandle& handle : handles) {
    EXPECT_NEAR(factors[static_cast<std::size_t>(handle.pair)], handle.factor, kRounding);
  }
}

TEST(FactorSpline, NeverLeavesTheRangeOfTwoNeighbours) {
  const std::vector<FactorHandle> handles = {{0, 1.0}, {3, 1.0}, {5, 8.0}, {20, 8.0}, {31, 2.0}};
  const auto factors = splineFactors(handles, 32);
  for (std::size_t i = 0; i + 1 < handles.size(); ++i) {
    const auto [low, high] = std::minmax(handles[i].factor, handles[i + 1].factor);
    for (int pair = handles[i].pair; pair <= handles[i + 1].pair; ++pair) {
      const double factor = factors[static_cast<std::size_t>(pair)];
      EXPECT_GE(factor, low - kRounding) << pair;
      EXPECT_LE(factor, high + kRounding) << pair;
    }
  }
}

// NTK's scale s^(2 i / (d - 2)) is a straight line of the logarithm: two handles make it.
TEST(FactorSpline, TwoHandlesMakeNtk) {
  const auto factors = splineFactors({{0, 1.0}, {31, 4.0}}, 32);
  for (int pair = 0; pair < 32; ++pair) {
    EXPECT_NEAR(factors[static_cast<std::size_t>(pair)], std::pow(4.0, 2.0 * pair / 62.0),
                kRounding);
  }
}

TEST(FactorSpline, IsLevelOutsideOfTheHandles) {
  const auto factors = splineFactors({{4, 2.0}, {6, 3.0}}, 10);
  EXPECT_NEAR(factors[0], 2.0, kRounding);
  EXPECT_NEAR(factors[9], 3.0, kRounding);
  for (const double factor : splineFactors({{5, 1.5}}, 10)) EXPECT_NEAR(factor, 1.5, kRounding);
}

}  // namespace
}  // namespace ropescope::rope
