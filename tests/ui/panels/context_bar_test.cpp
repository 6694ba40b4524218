#include "ui/panels/context_bar.h"

#include <QCheckBox>
#include <QLabel>

#include <gtest/gtest.h>

#include "tests/ui/live_app.h"

namespace ropescope::ui {
namespace {

struct Bar {
  LiveApp live;
  ContextFocus focus;
  ContextBar bar{focus, live.app, live.chat};
  LengthSlider* slider = bar.findChild<LengthSlider*>("contextLength");

  Bar() {
    bar.resize(900, 34);
    bar.show();
  }
  void begin(int sentences) {
    live.load();
    live.open(sentences);
    live.app.setAnswerTokens(4);
    focus.setTrained(live.app.engine()->config().trainedLength);
    focus.setMaximum(live.app.plannedContext());
  }
};

TEST(ContextBar, TheSliderMeetsTheTrainedLengthAndBothEndsExactly) {
  Bar bar;
  for (const auto& [maximum, trained] :
       {std::pair{4096, 1024}, std::pair{5000, 1000}, std::pair{65536, 4096}}) {
    bar.focus.setMaximum(maximum);
    bar.focus.setTrained(trained);
    EXPECT_EQ(bar.slider->tokensAt(0), 256);
    EXPECT_EQ(bar.slider->tokensAt(bar.slider->maximum()), maximum);
    EXPECT_EQ(bar.slider->tokensAt(bar.slider->stepOf(trained)), trained);
    for (int step = 1; step <= bar.slider->maximum(); ++step) {
      EXPECT_GT(bar.slider->tokensAt(step), bar.slider->tokensAt(step - 1)) << step;
    }
  }
}

TEST(ContextBar, ADragMovesTheFocusAndAsksOnceWhenItEnds) {
  Bar bar;
  bar.begin(100);
  bar.live.chat.ask("Who?");
  bar.live.idle();
  ASSERT_EQ(bar.live.chat.turns().size(), 1U);
  bar.slider->setSliderDown(true);
  for (int step = bar.slider->maximum(); step > 5; --step) bar.slider->setValue(step);
  EXPECT_EQ(bar.live.chat.turns().size(), 1U) << "nothing is asked while it is dragged";
  EXPECT_EQ(bar.focus.length(), bar.slider->tokensAt(6));
  bar.slider->setSliderDown(false);
  bar.live.idle();
  ASSERT_EQ(bar.live.chat.turns().size(), 2U);
  EXPECT_EQ(bar.live.lastTurn().cutTokens, bar.focus.length());
  EXPECT_EQ(bar.live.lastTurn().question, "Who?");
  const auto* answer = bar.bar.findChild<QLabel*>("contextAnswer");
  EXPECT_TRUE(answer->toolTip().contains("cut to")) << qPrintable(answer->toolTip());
}

TEST(ContextBar, AsksAPreparedQuestionAgainWithoutWhatIsWanted) {
  Bar bar;
  bar.begin(100);
  const auto tokenizer = *bar.live.app.engine()->tokenizer();
  const auto ids = tokenizer->encode("What is the pass key").ids;
  bar.live.chat.askPrepared("What is the pass key?", ids, "wanted: 48213");
  bar.live.idle();
  bar.focus.setLength(400);
  bar.focus.settle();
  bar.live.idle();
  ASSERT_EQ(bar.live.chat.turns().size(), 2U);
  const ChatTurn& again = bar.live.lastTurn();
  EXPECT_EQ(again.cutTokens, 400);
  EXPECT_EQ(again.question, "What is the pass key?");
  EXPECT_EQ(again.questionIds, ids);
}

TEST(ContextBar, ANewLengthReplacesAnAnswerThatIsStillOnItsWay) {
  Bar bar;
  bar.begin(100);
  bar.live.chat.ask("Who?");
  bar.live.idle();
  bar.live.app.setAnswerTokens(200);
  bar.focus.setLength(900);
  bar.focus.settle();
  bar.focus.setLength(400);
  bar.focus.settle();
  bar.live.idle();
  ASSERT_EQ(bar.live.chat.turns().size(), 3U);
  EXPECT_EQ(bar.live.lastTurn().cutTokens, 400);
  EXPECT_EQ(bar.live.lastTurn().state, ChatTurn::State::Finished);
  const ChatTurn& replaced = bar.live.chat.turns()[1];
  EXPECT_TRUE(replaced.state == ChatTurn::State::Failed ||
              replaced.result.finishReason == FinishReason::Stopped);
}

TEST(ContextBar, AnotherPlanOrDocumentAsksNothing) {
  Bar bar;
  bar.begin(60);
  bar.live.chat.ask("Who?");
  bar.live.idle();
  bar.focus.setMaximum(4096);
  bar.focus.setTrained(300);
  bar.focus.setMaximum(300);
  bar.live.idle();
  EXPECT_EQ(bar.live.chat.turns().size(), 1U);
}

TEST(ContextBar, AsksNothingWithoutAQuestionOrWhenToldNotTo) {
  Bar bar;
  bar.begin(60);
  bar.focus.setLength(300);
  bar.focus.settle();
  EXPECT_TRUE(bar.live.chat.turns().empty());
  bar.live.chat.ask("Who?");
  bar.live.idle();
  bar.bar.findChild<QCheckBox*>("askAgain")->setChecked(false);
  bar.focus.setLength(400);
  bar.focus.settle();
  EXPECT_EQ(bar.live.chat.turns().size(), 1U);
}

}  // namespace
}  // namespace ropescope::ui
