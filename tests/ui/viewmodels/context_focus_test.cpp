#include "ui/viewmodels/context_focus.h"

#include <QSignalSpy>

#include <gtest/gtest.h>

namespace ropescope::ui {
namespace {

TEST(ContextFocus, FollowsTheMaximumUntilALengthIsChosen) {
  ContextFocus focus;
  focus.setMaximum(4096);
  EXPECT_EQ(focus.length(), 4096);
  EXPECT_FALSE(focus.isChosen());
  focus.setLength(1000);
  focus.setMaximum(8192);
  EXPECT_EQ(focus.length(), 1000);
  EXPECT_TRUE(focus.isChosen());
}

TEST(ContextFocus, StaysWithinWhatIsPlanned) {
  ContextFocus focus;
  focus.setMaximum(4096);
  focus.setLength(3);
  EXPECT_EQ(focus.length(), 256);
  focus.setLength(100'000);
  EXPECT_EQ(focus.length(), 4096);
  focus.setMaximum(512);  // another document
  EXPECT_EQ(focus.length(), 512);
  focus.setMaximum(100);  // shorter than the shortest: the whole of it
  EXPECT_EQ(focus.minimum(), 100);
  EXPECT_EQ(focus.length(), 100);
}

TEST(ContextFocus, TellsEveryChangeOnceAndTheEndOfADragApart) {
  ContextFocus focus;
  focus.setMaximum(4096);
  QSignalSpy changed(&focus, &ContextFocus::lengthChanged);
  QSignalSpy settled(&focus, &ContextFocus::settled);
  for (const qint64 length : {300, 300, 400}) focus.setLength(length);
  EXPECT_EQ(changed.count(), 2);
  EXPECT_EQ(settled.count(), 0);
  focus.settle();
  ASSERT_EQ(settled.count(), 1);
  EXPECT_EQ(settled.front().front().toLongLong(), 400);
}

TEST(ContextFocus, KnowsWhatLiesBeyondTheTrainedLength) {
  ContextFocus focus;
  focus.setMaximum(4096);
  EXPECT_FALSE(focus.isBeyondTrained()) << "no model";
  focus.setTrained(1024);
  EXPECT_TRUE(focus.isBeyondTrained());
  focus.setLength(1024);
  EXPECT_FALSE(focus.isBeyondTrained()) << "the trained length itself is trained";
}

}  // namespace
}  // namespace ropescope::ui
