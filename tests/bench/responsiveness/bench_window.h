// The program's window on the bundled model, driven by code.
#pragma once

#include <QTemporaryDir>
#include <filesystem>
#include <functional>
#include <memory>

#include "ui/main_window.h"

class QCustomPlot;

namespace ropescope::bench {

class BenchWindow {
 public:
  // Ends the program with a sentence when the model cannot be loaded.
  explicit BenchWindow(const std::filesystem::path& model);

  ui::AppModel& app() { return m_app; }
  ui::EngineRunner& runner() { return m_runner; }
  ui::MainWindow& window() { return *m_window; }

  // Opens the longer sample, repeated until it has about `tokens` tokens.
  void openDocument(std::int64_t tokens);
  void read();  // the document, to its end
  void waitUntil(const std::function<bool()>& done);
  void idle();  // no job, no picture on its way to the map

  // Milliseconds from `change` until `plot` has painted it, as the newest state: `ready` says when
  // what it waits for is there.
  double painted(QCustomPlot* plot, const std::function<void()>& change,
                 const std::function<bool()>& ready = {});
  // Milliseconds that `work` takes on the engine thread, nothing else running.
  double onEngine(const std::function<void(ui::EngineRoom&)>& work);

 private:
  ui::EngineRunner m_runner;
  ui::AppModel m_app{m_runner};
  ui::ChatModel m_chat{m_app, m_runner};
  ui::Theme m_theme;
  QTemporaryDir m_folder;
  ui::SettingsStore m_store{m_folder.filePath(QStringLiteral("settings.ini"))};
  std::unique_ptr<ui::MainWindow> m_window;
};

[[noreturn]] void giveUp(const QString& sentence);

}  // namespace ropescope::bench
