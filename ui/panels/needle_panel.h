// Needle grids: is a hidden sentence found at every length and depth, under every setting?
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "ui/panels/plot_panel.h"
#include "ui/viewmodels/app_model.h"
#include "ui/viewmodels/chat_model.h"
#include "ui/viewmodels/needle_view_model.h"
#include "ui/worker/engine_runner.h"

class QComboBox;
class QLabel;
class QPushButton;

namespace ropescope::ui {

class NeedlePlot;
class NeedleSetup;

// Where things lie: result files are kept in `results`, calibrations are looked for in `resources`.
struct NeedleFolders {
  std::filesystem::path results;
  std::filesystem::path resources;
};

class NeedlePanel : public PlotPanel {
  Q_OBJECT

 public:
  NeedlePanel(AppModel& app, ChatModel& chat, EngineRunner& runner, const NeedleFolders& folders,
              QWidget* parent = nullptr);

  NeedleViewModel& model() { return m_model; }
  NeedlePlot& needlePlot() { return *m_needlePlot; }
  NeedleSetup& setup() { return *m_setup; }
  PlotTable table() const override { return m_model.table(); }
  // The prompt of the first trial that was missed, else of the first, becomes the document and the
  // question of the session, under the plan that it was measured under.
  void openCell(int grid, int row, int column);
  // Document, method, context length and answer room as before the first cell was opened.
  void backToDocument();

  void showExample() override;
  bool isSettled() const override { return m_model.state() == NeedleViewModel::State::Idle; }

 Q_SIGNALS:
  // The prompt of a cell is read and answered: its last token, which writes the answer's first, and
  // the token where the wanted answer stands.
  void needleRead(qint64 query, qint64 key);

 private:
  // What opening a cell replaces.
  struct Before {
    std::shared_ptr<const OpenDocument> document;  // null: none was open
    MethodSettings method;
    std::int64_t answerTokens = 0;
    std::int64_t needleContext = 0;  // tokens planned for the cell that is open now
    std::int64_t needleAnswer = 0;
  };

  void buildControls();
  void connectControls();
  void connectApp();
  void takeDocument();
  void takeModel();
  void takePlan();
  void showSettings();
  void showState();
  void adoptPrompt(const OpenedNeedle& needle);
  void askWhenPlanned();
  bool showsPrompt() const { return m_promptDocument && m_app.document() == m_promptDocument; }
  void leavePrompt();  // another document is open
  void leaveModel();

  AppModel& m_app;
  ChatModel& m_chat;
  EngineRunner& m_runner;
  NeedleViewModel m_model;
  NeedlePlot* m_needlePlot;
  NeedleSetup* m_setup;
  QPushButton* m_measure;
  QPushButton* m_stop;
  QPushButton* m_setupButton;
  QPushButton* m_back;
  QComboBox* m_settings;  // all, or one
  QLabel* m_status;
  // The prompt on its way into the session: asked once its plan is in use.
  std::unique_ptr<OpenedNeedle> m_waiting;
  std::optional<Before> m_before;                        // while a cell's prompt is the document
  quint64 m_asked = 0;                                   // turn of the newest cell
  std::int64_t m_keyToken = 0;                           // of its prompt
  std::shared_ptr<const OpenDocument> m_promptDocument;  // not a text to hide needles in
};

// The user's data folder for result files.
std::filesystem::path needleFolder();

}  // namespace ropescope::ui
