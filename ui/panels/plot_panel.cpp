#include "ui/panels/plot_panel.h"

#include <QFileDialog>
#include <QFileInfo>
#include <QPointer>

#include "ui/panels/card_button.h"
#include "ui/plots/plot_export.h"

namespace ropescope::ui {

PlotPanel::PlotPanel(const QString& name, QWidget* parent)
    : QWidget(parent),
      m_name(name),
      m_layout(new QVBoxLayout(this)),
      m_firstRow(new QHBoxLayout),
      m_stack(new QStackedWidget(this)),
      m_table(new PlotTableView(this)),
      m_tableButton(new QToolButton(this)) {
  m_layout->setContentsMargins(6, 6, 6, 6);
  m_layout->setSpacing(6);
  m_layout->addLayout(m_firstRow);
  m_layout->addWidget(m_stack, 1);
  m_firstRow->setSpacing(6);
  m_tableButton->setText(tr("Table"));
  m_tableButton->setCheckable(true);
  m_tableButton->setToolTip(tr("Show as table: the numbers behind the plot; Ctrl+C copies them"));
  m_tableButton->setAccessibleName(tr("Show as table"));
  connect(m_tableButton, &QToolButton::toggled, this, &PlotPanel::showTable);
}

void PlotPanel::setPlot(PlotWidget* plot, QWidget* page) {
  m_plot = plot;
  m_stack->addWidget(page ? page : plot);
  m_stack->addWidget(m_table);
  auto* exportButton = new QToolButton(this);
  exportButton->setText(tr("Export"));
  exportButton->setToolTip(tr("Save the picture or its numbers, or copy the picture"));
  exportButton->setPopupMode(QToolButton::InstantPopup);
  m_exportMenu = makeExportMenu();
  exportButton->setMenu(m_exportMenu);
  m_firstRow->addStretch(1);
  m_firstRow->addWidget(m_tableButton);
  m_firstRow->addWidget(exportButton);
  m_firstRow->addWidget(new CardButton(m_name, this));
}

QMenu* PlotPanel::makeExportMenu() {
  auto* menu = new QMenu(this);
  menu->addAction(tr("Copy picture"), this, [this] { copyPicture(plot()); });
  menu->addAction(tr("Copy table"), this, [this] {
    m_table->setTable(table());
    m_table->clearSelection();
    m_table->copySelection();
  });
  menu->addSeparator();
  QStringList endings = pictureFormats();
  endings << QStringLiteral("csv");
  for (const QString& ending : endings) {
    menu->addAction(tr("Save as %1 …").arg(ending.toUpper()), this,
                    [this, ending] { askAndExport(ending); });
  }
  return menu;
}

QHBoxLayout* PlotPanel::addRow() {
  auto* row = new QHBoxLayout;
  row->setSpacing(6);
  m_layout->insertLayout(m_layout->count() - 1, row);  // the stack stays last
  return row;
}

void PlotPanel::showTable(bool shown) {
  m_tableButton->setChecked(shown);
  m_stack->setCurrentIndex(shown ? 1 : 0);
  refreshTable();
}

bool PlotPanel::isTableShown() const {
  return m_stack->currentIndex() == 1;
}

void PlotPanel::refreshTable() {
  if (isTableShown()) m_table->setTable(table());
}

Status PlotPanel::exportTo(const QString& path, const std::string& experiment) {
  if (QFileInfo(path).suffix().toLower() == QStringLiteral("csv")) return saveCsv(table(), path);
  if (Status saved = savePicture(plot(), path); !saved || experiment.empty()) return saved;
  return carryExperiment(path, experiment);
}

void PlotPanel::exportCarrying(const QString& path) {
  const auto save = [this, path](const std::string& experiment) {
    if (const Status saved = exportTo(path, experiment); !saved) {
      Q_EMIT errorOccurred(QString::fromStdString(saved.error().message));
    } else {
      Q_EMIT exported(path);
    }
  };
  const bool picture = QFileInfo(path).suffix().toLower() != QStringLiteral("csv");
  if (!picture || !m_carried) return save({});
  m_carried([alive = QPointer<PlotPanel>(this), save](const std::string& experiment) {
    if (alive) save(experiment);
  });
}

void PlotPanel::askAndExport(const QString& ending) {
  const QString path =
      QFileDialog::getSaveFileName(this, tr("Save the plot"), m_name + u'.' + ending,
                                   tr("%1 files (*.%2)").arg(ending.toUpper(), ending));
  if (path.isEmpty()) return;
  const QString withEnding = QFileInfo(path).suffix().isEmpty() ? path + u'.' + ending : path;
  exportCarrying(withEnding);
}

}  // namespace ropescope::ui
