#include "ui/viewmodels/method_view_model.h"

#include <QAbstractItemModelTester>

#include <gtest/gtest.h>

#include "tests/ui/live_app.h"

namespace ropescope::ui {
namespace {

TEST(MethodListModel, ListsEveryMethodAndKeepsTheRulesOfItemModels) {
  MethodListModel model;
  const QAbstractItemModelTester tester(&model);
  EXPECT_EQ(model.rowCount(), static_cast<int>(rope::allMethods().size()));
}

TEST(MethodListModel, DisablesWhatThisModelCannotDoAndSaysWhy) {
  LiveApp live;
  MethodViewModel model(live.app);
  live.load();
  auto& methods = model.methods();
  const int longrope = methods.rowOf("longrope");
  ASSERT_GE(longrope, 0);
  EXPECT_FALSE(methods.flags(methods.index(longrope)).testFlag(Qt::ItemIsEnabled));
  EXPECT_TRUE(methods.index(longrope).data(Qt::ToolTipRole).toString().contains("factor"));
  EXPECT_TRUE(methods.flags(methods.index(methods.rowOf("pi"))).testFlag(Qt::ItemIsEnabled));
  ASSERT_TRUE(model.fileCure());
  EXPECT_EQ(model.fileCure()->method, "longrope");
}

TEST(MethodViewModel, DraftsUntilApplied) {
  LiveApp live;
  MethodViewModel model(live.app);
  live.load();
  const auto serial = live.app.sessionSerial();
  model.setMethod("pi");
  model.setFactor(2.0);
  model.setContext(1024);
  EXPECT_TRUE(model.isChanged());
  EXPECT_EQ(live.app.sessionSerial(), serial);
  EXPECT_TRUE(model.sentence().contains("every angle is divided by 2"))
      << qPrintable(model.sentence());
  model.apply();
  EXPECT_EQ(live.app.plan()->method, "pi");
  EXPECT_EQ(live.app.plan()->context.factor, 2.0);
  EXPECT_EQ(live.app.plannedContext(), 1024);
  EXPECT_FALSE(model.isChanged());
}

TEST(MethodViewModel, AWrongValueIsASentenceAndCannotBeApplied) {
  LiveApp live;
  MethodViewModel model(live.app);
  live.load();
  model.setMethod("pi");
  model.setFactor(0.25);
  EXPECT_FALSE(model.isValid());
  EXPECT_TRUE(model.sentence().contains("1 or larger")) << qPrintable(model.sentence());
  model.revert();
  EXPECT_TRUE(model.isValid());
}

TEST(MethodViewModel, AdvisesWhenTheDocumentIsLongerThanTheTrainedLength) {
  LiveApp live;
  MethodViewModel model(live.app);
  live.load();
  live.open(5);
  EXPECT_FALSE(model.advice());
  live.open(100);
  ASSERT_TRUE(model.advice());
  EXPECT_TRUE(model.advice()->text.contains("plain RoPE breaks"));
  model.apply(model.advice()->settings);
  EXPECT_EQ(live.app.plan()->method, "yarn");
  EXPECT_FALSE(model.advice());
}

}  // namespace
}  // namespace ropescope::ui
