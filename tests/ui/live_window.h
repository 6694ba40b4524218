// The whole window on a real engine, and the sentences that it shows.
#pragma once

#include <QLabel>
#include <QMessageBox>
#include <QStatusBar>
#include <memory>

#include "tests/ui/live_app.h"
#include "ui/main_window.h"

namespace ropescope::ui {

struct WholeWindow : LiveApp {
  Theme theme;
  SettingsStore store{folder.filePath("settings.ini")};
  std::unique_ptr<MainWindow> window = make();

  std::unique_ptr<MainWindow> make() {
    auto made = std::make_unique<MainWindow>(WindowParts{runner, app, chat, theme, store, {}});
    made->show();
    EXPECT_TRUE(QTest::qWaitForWindowActive(made.get())) << "shortcuts need an active window";
    return made;
  }

  QString status() const { return window->statusBar()->currentMessage(); }

  void ask(const QString& question) {
    chat.ask(question);
    idle();
    ASSERT_EQ(lastTurn().state, ChatTurn::State::Finished) << qPrintable(lastTurn().problem);
  }
};

}  // namespace ropescope::ui
