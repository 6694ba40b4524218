// Four settings, one question, one screen.
#pragma once

#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QStackedWidget>
#include <QToolButton>
#include <QWidget>
#include <array>

#include "ui/panels/compare_pane.h"
#include "ui/panels/view_page.h"
#include "ui/plots/plot_table_view.h"

namespace ropescope::ui {

class ComparePanel : public QWidget, public ViewPage {
  Q_OBJECT

 public:
  ComparePanel(AppModel& app, CompareModel& model, QWidget* parent = nullptr);

  ComparePane* pane(int index) const { return m_panes[static_cast<std::size_t>(index)]; }
  void setQuestion(const QString& question) { m_question->setText(question); }
  void showTable(bool shown);
  void showExample() override;
  bool isSettled() const override { return !m_model.isBusy(); }

 Q_SIGNALS:
  void errorOccurred(const QString& sentence);

 private:
  void buildRows(class QVBoxLayout* layout);
  void connectModel();
  void askNow();
  void showBusy();
  void scrollAll(const ComparePane* from, double share);
  QMenu* makeExportMenu();
  void askAndExport(const QString& ending);
  void askAndExportTokens();
  void fillTables();

  AppModel& m_app;
  CompareModel& m_model;
  QLineEdit* m_question;
  QPushButton* m_ask;
  QPushButton* m_stop;
  QComboBox* m_marks;
  QToolButton* m_tableButton;
  QLabel* m_status;
  QStackedWidget* m_stack;
  PlotTableView* m_table;   // the answers
  PlotTableView* m_tokens;  // their tokens, below
  std::array<ComparePane*, CompareModel::kPanes> m_panes{};
  bool m_scrolling = false;
};

}  // namespace ropescope::ui
