// The pair of tokens that views share.
#include "ui/viewmodels/token_choice.h"

#include <QSignalSpy>

#include <gtest/gtest.h>

namespace ropescope::ui {
namespace {

TEST(TokenChoice, TheLaterTokenIsTheQuery) {
  TokenChoice choice;
  const QSignalSpy changed(&choice, &TokenChoice::changed);
  EXPECT_FALSE(choice.isSet());
  choice.choose(3, 10);
  EXPECT_EQ(choice.query(), 10);
  EXPECT_EQ(choice.key(), 3);
  EXPECT_EQ(choice.distance(), 7);
  choice.choose(10, 3);  // the same pair
  EXPECT_EQ(changed.size(), 1);
  choice.choose(-1, 3);
  EXPECT_EQ(choice.query(), 10);
  choice.choose(5, 5);  // a token sees itself
  EXPECT_EQ(choice.distance(), 0);
  choice.clear();
  EXPECT_FALSE(choice.isSet());
  EXPECT_EQ(changed.size(), 3);
}

TEST(TokenChoice, TwoClicksMakeAPair) {
  TokenChoice choice;
  const QSignalSpy changed(&choice, &TokenChoice::changed);
  choice.pick(8);
  EXPECT_EQ(choice.picked(), 8);
  EXPECT_FALSE(choice.isSet());
  choice.pick(2);
  EXPECT_EQ(choice.picked(), -1);
  EXPECT_EQ(choice.query(), 8);
  EXPECT_EQ(choice.key(), 2);
  choice.pick(4);
  choice.choose(9, 1);  // a click on the map ends the waiting
  EXPECT_EQ(choice.picked(), -1);
  EXPECT_EQ(choice.query(), 9);
  EXPECT_EQ(changed.size(), 2);
}

}  // namespace
}  // namespace ropescope::ui
