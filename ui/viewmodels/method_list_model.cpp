#include "ui/viewmodels/method_list_model.h"

#include <algorithm>

#include "ui/text/error_text.h"

namespace ropescope::ui {

MethodListModel::MethodListModel(QObject* parent) : QAbstractListModel(parent) {
  for (const auto& method : rope::allMethods()) m_rows.push_back({method->info(), {}});
}

int MethodListModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

QVariant MethodListModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const Row& row = m_rows[static_cast<std::size_t>(index.row())];
  switch (role) {
    case Qt::DisplayRole:
      return QString::fromStdString(row.info.title);
    case Qt::ToolTipRole:
      return row.unavailable.isEmpty()
                 ? tr("%1 (%2)").arg(QString::fromStdString(row.info.summary),
                                     QString::fromStdString(row.info.reference))
                 : row.unavailable;
    case IdRole:
      return QString::fromStdString(row.info.id);
    default:
      return {};
  }
}

Qt::ItemFlags MethodListModel::flags(const QModelIndex& index) const {
  if (!index.isValid()) return Qt::NoItemFlags;
  const Row& row = m_rows[static_cast<std::size_t>(index.row())];
  return row.unavailable.isEmpty() ? QAbstractListModel::flags(index) | Qt::ItemNeverHasChildren
                                   : Qt::ItemNeverHasChildren;
}

int MethodListModel::rowOf(const std::string& id) const {
  const auto row = std::find_if(m_rows.begin(), m_rows.end(),
                                [&](const Row& candidate) { return candidate.info.id == id; });
  return row == m_rows.end() ? -1 : static_cast<int>(row - m_rows.begin());
}

QString MethodListModel::unavailableReason(const std::string& id) const {
  const int row = rowOf(id);
  return row < 0 ? tr("There is no such method.")
                 : m_rows[static_cast<std::size_t>(row)].unavailable;
}

void MethodListModel::refresh(const Engine& engine, std::int64_t plannedLength,
                              const rope::MethodChoice& given) {
  for (Row& row : m_rows) {
    rope::MethodChoice choice{.id = row.info.id};
    if (row.info.id == given.id) choice = given;
    const auto plan = engine.plan(choice, plannedLength);
    row.unavailable = plan ? QString() : errorSentence(plan.error());
  }
  if (!m_rows.empty()) emit dataChanged(index(0), index(rowCount() - 1));
}

}  // namespace ropescope::ui
