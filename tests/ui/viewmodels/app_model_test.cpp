#include "ui/viewmodels/app_model.h"

#include <QSignalSpy>
#include <gtest/gtest.h>

#include "tests/ui/live_app.h"
#include "ui/text/plan_text.h"

namespace ropescope::ui {
namespace {

TEST(AppModel, LoadsAModelAndTakesTheMethodOfItsConfig) {
  LiveApp live;
  live.load();
  EXPECT_EQ(live.app.method().rope.id, live.app.engine()->config().rope.id);
  ASSERT_TRUE(live.app.plan());
  EXPECT_EQ(live.app.plannedContext() % live.app.engine()->config().trainedLength, 0);
}

TEST(AppModel, PlansEnoughForALongDocumentWhenTheContextIsAutomatic) {
  LiveApp live;
  live.load();
  live.open(80);
  EXPECT_GT(live.app.document()->tokens(), live.app.engine()->config().trainedLength);
  EXPECT_GE(live.app.plannedContext(), live.app.neededContext(1));
  EXPECT_TRUE(live.app.refusal(1).isEmpty());
}

TEST(AppModel, AWrongModelFolderIsOneSentenceAndLosesNothing) {
  LiveApp live;
  live.load();
  live.open(3);
  const auto engine = live.app.engine();
  live.app.loadModel("/nowhere/at/all");
  live.idle();
  ASSERT_EQ(live.errors.size(), 1);
  EXPECT_TRUE(live.errors.front().contains("/nowhere/at/all"));
  EXPECT_EQ(live.app.engine(), engine);
  EXPECT_TRUE(live.app.document());
}

TEST(AppModel, ABinaryDocumentIsRefusedAndTheOldOneStays) {
  LiveApp live;
  live.load();
  live.open(3);
  const QString path = live.folder.filePath("binary.txt");
  QFile file(path);
  ASSERT_TRUE(file.open(QIODevice::WriteOnly));
  file.write(QByteArray("abc\0\xff\xfe def", 11));
  file.close();
  live.app.openDocument(path.toStdString());
  live.idle();
  EXPECT_EQ(live.errors.size(), 1);
  EXPECT_EQ(live.app.document()->document.path.filename(), "story.txt");
}

TEST(AppModel, TellsHowFarTheDocumentIsReadWhileItIsRead) {
  LiveApp live;
  live.load();
  live.open(150);
  QSignalSpy advanced(&live.app, &AppModel::sessionAdvanced);
  live.app.readDocument();
  live.idle();
  EXPECT_TRUE(live.errors.isEmpty()) << qPrintable(live.errors.join("; "));
  EXPECT_EQ(live.app.position(), live.app.document()->tokens());
  EXPECT_GE(advanced.count(), 1);
}

TEST(AppModel, AnotherMethodStartsANewSessionAndSaysSo) {
  LiveApp live;
  live.load();
  live.open(80);
  live.app.readDocument();
  live.idle();
  const auto serial = live.app.sessionSerial();
  QStringList notices;
  QObject::connect(&live.app, &AppModel::notice, &live.app,
                   [&](const QString& text) { notices << text; });
  MethodSettings settings = live.app.method();
  settings.rope = {.id = "pi"};
  live.app.applyMethod(settings);
  EXPECT_GT(live.app.sessionSerial(), serial);
  EXPECT_EQ(live.app.position(), 0);
  EXPECT_EQ(live.app.plan()->method, "pi");
  ASSERT_EQ(notices.size(), 1);
  EXPECT_TRUE(notices.front().startsWith("New session"));
}

TEST(AppModel, AWrongFactorChangesNothing) {
  LiveApp live;
  live.load();
  const auto serial = live.app.sessionSerial();
  MethodSettings settings = live.app.method();
  settings.rope = {.id = "pi", .values = {}, .factor = 0.5};
  live.app.applyMethod(settings);
  EXPECT_EQ(live.errors.size(), 1);
  EXPECT_EQ(live.app.sessionSerial(), serial);
  EXPECT_NE(live.app.method().rope.id, "pi");
}

TEST(AppModel, AMissingCalibrationFileChangesNothing) {
  LiveApp live;
  live.load();
  const auto serial = live.app.sessionSerial();
  MethodSettings settings = live.app.method();
  settings.calibrationFile = "/nowhere/psc.safetensors";
  live.app.applyMethod(settings);
  live.idle();
  ASSERT_EQ(live.errors.size(), 1);
  EXPECT_TRUE(live.errors.front().contains("psc.safetensors"));
  EXPECT_EQ(live.app.sessionSerial(), serial);
}

TEST(AppModel, ACalibrationThatArrivesLateDoesNotUndoANewerChoice) {
  LiveApp live;
  const std::filesystem::path golden = std::filesystem::path(ROPESCOPE_TESTS_DIR) / "golden";
  live.app.loadModel(golden / "tiny_llama");
  live.idle();
  ASSERT_TRUE(live.app.engine()) << qPrintable(live.errors.join("; "));
  MethodSettings calibrated = live.app.method();
  calibrated.calibrationFile = golden / "psc_tiny.safetensors";
  MethodSettings plain = live.app.method();
  plain.rope = {.id = "pi", .values = {}, .factor = 2.0};
  live.app.applyMethod(calibrated);
  live.app.applyMethod(plain);
  live.idle();
  EXPECT_TRUE(live.app.method() == plain);
  EXPECT_FALSE(live.app.calibration());
  live.app.applyMethod(calibrated);
  live.idle();
  EXPECT_TRUE(live.app.calibration()) << qPrintable(live.errors.join("; "));
}

TEST(AppModel, RefusesWhatDoesNotFitWithACure) {
  LiveApp live;
  live.load();
  live.open(80);
  MethodSettings settings = live.app.method();
  settings.contextTokens = 256;
  live.app.applyMethod(settings);
  EXPECT_TRUE(live.app.refusal(10).contains("Nothing is cut"));
  live.app.readDocument();
  EXPECT_EQ(live.errors.size(), 1);
  EXPECT_EQ(live.app.position(), 0);
}

}  // namespace
}  // namespace ropescope::ui
