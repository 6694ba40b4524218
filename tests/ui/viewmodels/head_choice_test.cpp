#include "ui/viewmodels/head_choice.h"

#include <QSignalSpy>

#include <gtest/gtest.h>

namespace ropescope::ui {
namespace {

std::shared_ptr<const RetrievalRanking> ranking() {
  RetrievalRanking found;
  found.heads = {{.head = {1, 2}, .score = 0.6}, {.head = {0, 0}, .score = 0.2}};
  return std::make_shared<const RetrievalRanking>(found);
}

struct HeadChoiceTest : ::testing::Test {
  HeadChoice choice;
  HeadChoiceTest() { choice.setModelShape(2, 3); }
};

TEST_F(HeadChoiceTest, HasTheChosenHead) {
  choice.setHead({1, 2});
  EXPECT_EQ(choice.set(HeadSetKind::One), HeadSet::one({1, 2}));
  EXPECT_EQ(choice.text(HeadSetKind::One), "layer 1, head 2");
}

TEST_F(HeadChoiceTest, TheMeanStaysWhileTheChosenHeadMoves) {
  QSignalSpy changed(&choice, &HeadChoice::headChanged);
  choice.setHead({1, 0});
  EXPECT_EQ(changed.size(), 1);
  EXPECT_EQ(choice.set(HeadSetKind::Mean), HeadSet::meanOfAll(2, 3));
  EXPECT_EQ(choice.text(HeadSetKind::Mean), "mean of all 6 heads");
  EXPECT_EQ(choice.set(HeadSetKind::One), HeadSet::one({1, 0}));
}

TEST_F(HeadChoiceTest, HasNoRetrievalHeadsBeforeTheyAreFound) {
  EXPECT_TRUE(choice.set(HeadSetKind::Retrieval).isEmpty());
  choice.setRanking(ranking());
  EXPECT_EQ(choice.set(HeadSetKind::Retrieval), HeadSet::best(ranking()->heads, HeadChoice::kBest));
  EXPECT_EQ(choice.text(HeadSetKind::Retrieval), "the 2 best retrieval heads");
  choice.setRanking(nullptr);
  EXPECT_TRUE(choice.set(HeadSetKind::Retrieval).isEmpty());
}

TEST_F(HeadChoiceTest, AnotherModelForgetsWhatWasFound) {
  choice.setHead({1, 2});
  choice.setRanking(ranking());
  choice.setModelShape(1, 2);
  EXPECT_EQ(choice.ranking(), nullptr);
  EXPECT_TRUE(choice.set(HeadSetKind::Retrieval).isEmpty());
  EXPECT_EQ(choice.set(HeadSetKind::One), HeadSet::one({0, 1}));
}

TEST_F(HeadChoiceTest, HasNoHeadsWithoutAModel) {
  const HeadChoice none;
  for (const auto kind : {HeadSetKind::One, HeadSetKind::Mean, HeadSetKind::Retrieval}) {
    EXPECT_TRUE(none.set(kind).isEmpty());
  }
}

TEST_F(HeadChoiceTest, RefusesAHeadThatTheModelDoesNotHave) {
  choice.setHead({2, 0});
  choice.setHead({0, 3});
  choice.setHead({-1, 0});
  EXPECT_EQ(choice.head(), (HeadRef{0, 0}));
}

}  // namespace
}  // namespace ropescope::ui
