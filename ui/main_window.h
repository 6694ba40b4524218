// Docks, menus, keys and the status bar: wiring only.
#pragma once

#include <QMainWindow>
#include <array>
#include <functional>
#include <vector>

#include "ui/settings.h"
#include "ui/theme.h"
#include "ui/viewmodels/app_model.h"
#include "ui/viewmodels/chat_model.h"
#include "ui/viewmodels/compare_model.h"
#include "ui/viewmodels/context_focus.h"
#include "ui/viewmodels/document_view_model.h"
#include "ui/viewmodels/experiment_maker.h"
#include "ui/viewmodels/head_choice.h"
#include "ui/viewmodels/loss_view_model.h"
#include "ui/viewmodels/method_view_model.h"
#include "ui/viewmodels/model_view_model.h"
#include "ui/viewmodels/reading_view_model.h"
#include "ui/viewmodels/sample_list.h"
#include "ui/viewmodels/text_shading.h"
#include "ui/viewmodels/token_choice.h"
#include "ui/window_layouts.h"
#include "ui/worker/engine_runner.h"

class QDockWidget;
class QLabel;

namespace ropescope::ui {

class AnglePanel;
class AttentionPanel;
class ChatPanel;
class ComparePanel;
class CoveragePanel;
class ScorePanel;
class LossPanel;
class PerplexityPanel;
class Presenter;
class ReadingPanel;
class RecordingPanel;
class ViewTabs;

// What outlives the window.
struct WindowParts {
  EngineRunner& runner;
  AppModel& app;
  ChatModel& chat;
  const Theme& theme;
  const SettingsStore& store;
  std::vector<Sample> samples;
  std::filesystem::path resources = {};  // calibrations, published curves; empty: none
  std::filesystem::path results = {};    // of measurements; empty: the user's data folder
};

class MainWindow : public QMainWindow {
  Q_OBJECT

 public:
  static constexpr int kLayoutVersion = 2;  // raise when docks come or go

  explicit MainWindow(WindowParts parts, QWidget* parent = nullptr);
  ~MainWindow() override;

  void openPath(const QString& path);  // a document, a model's folder, an experiment or a picture
  // Shown from the file alone; a file that cannot be read changes nothing.
  void openExperiment(const QString& path);
  void saveExperiment(const QString& path);  // of what the window holds now
  void restoreDefaultLayout();
  void setTheme(ThemeChoice choice);
  void dontRemember() { m_remembers = false; }  // for pictures: leaves the user's settings alone

  AttentionPanel& attention() { return *m_attention; }
  HeadChoice& heads() { return m_heads; }
  TokenChoice& tokens() { return m_tokens; }
  TextShading& shading() { return m_shading; }
  ReadingPanel& reading() { return *m_readingPanel; }
  LossPanel& loss() { return *m_lossPanel; }
  AnglePanel& angles() { return *m_angles; }
  ComparePanel& compare() { return *m_comparePanel; }
  CoveragePanel& coverage() { return *m_coverage; }
  PerplexityPanel& perplexity() { return *m_perplexity; }
  Presenter& presenter() { return *m_presenter; }
  void useLayout(const WindowLayout& layout);
  ContextFocus& focus() { return m_focus; }            // the context length that all views follow
  RecordingPanel* recording() { return m_recording; }  // null until an experiment was opened
  // All of them in the order of the window; the recorded experiment's last.
  std::vector<QDockWidget*> docks() const;

 public slots:
  void showError(const QString& sentence);

 protected:
  void closeEvent(QCloseEvent* event) override;
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;

 private:
  enum Dock { Document, Method, Chat, Attention, Angles, Perplexity, Compare, DockCount };

  void addDocks();
  void connectHeads();
  void addAttentionViews();  // these are in main_window_views.cpp
  void addAngleViews();
  void addPerplexityViews();
  void connectReading();  // in main_window_reading.cpp
  void shareSpace();      // the default layout's sizes
  QDockWidget* addDock(const QString& name, const QString& title, QWidget* content);
  void addModelBar();
  void addContextBar();  // these are in main_window_teach.cpp
  void followFocus();
  void addPresenterActions(QMenu* view);
  void addLayoutMenu(QMenu* window);
  QString captionFor(const QDockWidget* dock) const;
  void addExperimentActions(QMenu* file);  // these are in main_window_experiment.cpp
  void noteCurves();
  void carryExperiments();
  void askForExperiment();
  void askWhereToSave();
  void showRecording(const std::shared_ptr<const experiment::Experiment>& recorded,
                     const QString& path);
  void placeRecording();
  Result<MadeExperiment> makeExperiment();
  void addStatusBar();
  void addFileMenu();
  void addSamplesMenu(QMenu* file);
  void addRunMenu();
  void addSlotMenu();
  void showSlots();
  void addViewMenu();
  void addThemeMenu(QMenu* view);
  void addWindowMenu();
  void addHelpMenu();
  void connectApp();
  void fillRecent(QMenu* menu, const QStringList& paths);
  void adoptDocument();
  void openDocument();
  void openModel();
  void exportTranscript();
  void changeTextSize(int steps);  // 0: back to the usual size
  void toggleFullScreen(bool full);
  void showNotice(const QString& sentence);
  void showShortcuts();
  void showAbout();

  EngineRunner& m_runner;
  AppModel& m_app;
  ChatModel& m_chat;
  const Theme& m_theme;
  const SettingsStore& m_store;
  std::vector<Sample> m_samples;
  std::filesystem::path m_resources;
  std::filesystem::path m_results;
  Settings m_settings;
  bool m_remembers = true;
  DocumentViewModel m_document;
  MethodViewModel m_method;
  ModelViewModel m_model;
  CompareModel m_compare;
  ContextFocus m_focus;
  HeadChoice m_heads;     // shared by the views of the Attention dock
  TokenChoice m_tokens;   // shared by all views
  TextShading m_shading;  // shared by the document and the views that colour it
  ReadingViewModel m_reading;
  LossViewModel m_loss;

  std::array<QDockWidget*, DockCount> m_docks{};
  ChatPanel* m_chatPanel = nullptr;
  ComparePanel* m_comparePanel = nullptr;
  ViewTabs* m_attentionViews = nullptr;
  ViewTabs* m_angleViews = nullptr;
  ViewTabs* m_perplexityViews = nullptr;
  AttentionPanel* m_attention = nullptr;
  AnglePanel* m_angles = nullptr;
  CoveragePanel* m_coverage = nullptr;
  ScorePanel* m_score = nullptr;
  PerplexityPanel* m_perplexity = nullptr;
  ReadingPanel* m_readingPanel = nullptr;
  LossPanel* m_lossPanel = nullptr;
  QLabel* m_notice = nullptr;
  QLabel* m_slotText = nullptr;
  std::array<QAction*, AppModel::kSlots> m_slotActions{};
  Presenter* m_presenter = nullptr;
  ExperimentMaker* m_maker = nullptr;
  MeasuredCurves m_measured;  // without the curves: what they were or are measured on
  bool m_measuring = false;
  QString m_unreadNotice;                  // given while the session in use held nothing
  QString m_notCarried;                    // while a picture is written without an experiment: why
  QDockWidget* m_recordingDock = nullptr;  // made when an experiment is opened
  RecordingPanel* m_recording = nullptr;
  quint64 m_filesAsked = 0;
};

}  // namespace ropescope::ui
