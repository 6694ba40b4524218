#include "core/picture/axis.h"

#include <limits>

#include <gtest/gtest.h>

namespace ropescope::picture {
namespace {

std::vector<std::string> texts(const std::vector<Tick>& ticks) {
  std::vector<std::string> found;
  for (const Tick& tick : ticks) found.push_back(tick.text);
  return found;
}

using Texts = std::vector<std::string>;

TEST(NumberText, ReadsLikePrint) {
  EXPECT_EQ(numberText(0), "0");
  EXPECT_EQ(numberText(1024), "1,024");
  EXPECT_EQ(numberText(1234567), "1,234,567");
  EXPECT_EQ(numberText(-1500), "-1,500");
  EXPECT_EQ(numberText(0.25), "0.25");
  EXPECT_EQ(numberText(1.1386), "1.139");
  EXPECT_EQ(numberText(0.001), "0.001");
  EXPECT_EQ(numberText(0.0001), "1e-4");
  EXPECT_EQ(numberText(9.2e-5), "9.2e-5");
  EXPECT_EQ(numberText(1e7), "1e7");
  EXPECT_EQ(numberText(std::numeric_limits<double>::infinity()), "∞");
}

TEST(FixedText, KeepsItsDecimals) {
  EXPECT_EQ(fixedText(1234.5, 2), "1,234.50");
  EXPECT_EQ(fixedText(-0.2, 0), "0");
  EXPECT_EQ(fixedText(-123, 0), "-123");
}

TEST(TokenText, UsesKOnlyForWholeMultiples) {
  EXPECT_EQ(tokenText(512), "512");
  EXPECT_EQ(tokenText(1000), "1,000");
  EXPECT_EQ(tokenText(1024), "1k");
  EXPECT_EQ(tokenText(65536), "64k");
  EXPECT_EQ(tokenText(1048576), "1M");
}

TEST(LinearTicks, AreRoundAndInside) {
  EXPECT_EQ(texts(linearTicks(0, 100, 5)), (Texts{"0", "20", "40", "60", "80", "100"}));
  EXPECT_EQ(texts(linearTicks(3, 4.1, 4)), (Texts{"3.0", "3.5", "4.0"}));
  EXPECT_EQ(texts(linearTicks(900, 4096, 4)), (Texts{"1,000", "2,000", "3,000", "4,000"}));
  EXPECT_TRUE(linearTicks(5, 5, 4).empty());
}

TEST(Log10Ticks, AreDecades) {
  EXPECT_EQ(texts(log10Ticks(1e-4, 1, 8)), (Texts{"1e-4", "0.001", "0.01", "0.1", "1"}));
  EXPECT_EQ(texts(log10Ticks(8, 120, 8)), (Texts{"10", "20", "50", "100"}));
  EXPECT_TRUE(log10Ticks(0, 10, 8).empty()) << "zero has no place on a log axis";
}

TEST(Log10Ticks, LeaveOutNumbersWhereDecadesAreMany) {
  int numbered = 0;
  for (const Tick& tick : log10Ticks(1e-8, 1, 4)) numbered += tick.text.empty() ? 0 : 1;
  EXPECT_LE(numbered, 5);
  EXPECT_GE(numbered, 3);
}

TEST(TokenTicks, AreDoublings) {
  EXPECT_EQ(texts(tokenTicks(900, 17000, 10)), (Texts{"1k", "2k", "4k", "8k", "16k"}));
}

TEST(TokenTicks, FallBackToRoundNumbersBetweenTwoPowers) {
  EXPECT_GE(tokenTicks(1100, 1900, 4).size(), 2U);
}

TEST(Axis, PutsValuesWhereTheScaleSays) {
  const Axis log2{.scale = AxisScale::Log2, .first = 1024, .last = 4096};
  EXPECT_DOUBLE_EQ(log2.share(2048), 0.5);
  const Axis log10{.scale = AxisScale::Log10, .first = 1, .last = 1000};
  EXPECT_NEAR(log10.share(10), 1.0 / 3, 1e-12);  // rounding of two logarithms
  const Axis linear{.first = 10, .last = 20};
  EXPECT_DOUBLE_EQ(linear.share(12.5), 0.25);
}

}  // namespace
}  // namespace ropescope::picture
