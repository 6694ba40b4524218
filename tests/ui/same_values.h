// Weights compared cell by cell; masked cells are NaN on both sides.
#pragma once

#include <cmath>
#include <gtest/gtest.h>
#include <vector>

namespace ropescope::ui {

inline void expectSame(const std::vector<float>& shown, const std::vector<float>& wanted) {
  ASSERT_EQ(shown.size(), wanted.size());
  for (std::size_t i = 0; i < shown.size(); ++i) {
    ASSERT_TRUE(shown[i] == wanted[i] || (std::isnan(shown[i]) && std::isnan(wanted[i]))) << i;
  }
}

}  // namespace ropescope::ui
