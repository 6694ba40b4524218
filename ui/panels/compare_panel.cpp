#include "ui/panels/compare_panel.h"

#include <QApplication>
#include <QClipboard>
#include <QFileDialog>
#include <QFileInfo>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QMenu>
#include <QScrollBar>
#include <QSplitter>
#include <QVBoxLayout>
#include <cmath>

#include "ui/panels/card_button.h"
#include "ui/panels/panel_text.h"
#include "ui/text/error_text.h"

namespace ropescope::ui {

ComparePanel::ComparePanel(AppModel& app, CompareModel& model, QWidget* parent)
    : QWidget(parent),
      m_app(app),
      m_model(model),
      m_question(new QLineEdit(this)),
      m_ask(new QPushButton(tr("Ask all"), this)),
      m_stop(new QPushButton(tr("Stop"), this)),
      m_marks(new QComboBox(this)),
      m_tableButton(new QToolButton(this)),
      m_status(wrappedLabel(this)),
      m_stack(new QStackedWidget(this)),
      m_table(new PlotTableView(this)),
      m_tokens(new PlotTableView(this)) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(6, 6, 6, 6);
  layout->setSpacing(6);
  buildRows(layout);
  auto* grid = new QWidget(this);
  auto* cells = new QGridLayout(grid);
  cells->setContentsMargins(0, 0, 0, 0);
  cells->setSpacing(6);
  for (int i = 0; i < CompareModel::kPanes; ++i) {
    m_panes[static_cast<std::size_t>(i)] = new ComparePane(m_app, m_model, i, grid);
    cells->addWidget(pane(i), i / 2, i % 2);
    connect(pane(i), &ComparePane::scrolled, this,
            [this, i](double share) { scrollAll(pane(i), share); });
  }
  for (const int half : {0, 1}) {
    cells->setRowStretch(half, 1);
    cells->setColumnStretch(half, 1);
  }
  m_stack->addWidget(grid);
  auto* tables = new QSplitter(Qt::Vertical, this);
  tables->addWidget(m_table);
  tables->addWidget(m_tokens);
  m_table->setAccessibleName(tr("Answers"));
  m_tokens->setAccessibleName(tr("Tokens of the answers"));
  m_stack->addWidget(tables);
  layout->addWidget(m_stack, 1);
  layout->addWidget(m_status);
  setMuted(m_status);
  connectModel();
  showBusy();
}

void ComparePanel::buildRows(QVBoxLayout* layout) {
  m_question->setObjectName(QStringLiteral("compareQuestion"));
  m_question->setPlaceholderText(tr("One question for all four settings"));
  m_question->setAccessibleName(tr("Question for all four settings"));
  m_ask->setToolTip(tr("Ask under all four settings (Return)"));
  m_stop->setToolTip(tr("Stop all answers (Esc); what has been read stays"));
  m_marks->addItem(tr("shade: log-probability"));
  for (int i = 1; i <= CompareModel::kPanes; ++i) m_marks->addItem(tr("differs from %1").arg(i));
  m_marks->setToolTip(
      tr("Shade tokens by how unlikely they were, or mark those that another answer lacks"));
  m_marks->setAccessibleName(tr("What is marked"));
  m_tableButton->setText(tr("Table"));
  m_tableButton->setCheckable(true);
  m_tableButton->setToolTip(tr("Show as table; Ctrl+C copies it"));
  auto* exportButton = new QToolButton(this);
  exportButton->setText(tr("Export"));
  exportButton->setPopupMode(QToolButton::InstantPopup);
  exportButton->setMenu(makeExportMenu());
  auto* first = new QHBoxLayout;
  first->addWidget(m_question, 1);
  first->addWidget(m_stop);
  first->addWidget(m_ask);
  auto* second = new QHBoxLayout;
  second->addWidget(m_marks);
  second->addStretch(1);
  second->addWidget(m_tableButton);
  second->addWidget(exportButton);
  second->addWidget(new CardButton(QStringLiteral("compare"), this));
  layout->addLayout(first);
  layout->addLayout(second);
}

void ComparePanel::connectModel() {
  connect(m_question, &QLineEdit::returnPressed, this, &ComparePanel::askNow);
  connect(m_ask, &QPushButton::clicked, this, &ComparePanel::askNow);
  connect(m_stop, &QPushButton::clicked, &m_model, &CompareModel::stop);
  connect(m_tableButton, &QToolButton::toggled, this, &ComparePanel::showTable);
  connect(m_marks, &QComboBox::activated, this, [this](int index) {
    if (index > 0) m_model.setReference(index - 1);
    for (ComparePane* pane : m_panes) {
      pane->setMarks(index == 0 ? CompareMarks::Probability : CompareMarks::Difference);
    }
  });
  connect(&m_model, &CompareModel::dataChanged, this,
          [this](const QModelIndex& first, const QModelIndex& last) {
            for (int i = first.row(); i <= last.row(); ++i) pane(i)->refresh();
            if (m_stack->currentIndex() == 1) fillTables();
          });
  connect(&m_model, &CompareModel::busyChanged, this, &ComparePanel::showBusy);
  connect(&m_model, &CompareModel::statusChanged, this, &ComparePanel::showBusy);
  connect(&m_app, &AppModel::documentChanged, this, &ComparePanel::showBusy);
  connect(&m_app, &AppModel::modelChanged, this, &ComparePanel::showBusy);
}

QMenu* ComparePanel::makeExportMenu() {
  auto* menu = new QMenu(this);
  menu->addAction(tr("Copy as Markdown"), this, [this] {
    QApplication::clipboard()->setText(QString::fromStdString(m_model.markdown()));
  });
  menu->addAction(tr("Copy table"), this,
                  [this] { QApplication::clipboard()->setText(toTsv(m_model.table())); });
  menu->addAction(tr("Copy table of tokens"), this,
                  [this] { QApplication::clipboard()->setText(toTsv(m_model.tokenTable())); });
  menu->addSeparator();
  for (const QString& ending :
       {QStringLiteral("md"), QStringLiteral("json"), QStringLiteral("csv")}) {
    menu->addAction(tr("Save as %1 …").arg(ending.toUpper()), this,
                    [this, ending] { askAndExport(ending); });
  }
  menu->addAction(tr("Save tokens as CSV …"), this, &ComparePanel::askAndExportTokens);
  return menu;
}

void ComparePanel::askAndExport(const QString& ending) {
  QString path = QFileDialog::getSaveFileName(this, tr("Save the comparison"),
                                              QStringLiteral("compare.") + ending,
                                              tr("%1 files (*.%2)").arg(ending.toUpper(), ending));
  if (path.isEmpty()) return;
  if (QFileInfo(path).suffix().isEmpty()) path += u'.' + ending;
  const Status saved = m_model.exportTo(path.toStdString());
  if (!saved) Q_EMIT errorOccurred(errorSentence(saved.error()));
}

void ComparePanel::askAndExportTokens() {
  const QString path = QFileDialog::getSaveFileName(
      this, tr("Save the tokens"), QStringLiteral("compare-tokens.csv"), tr("CSV files (*.csv)"));
  if (path.isEmpty()) return;
  const Status saved = m_model.exportTokens(path.toStdString());
  if (!saved) Q_EMIT errorOccurred(errorSentence(saved.error()));
}

void ComparePanel::askNow() {
  m_model.ask(m_question->text());
}

void ComparePanel::showBusy() {
  m_stop->setEnabled(m_model.isBusy());
  m_ask->setEnabled(!m_model.isBusy() && m_app.engine() && m_app.document());
  m_status->setText(m_model.statusText());
  m_status->setVisible(!m_model.statusText().isEmpty());
}

void ComparePanel::showTable(bool shown) {
  m_tableButton->setChecked(shown);
  m_stack->setCurrentIndex(shown ? 1 : 0);
  if (shown) fillTables();
}

void ComparePanel::fillTables() {
  m_table->setTable(m_model.table());
  m_tokens->setTable(m_model.tokenTable());
}

// One moved: the others stand at the same share of their way.
void ComparePanel::scrollAll(const ComparePane* from, double share) {
  if (m_scrolling) return;
  m_scrolling = true;
  for (ComparePane* pane : m_panes) {
    QScrollBar* bar = pane->text()->verticalScrollBar();
    if (pane != from) bar->setValue(static_cast<int>(std::lround(share * bar->maximum())));
  }
  m_scrolling = false;
}

void ComparePanel::showExample() {
  if (m_question->text().isEmpty()) m_question->setText(tr("What is this text about?"));
  askNow();
}

}  // namespace ropescope::ui
