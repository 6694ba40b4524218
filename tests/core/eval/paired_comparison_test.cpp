#include "core/eval/paired_comparison.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "tests/support/test_models.h"

namespace ropescope {
namespace {

using namespace ropescope::test;

constexpr double kRounding = 1e-14;  // a handful of double operations on numbers near 1

// Three books with 3, 2 and 4 windows. Differences: a -0.10 -0.05 -0.30, b +0.05 -0.10,
// c -0.15 -0.05 +0.05 -0.25.
std::vector<PairedLoss> nineWindows() {
  return {{"a", 3.50, 3.40}, {"a", 3.25, 3.20}, {"a", 4.00, 3.70},
          {"b", 2.75, 2.80}, {"b", 3.00, 2.90}, {"c", 3.60, 3.45},
          {"c", 3.10, 3.05}, {"c", 2.90, 2.95}, {"c", 3.40, 3.15}};
}

// By hand: the mean is -0.90 / 9 = -0.1. Sums of (d - mean) by book: a -0.15, b +0.15, c 0. So
// V = 3/2 (0.15^2 + 0.15^2) / 81 and the error sqrt(V) = 0.0288675. The same from numpy as the
// sandwich (X'X)^-1 (sum X_g' u_g u_g' X_g) (X'X)^-1 G/(G-1) with X = ones: 0.028867513459481235,
// and for the gain 1 - exp(-0.1) = 0.09516258196404048 +- 0.02612040634379531.
TEST(PairedComparison, ClustersTheErrorByBook) {
  const auto result = comparePaired(nineWindows());
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->windows, 9);
  EXPECT_EQ(result->books, 3);
  EXPECT_NEAR(result->meanDifference, -0.1, kRounding);
  ASSERT_TRUE(result->standardError && result->relativeGainError);
  EXPECT_NEAR(*result->standardError, 0.028867513459481235, kRounding);
  EXPECT_NEAR(result->relativeGain, 0.09516258196404048, kRounding);
  EXPECT_NEAR(*result->relativeGainError, 0.02612040634379531, kRounding);
}

TEST(PairedComparison, GivesEveryBooksDifferenceAndCount) {
  const auto result = comparePaired(nineWindows());
  ASSERT_TRUE(result);
  ASSERT_EQ(result->perBook.size(), 3U);
  EXPECT_EQ(result->perBook[0].book, "a");
  EXPECT_EQ(result->perBook[0].windows, 3);
  EXPECT_NEAR(result->perBook[0].meanDifference, -0.15, kRounding);
  EXPECT_EQ(result->perBook[1].windows, 2);
  EXPECT_NEAR(result->perBook[1].meanDifference, -0.025, kRounding);
  EXPECT_EQ(result->perBook[2].windows, 4);
  EXPECT_NEAR(result->perBook[2].meanDifference, -0.1, kRounding);
}

// Clusters of one window each: the plain standard error of a mean, deviation / sqrt(n).
// Differences 1, 2, 3, 6: mean 3, squares 4 + 1 + 0 + 9 = 14, sqrt(14 / 3 / 4).
TEST(PairedComparison, OfOneWindowABookIsThePlainStandardError) {
  const auto result = comparePaired({{"a", 0, 1}, {"b", 0, 2}, {"c", 0, 3}, {"d", 0, 6}});
  ASSERT_TRUE(result);
  EXPECT_NEAR(*result->standardError, std::sqrt(14.0 / 12.0), kRounding);
}

TEST(PairedComparison, WindowsOfABookInAnyOrderAreOneCluster) {
  auto mixed = nineWindows();
  std::swap(mixed[0], mixed[8]);
  std::swap(mixed[1], mixed[4]);
  const auto result = comparePaired(mixed);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->books, 3);
  EXPECT_NEAR(*result->standardError, 0.028867513459481235, kRounding);
}

TEST(PairedComparison, OfOneBookHasNoErrorAndSaysWhy) {
  const auto result = comparePaired({{"a", 3.0, 2.9}, {"a", 3.0, 2.7}});
  ASSERT_TRUE(result);
  EXPECT_NEAR(result->meanDifference, -0.2, kRounding);
  EXPECT_FALSE(result->standardError);
  EXPECT_FALSE(result->relativeGainError);
  EXPECT_FALSE(result->exceeds(2.0));
  EXPECT_NE(result->note.find("one book"), std::string::npos);
}

TEST(PairedComparison, SaysThatFewBooksCarryTheError) {
  const auto few = comparePaired(nineWindows());
  ASSERT_TRUE(few);
  EXPECT_NE(few->note.find("only 3 books"), std::string::npos) << few->note;
  EXPECT_NE(few->note.find("2 degrees of freedom"), std::string::npos) << few->note;
  std::vector<PairedLoss> many;
  for (char book = 'a'; book < 'a' + kFewBooks; ++book) {
    many.push_back({std::string(1, book), 0.0, static_cast<double>(book)});
  }
  const auto enough = comparePaired(many);
  ASSERT_TRUE(enough);
  EXPECT_EQ(enough->note, "");
}

TEST(PairedComparison, ExceedsComparesWithTheError) {
  const auto result = comparePaired(nineWindows());  // 0.1 / 0.02887 = 3.46 errors
  ASSERT_TRUE(result);
  EXPECT_EQ(result->exceeds(3.4), true);
  EXPECT_EQ(result->exceeds(3.5), false);
}

TEST(PairedComparison, RefusesNothingAndWhatIsNoNumber) {
  expectError(comparePaired({}), ErrorCode::InvalidArgument, {"no windows"});
  expectError(comparePaired({{"a", 1, 1}, {"b", 1, std::numeric_limits<double>::quiet_NaN()}}),
              ErrorCode::InvalidArgument, {"window 1", "'b'", "finite"});
}

// Values 1 2 | 4 5 6: mean 3.6, sums of residuals -4.2 and +4.2, error sqrt(2 * 35.28) / 5.
TEST(ClusteredMean, ByHand) {
  const auto result = clusteredMean({{"a", 1}, {"a", 2}, {"b", 4}, {"b", 5}, {"b", 6}});
  ASSERT_TRUE(result);
  EXPECT_NEAR(result->mean, 3.6, kRounding);
  EXPECT_EQ(result->books, 2);
  EXPECT_NEAR(*result->standardError, std::sqrt(2.0 * 35.28) / 5.0, kRounding);
}

}  // namespace
}  // namespace ropescope
