// The window's models on a real engine: stories260K, 512 tokens trained.
#pragma once

#include <QDir>
#include <QFile>
#include <QString>
#include <QTemporaryDir>
#include <filesystem>
#include <gtest/gtest.h>

#include "tests/ui/wait_until.h"
#include "ui/viewmodels/app_model.h"
#include "ui/viewmodels/chat_model.h"
#include "ui/worker/engine_runner.h"

namespace ropescope::ui {

inline std::filesystem::path storiesModel() {
  return std::filesystem::path(ROPESCOPE_TESTS_DIR) / "fixtures/stories260K";
}

struct LiveApp {
  EngineRunner runner;
  AppModel app{runner};
  ChatModel chat{app, runner};
  QTemporaryDir folder;
  QStringList errors;

  LiveApp() {
    QObject::connect(&app, &AppModel::errorOccurred, &app,
                     [this](const QString& sentence) { errors << sentence; });
  }

  void idle() { ASSERT_TRUE(waitUntil([this] { return !runner.isBusy(); })); }

  void load() {
    app.loadModel(storiesModel());
    idle();
    ASSERT_TRUE(app.engine()) << qPrintable(errors.join("; "));
  }

  // `sentences` times about a dozen tokens.
  std::filesystem::path write(int sentences, const QString& name = "story.txt") {
    const QString path = folder.filePath(name);
    QFile file(path);
    EXPECT_TRUE(file.open(QIODevice::WriteOnly));
    for (int i = 0; i < sentences; ++i) {
      file.write("Once upon a time there was a little girl named Lily. ");
    }
    return path.toStdString();
  }

  void open(int sentences) {
    app.openDocument(write(sentences));
    idle();
    ASSERT_TRUE(app.document()) << qPrintable(errors.join("; "));
    ASSERT_FALSE(app.document()->part.ids.empty());
  }

  const ChatTurn& lastTurn() const { return chat.turns().at(chat.turns().size() - 1); }
};

}  // namespace ropescope::ui
