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
#include "ui/viewmodels/context_focus.h"
#include "ui/viewmodels/document_view_model.h"
#include "ui/viewmodels/head_choice.h"
#include "ui/viewmodels/method_view_model.h"
#include "ui/viewmodels/model_view_model.h"
#include "ui/viewmodels/sample_list.h"
#include "ui/viewmodels/token_choice.h"
#include "ui/worker/engine_runner.h"

class QDockWidget;
class QLabel;

namespace ropescope::ui {

class AnglePanel;
class AttentionPanel;
class ChatPanel;
class PerplexityPanel;
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
};

class MainWindow : public QMainWindow {
  Q_OBJECT

 public:
  explicit MainWindow(WindowParts parts, QWidget* parent = nullptr);
  ~MainWindow() override;

  void openPath(const QString& path);  // a document, or a model's folder
  void restoreDefaultLayout();
  void setTheme(ThemeChoice choice);
  void dontRemember() { m_remembers = false; }  // for pictures: leaves the user's settings alone

  AttentionPanel& attention() { return *m_attention; }
  HeadChoice& heads() { return m_heads; }
  TokenChoice& tokens() { return m_tokens; }
  AnglePanel& angles() { return *m_angles; }
  PerplexityPanel& perplexity() { return *m_perplexity; }
  ContextFocus& focus() { return m_focus; }  // the context length that all views follow
  std::vector<QDockWidget*> docks() const { return {m_docks.begin(), m_docks.end()}; }

 public slots:
  void showError(const QString& sentence);

 protected:
  void closeEvent(QCloseEvent* event) override;
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;

 private:
  enum Dock { Document, Method, Chat, Attention, Angles, Perplexity, DockCount };

  void addDocks();
  void connectHeads();
  void addAttentionViews();  // these are in main_window_views.cpp
  void addAngleViews();
  void addPerplexityViews();
  void shareSpace();  // the default layout's sizes
  QDockWidget* addDock(const QString& name, const QString& title, QWidget* content);
  void addModelBar();
  void addContextBar();  // these are in main_window_teach.cpp
  void followFocus();
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
  Settings m_settings;
  bool m_remembers = true;
  DocumentViewModel m_document;
  MethodViewModel m_method;
  ModelViewModel m_model;
  ContextFocus m_focus;
  HeadChoice m_heads;    // shared by the views of the Attention dock
  TokenChoice m_tokens;  // shared by all views

  std::array<QDockWidget*, DockCount> m_docks{};
  ChatPanel* m_chatPanel = nullptr;
  ViewTabs* m_attentionViews = nullptr;
  ViewTabs* m_angleViews = nullptr;
  ViewTabs* m_perplexityViews = nullptr;
  AttentionPanel* m_attention = nullptr;
  AnglePanel* m_angles = nullptr;
  PerplexityPanel* m_perplexity = nullptr;
  QLabel* m_notice = nullptr;
  QLabel* m_slotText = nullptr;
  std::array<QAction*, AppModel::kSlots> m_slotActions{};
};

}  // namespace ropescope::ui
