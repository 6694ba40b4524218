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

TEST_F(HeadChoiceTest, BeginsWithTheChosenHead) {
  EXPECT_EQ(choice.kind(), HeadSetKind::One);
  choice.setHead({1, 2});
  EXPECT_EQ(choice.set(), HeadSet::one({1, 2}));
}

TEST_F(HeadChoiceTest, ASetStaysWhileTheChosenHeadMoves) {
  choice.useMean();
  QSignalSpy changed(&choice, &HeadChoice::setChanged);
  choice.setHead({1, 0});
  EXPECT_EQ(choice.set(), HeadSet::meanOfAll(2, 3));
  EXPECT_EQ(changed.size(), 0);
  choice.useHead();
  EXPECT_EQ(choice.set(), HeadSet::one({1, 0}));
}

TEST_F(HeadChoiceTest, HasNoRetrievalHeadsBeforeTheyAreFound) {
  choice.useBest();
  EXPECT_EQ(choice.kind(), HeadSetKind::One);
  choice.setRanking(ranking());
  choice.useBest();
  EXPECT_EQ(choice.set(), HeadSet::best(ranking()->heads, HeadChoice::kBest));
  choice.setRanking(nullptr);
  EXPECT_EQ(choice.kind(), HeadSetKind::One);
}

TEST_F(HeadChoiceTest, AnotherModelForgetsWhatWasFound) {
  choice.setHead({1, 2});
  choice.setRanking(ranking());
  choice.useBest();
  choice.setModelShape(1, 2);
  EXPECT_EQ(choice.ranking(), nullptr);
  EXPECT_EQ(choice.set(), HeadSet::one({0, 1}));
}

TEST_F(HeadChoiceTest, RefusesAHeadThatTheModelDoesNotHave) {
  choice.setHead({2, 0});
  choice.setHead({0, 3});
  choice.setHead({-1, 0});
  EXPECT_EQ(choice.head(), (HeadRef{0, 0}));
}

}  // namespace
}  // namespace ropescope::ui
