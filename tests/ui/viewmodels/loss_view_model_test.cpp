// Losses of the open document: those of a pass of the core under the same settings.
#include "ui/viewmodels/loss_view_model.h"

#include <QAbstractItemModelTester>
#include <cmath>

#include <gtest/gtest.h>

#include "tests/ui/live_app.h"

namespace ropescope::ui {
namespace {

struct LiveLoss : LiveApp {
  LossViewModel loss{app, runner};
  QAbstractItemModelTester tester{&loss.worst()};

  void measure() {
    loss.start();
    ASSERT_TRUE(waitUntil([this] { return !loss.isRunning(); }));
  }
};

// What `ropescope-cli score --document F` does: BOS, the text's own tokens, one pass.
std::vector<double> scored(const LiveApp& live) {
  const auto& engine = *live.app.engine();
  const auto tokenizer = engine.tokenizer();
  std::vector<std::int32_t> ids{(*tokenizer)->bos()};
  const auto text = (*tokenizer)->encode(live.app.document()->document.text).ids;
  ids.insert(ids.end(), text.begin(), text.end());
  const auto session = engine.newSession(
      {.rope = live.app.method().rope, .contextTokens = live.app.plannedContext()});
  EXPECT_TRUE(session);
  const auto score = (*session)->score(ids, {}, {});
  EXPECT_TRUE(score);
  return score->nll;
}

TEST(LossViewModel, HasTheLossesOfTheCommandLine) {
  LiveLoss live;
  live.load();
  live.open(100);
  MethodSettings settings = live.app.method();
  settings.rope = {.id = "yarn", .values = {}, .factor = 4.0};
  live.app.applyMethod(settings);
  live.measure();
  const auto wanted = scored(live);
  ASSERT_EQ(live.loss.losses().size(), wanted.size() + 1);
  EXPECT_TRUE(std::isnan(live.loss.losses()[0]));
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    ASSERT_EQ(live.loss.losses()[i + 1], wanted[i]) << "token " << i + 1;
  }
  EXPECT_EQ(live.loss.scored(), static_cast<std::int64_t>(wanted.size()));
  EXPECT_TRUE(live.loss.caption().contains("YaRN")) << qPrintable(live.loss.caption());
  const PlotTable table = live.loss.table();
  ASSERT_EQ(table.rows(), static_cast<int>(wanted.size()) + 1);
  EXPECT_EQ(table.columns[2].numbers[7], wanted[6]);
}

TEST(LossViewModel, RanksSentencesByTheirMean) {
  LiveLoss live;
  live.load();
  const QString path = live.folder.filePath("odd.txt");
  QFile file(path);
  ASSERT_TRUE(file.open(QIODevice::WriteOnly));
  for (int i = 0; i < 6; ++i) file.write("Once upon a time there was a little girl named Lily. ");
  file.write("Xq zv 93 jkw qqx vvz! ");
  file.write("Lily was happy and she went to play with her mom.");
  file.close();
  live.app.openDocument(path.toStdString());
  live.idle();
  live.measure();
  ASSERT_GE(live.loss.worst().rowCount(), 2);
  const PassageRow& worst = live.loss.worst().rows().front();
  EXPECT_EQ(worst.text, QStringLiteral("Xq zv 93 jkw qqx vvz!"));
  double sum = 0.0;
  for (std::int64_t i = worst.tokens.begin; i < worst.tokens.end; ++i) {
    sum += live.loss.losses()[static_cast<std::size_t>(i)];
  }
  EXPECT_DOUBLE_EQ(worst.value, sum / static_cast<double>(worst.tokens.size()));
  const QString shown = QString::fromStdString(live.app.document()->document.text);
  EXPECT_EQ(
      shown.mid(worst.characters.begin, worst.characters.end - worst.characters.begin).trimmed(),
      worst.text);
}

TEST(LossViewModel, GrowsWhileItMeasuresAndStops) {
  LiveLoss live;
  live.load();
  live.open(1500);
  std::int64_t seen = 0;
  QObject::connect(&live.loss, &LossViewModel::changed, &live.app, [&] {
    if (live.loss.isRunning() && live.loss.scored() > 0 && seen == 0) {
      seen = live.loss.scored();
      live.loss.stop();
    }
  });
  live.measure();
  EXPECT_GT(seen, 0);
  EXPECT_LT(live.loss.scored(), static_cast<std::int64_t>(live.loss.losses().size()) - 1);
  EXPECT_TRUE(live.loss.statusText().contains("Stopped")) << qPrintable(live.loss.statusText());
  EXPECT_TRUE(live.loss.canStart());
}

TEST(LossViewModel, AnotherDocumentEndsAndForgetsARunningMeasurement) {
  LiveLoss live;
  live.load();
  live.open(1500);
  live.loss.start();
  ASSERT_TRUE(waitUntil([&] { return live.loss.scored() > 0; }));
  live.app.openDocument(live.write(4, "other.txt"));
  live.idle();
  EXPECT_FALSE(live.loss.isRunning());
  EXPECT_EQ(live.loss.scored(), 0);
  EXPECT_TRUE(live.loss.losses().empty());
  live.measure();
  EXPECT_GT(live.loss.scored(), 20);
}

TEST(LossViewModel, ADocumentBeyondThePlannedContextIsRefusedWithTheCure) {
  LiveLoss live;
  EXPECT_FALSE(live.loss.canStart());
  live.load();
  live.open(100);
  MethodSettings settings = live.app.method();
  settings.contextTokens = 512;
  live.app.applyMethod(settings);
  live.loss.start();
  EXPECT_FALSE(live.loss.isRunning());
  EXPECT_TRUE(live.loss.statusText().contains("512 are planned"))
      << qPrintable(live.loss.statusText());
}

TEST(LossViewModel, ASwitchOfMethodLeavesARunningMeasurementToItsOwn) {
  LiveLoss live;
  live.load();
  live.open(300);
  live.loss.start();
  MethodSettings settings = live.app.method();
  settings.rope = {.id = "pi", .values = {}, .factor = 8.0};
  live.app.applyMethod(settings);
  ASSERT_TRUE(waitUntil([&] { return !live.loss.isRunning(); }));
  EXPECT_EQ(live.loss.scored(), static_cast<std::int64_t>(live.loss.losses().size()) - 1);
  EXPECT_FALSE(live.loss.caption().contains("PI,")) << qPrintable(live.loss.caption());
}

}  // namespace
}  // namespace ropescope::ui
