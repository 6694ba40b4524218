#include "ui/settings.h"

#include <QFile>
#include <QTemporaryDir>
#include <gtest/gtest.h>

#include "core/base/file_io.h"
#include "ui/viewmodels/sample_list.h"

namespace ropescope::ui {
namespace {

TEST(Settings, ComeBackAsTheyWere) {
  const QTemporaryDir folder;
  const SettingsStore store(folder.filePath("settings.ini"));
  Settings settings{.theme = ThemeChoice::Dark, .windowGeometry = "g", .windowState = "s"};
  remember(settings.recentDocuments, folder.path());
  store.save(settings);
  const Settings loaded = store.load();
  EXPECT_EQ(loaded.theme, ThemeChoice::Dark);
  EXPECT_EQ(loaded.windowGeometry, "g");
  EXPECT_EQ(loaded.recentDocuments, QStringList{folder.path()});
}

TEST(Settings, RecentPathsAreTenNewestFirstAndThere) {
  const QTemporaryDir folder;
  QStringList recent;
  for (int i = 0; i < 12; ++i) {
    const QString path = folder.filePath(QString::number(i));
    QFile file(path);
    ASSERT_TRUE(file.open(QIODevice::WriteOnly));
    remember(recent, path);
  }
  EXPECT_EQ(recent.size(), 10);
  EXPECT_TRUE(recent.front().endsWith("11"));
  remember(recent, "/nowhere/file.txt");
  EXPECT_FALSE(recent.contains("/nowhere/file.txt"));
}

TEST(SampleList, OffersTheQuestionsOfTheBundledSample) {
  const auto samples = readSamples(std::filesystem::path(ROPESCOPE_RESOURCES_DIR) / "samples");
  ASSERT_TRUE(samples) << samples.error().message;
  ASSERT_GE(samples->size(), 2U);
  EXPECT_EQ(questionsFor(*samples, samples->front().file).size(), 3);
  EXPECT_TRUE(questionsFor(*samples, "/nowhere/file.txt").isEmpty());
}

TEST(SampleList, ABrokenListIsNamed) {
  const QTemporaryDir folder;
  const std::filesystem::path path = folder.path().toStdString();
  ASSERT_TRUE(writeFileAtomically(path / "samples.json", "{"));
  const auto samples = readSamples(path);
  ASSERT_FALSE(samples);
  EXPECT_EQ(samples.error().code, ErrorCode::CorruptFile);
}

}  // namespace
}  // namespace ropescope::ui
