#include "core/lens/head_set.h"

#include <array>

#include <gtest/gtest.h>

namespace ropescope {
namespace {

// Three heads whose scores are easy shares: 3/4 and 1/4 of the first two.
const std::array<HeadScore, 4> kRanking{{{.head = {2, 1}, .score = 0.75},
                                         {.head = {0, 3}, .score = 0.25},
                                         {.head = {1, 0}, .score = 0.125},
                                         {.head = {1, 1}, .score = 0.0}}};

std::vector<WeightedHead> heads(const HeadSet& set) {
  return {set.heads().begin(), set.heads().end()};
}

TEST(HeadSet, OneHeadHasAllTheWeight) {
  const HeadSet set = HeadSet::one({3, 5});
  EXPECT_EQ(heads(set), (std::vector<WeightedHead>{{{3, 5}, 1.0}}));
  EXPECT_EQ(set.kind(), HeadSetKind::One);
}

TEST(HeadSet, TheMeanHoldsEveryHeadAlike) {
  const HeadSet set = HeadSet::meanOfAll(2, 2);
  EXPECT_EQ(heads(set), (std::vector<WeightedHead>{
                            {{0, 0}, 0.25}, {{0, 1}, 0.25}, {{1, 0}, 0.25}, {{1, 1}, 0.25}}));
  EXPECT_EQ(set.layers(), (std::vector<int>{0, 1}));
}

TEST(HeadSet, TheBestAreWeightedByTheirScores) {
  const HeadSet set = HeadSet::best(kRanking, 2);
  EXPECT_EQ(heads(set), (std::vector<WeightedHead>{{{0, 3}, 0.25}, {{2, 1}, 0.75}}));
  EXPECT_EQ(set.kind(), HeadSetKind::Retrieval);
}

TEST(HeadSet, HeadsThatScoreNothingAreNoRetrievalHeads) {
  EXPECT_EQ(HeadSet::best(kRanking, 10).heads().size(), 3U);
  EXPECT_TRUE(HeadSet::best(std::span(kRanking).last(1), 1).isEmpty());
  EXPECT_TRUE(HeadSet::best(kRanking, 0).isEmpty());
}

TEST(HeadSet, WithinCapturedLayersTheWeightsSumToOneAgain) {
  const HeadSet set = HeadSet::best(kRanking, 3).within(std::array{0, 1});
  EXPECT_EQ(set.heads().size(), 2U);
  EXPECT_DOUBLE_EQ(set.heads()[0].weight, 2.0 / 3.0);  // 0.25 of 0.375
  EXPECT_DOUBLE_EQ(set.heads()[1].weight, 1.0 / 3.0);
  EXPECT_EQ(set.within(std::array{0, 1, 2}), set);
  EXPECT_TRUE(set.within({}).isEmpty());
}

}  // namespace
}  // namespace ropescope
