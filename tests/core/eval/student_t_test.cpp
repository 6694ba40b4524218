#include "core/eval/student_t.h"

#include <cmath>

#include <gtest/gtest.h>

namespace ropescope {
namespace {

// Critical values of the two-sided test as every statistics textbook prints them, to three digits
// behind the point: the probability is right to the slope there times half a unit of that digit.
TEST(StudentT, AgreesWithPrintedTables) {
  const struct {
    std::int64_t degrees;
    double t;
    double within;
  } rows[] = {{1, 12.706, 0.95}, {2, 4.303, 0.95}, {3, 3.182, 0.95},  {4, 2.776, 0.95},
              {5, 2.571, 0.95},  {9, 2.262, 0.95}, {10, 2.228, 0.95}, {30, 2.042, 0.95},
              {3, 5.841, 0.99},  {4, 4.604, 0.99}, {3, 1.638, 0.80},  {120, 1.980, 0.95}};
  constexpr double kThreeDigits = 1e-4;
  for (const auto& row : rows) {
    EXPECT_NEAR(studentWithin(row.t, row.degrees), row.within, kThreeDigits)
        << row.t << " with " << row.degrees;
  }
}

// By hand from the density for 1 and 2 degrees: 2 atan(t) / pi and t / sqrt(2 + t^2).
TEST(StudentT, ByHandForOneAndTwoDegrees) {
  EXPECT_NEAR(studentWithin(1.0, 1), 0.5, 1e-15);
  EXPECT_NEAR(studentWithin(2.0, 2), 2.0 / std::sqrt(6.0), 1e-15);
  EXPECT_EQ(studentWithin(0.0, 3), 0.0);
  EXPECT_EQ(studentWithin(-2.0, 3), studentWithin(2.0, 3));
}

}  // namespace
}  // namespace ropescope
