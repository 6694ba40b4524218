#include "ui/panels/passage_list.h"

#include <QHeaderView>

namespace ropescope::ui {
namespace {

constexpr int kRowRoom = 6;  // pixels above and below the text
constexpr int kMostLeft = 110;

}  // namespace

PassageList::PassageList(PassageModel& model, const QString& name, QWidget* parent)
    : QTableView(parent),
      m_model(model) {
  setModel(&model);
  setAccessibleName(name);
  setToolTip(tr("Click a sentence to see it in the document"));
  setSelectionBehavior(QAbstractItemView::SelectRows);
  setSelectionMode(QAbstractItemView::SingleSelection);
  setTabKeyNavigation(false);  // Tab leaves the list
  setWordWrap(false);
  setShowGrid(false);
  verticalHeader()->hide();
  verticalHeader()->setDefaultSectionSize(fontMetrics().height() + kRowRoom);
  horizontalHeader()->setHighlightSections(false);
  horizontalHeader()->setStretchLastSection(true);
  horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
  horizontalHeader()->resizeSection(PassageModel::ValueColumn,
                                    fontMetrics().horizontalAdvance(tr("nats / token")) + 16);
  horizontalHeader()->resizeSection(PassageModel::TokensColumn, kMostLeft);
  connect(this, &QTableView::clicked, this, &PassageList::pick);
  connect(this, &QTableView::activated, this, &PassageList::pick);
}

void PassageList::currentChanged(const QModelIndex& current, const QModelIndex& previous) {
  QTableView::currentChanged(current, previous);
  if (hasFocus()) pick(current);
}

void PassageList::pick(const QModelIndex& index) {
  if (!index.isValid()) return;
  Q_EMIT picked(m_model.rows()[static_cast<std::size_t>(index.row())].characters);
}

}  // namespace ropescope::ui
