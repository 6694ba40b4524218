#include "core/picture/angle_picture.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/core/picture/picture_support.h"

namespace ropescope::picture {
namespace {

AnglePictureInput inputWithPairs(int pairs) {
  AnglePictureInput input;
  for (int pair = 0; pair < pairs; ++pair) {
    input.plainInvFreq.push_back(std::pow(10000.0, -static_cast<double>(pair) / pairs));
  }
  AngleMethod pi{.name = "PI, factor 4", .invFreq = input.plainInvFreq};
  for (double& frequency : pi.invFreq) frequency /= 4;
  input.methods = {pi};
  input.trainedLength = 1024;
  input.plannedLength = 4096;
  input.position = 3000;
  return input;
}

TEST(AnglePicture, DrawsFewAndManyPairs) {
  SKIP_WITHOUT_PICTURES();
  for (const int pairs : {1, 2, 32, 128}) {
    const auto canvas = drawAnglePicture(inputWithPairs(pairs), {.pixelRatio = 1});
    EXPECT_TRUE(canvas) << pairs << ": " << canvas.error().message;
  }
}

TEST(AnglePicture, DrawsWithoutMethodsAndWithoutAKnownTrainedLength) {
  SKIP_WITHOUT_PICTURES();
  AnglePictureInput input = inputWithPairs(16);
  input.methods.clear();
  input.trainedLength = 0;
  input.plannedLength.reset();
  EXPECT_TRUE(drawAnglePicture(input, {.theme = ThemeKind::Dark, .pixelRatio = 1}));
}

TEST(AnglePicture, LeavesAGapWhereAPairDoesNotTurn) {
  SKIP_WITHOUT_PICTURES();
  AnglePictureInput input = inputWithPairs(16);
  input.methods[0].invFreq[15] = 0;
  EXPECT_TRUE(drawAnglePicture(input, {.pixelRatio = 1}));
}

TEST(AnglePicture, GrowsWithItsLegendInsteadOfCuttingIt) {
  SKIP_WITHOUT_PICTURES();
  AnglePictureInput input = inputWithPairs(16);
  const auto one = drawAnglePicture(input, {.pixelRatio = 1});
  for (int i = 0; i < 9; ++i) {
    input.methods.push_back(input.methods[0]);
    input.methods.back().name = "a method with a rather long name";
  }
  const auto many = drawAnglePicture(input, {.pixelRatio = 1});
  ASSERT_TRUE(one);
  ASSERT_TRUE(many);
  EXPECT_GT(many->height(), one->height());
}

TEST(AnglePicture, RefusesWhatItCannotShow) {
  const auto none = drawAnglePicture({});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message,
            "angle picture: the model has no rotary pairs; it needs at least one");
  AnglePictureInput input = inputWithPairs(16);
  input.methods[0].invFreq.pop_back();
  const auto uneven = drawAnglePicture(input);
  ASSERT_FALSE(uneven);
  EXPECT_EQ(uneven.error().message,
            "angle picture: 'PI, factor 4' has 15 frequencies, the model has 16 pairs");
  input = inputWithPairs(16);
  input.position = -1;
  EXPECT_FALSE(drawAnglePicture(input));
  input = inputWithPairs(16);
  input.plainInvFreq[3] = std::nan("");
  EXPECT_FALSE(drawAnglePicture(input));
}

}  // namespace
}  // namespace ropescope::picture
