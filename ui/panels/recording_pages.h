// Pages of a recorded experiment that are no plots: document, answers, differences.
#pragma once

#include <QWidget>

#include "ui/panels/view_page.h"
#include "ui/plots/plot_table_view.h"
#include "ui/viewmodels/recording_player.h"
#include "ui/viewmodels/run_again.h"

class QLabel;
class QPlainTextEdit;
class QPushButton;
class QTextBrowser;

namespace ropescope::ui {

class RecordedTextPage : public QWidget, public ViewPage {
  Q_OBJECT

 public:
  explicit RecordedTextPage(QWidget* parent = nullptr);
  void show(const QString& name, const QString& text);

 private:
  QLabel* m_name;
  QPlainTextEdit* m_text;
};

// All answers up to the step that is shown, and the tokens of the newest.
class RecordedAnswersPage : public QWidget, public ViewPage {
  Q_OBJECT

 public:
  explicit RecordedAnswersPage(QWidget* parent = nullptr);
  void show(const RecordingPlayer& player);
  QString text() const;  // without markup
  PlotTable table() const { return m_table->tableModel()->table(); }

 private:
  QTextBrowser* m_answers;
  QLabel* m_caption;
  PlotTableView* m_table;
  QString m_shown;
};

class RunAgainPage : public QWidget, public ViewPage {
  Q_OBJECT

 public:
  explicit RunAgainPage(RunAgain& again, QWidget* parent = nullptr);
  void showExample() override { m_again.start(); }
  bool isSettled() const override { return !m_again.isRunning(); }

 private:
  void showState();

  RunAgain& m_again;
  QPushButton* m_start;
  QPushButton* m_stop;
  QLabel* m_text;
  PlotTableView* m_table;
};

// Token, probability and log-probability of every token shown so far.
PlotTable tokenTable(const experiment::RecordedAnswer& answer, int tokens);

}  // namespace ropescope::ui
