#include "ui/viewmodels/text_shading.h"

#include <QSignalSpy>
#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

namespace ropescope::ui {
namespace {

const std::vector<int> kOffsets{0, 0, 3, 7, 7, 12};  // pieces 0 (BOS) and 3 write nothing

TEST(TextShading, PiecesAndCharactersFindEachOther) {
  EXPECT_EQ(piecesWithin(kOffsets, {3, 7}), (TokenRange{2, 3}));
  EXPECT_EQ(piecesWithin(kOffsets, {1, 8}), (TokenRange{1, 5}));
  EXPECT_EQ(piecesWithin(kOffsets, {0, 3}), (TokenRange{1, 2}));
  EXPECT_EQ(piecesWithin(kOffsets, {0, 99}), (TokenRange{1, 5}));
  EXPECT_EQ(piecesWithin(kOffsets, {4, 4}), TokenRange{});
  EXPECT_EQ(piecesWithin(kOffsets, {12, 20}), TokenRange{});
  EXPECT_EQ(piecesWithin({}, {0, 5}), TokenRange{});
  EXPECT_EQ(pieceAt(kOffsets, 0), 1);
  EXPECT_EQ(pieceAt(kOffsets, 7), 4);
  EXPECT_EQ(pieceAt(kOffsets, 12), -1);
  EXPECT_EQ(pieceAt(kOffsets, -1), -1);
  EXPECT_EQ(charactersOf(kOffsets, {2, 4}), (CharacterRange{3, 7}));
  EXPECT_EQ(charactersOf(kOffsets, {4, 50}), (CharacterRange{7, 12}));
  EXPECT_TRUE(charactersOf(kOffsets, {5, 6}).isEmpty());
  EXPECT_TRUE(charactersOf({}, {0, 1}).isEmpty());
}

TEST(TextShading, LevelsSpanTwoPowersOfTen) {
  const auto levels = amountLevels({0.5, 0.05, 0.005, 0.001, 0.0, std::nan("")});
  EXPECT_FLOAT_EQ(levels[0], 1.0F);
  EXPECT_FLOAT_EQ(levels[1], 0.5F);
  for (std::size_t i = 3; i < levels.size(); ++i) EXPECT_TRUE(std::isnan(levels[i])) << i;
  EXPECT_TRUE(amountLevels({}).empty());
}

TEST(TextShading, TheStripShowsASingleTokenWhereverItStands) {
  constexpr int kTokens = 5000;
  TextShades shades;
  for (int i = 0; i <= kTokens; ++i) shades.offsets.push_back(4 * i);
  for (const int height : {37, 200, 700}) {
    for (int needle = 0; needle < kTokens; needle += 83) {
      shades.levels.assign(kTokens, 0.1F);
      shades.levels[static_cast<std::size_t>(needle)] = 1.0F;
      const auto strip = stripLevels(shades, 4 * kTokens, height);
      ASSERT_EQ(strip.size(), static_cast<std::size_t>(height));
      const auto row = static_cast<std::size_t>(needle * height / kTokens);
      EXPECT_EQ(strip[row], 1.0F) << "token " << needle << " of height " << height;
      EXPECT_LE(std::count(strip.begin(), strip.end(), 1.0F), 2);
    }
  }
}

TEST(TextShading, AShortTextFillsTheWholeStrip) {
  const auto strip = stripLevels({{0, 5, 10}, {0.25F, std::nanf("")}}, 10, 100);
  EXPECT_EQ(strip[0], 0.25F);
  EXPECT_EQ(strip[49], 0.25F);  // five characters of ten
  EXPECT_TRUE(std::isnan(strip[50]));
}

TEST(TextShading, TellsOnlyWhatChanged) {
  TextShading shading;
  QSignalSpy changed(&shading, &TextShading::changed);
  const auto shades = std::make_shared<const TextShades>();
  shading.setShades(ShadeBy::Loss, shades, "nats");
  EXPECT_EQ(changed.size(), 0);  // nothing is shown yet
  shading.setMode(ShadeBy::Loss);
  EXPECT_EQ(changed.size(), 1);
  EXPECT_EQ(shading.shades(), shades);
  EXPECT_EQ(shading.legend(), QStringLiteral("nats"));
  shading.setShades(ShadeBy::Loss, shades, "nats");
  shading.setMode(ShadeBy::Loss);
  EXPECT_EQ(changed.size(), 1);
  shading.setMode(ShadeBy::Nothing);
  EXPECT_EQ(shading.shades(), nullptr);
}

}  // namespace
}  // namespace ropescope::ui
