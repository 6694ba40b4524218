#include "ui/viewmodels/passage_model.h"

#include <QLocale>

#include "ui/text/number_text.h"

namespace ropescope::ui {

QString oneLine(const std::string& utf8) {
  return QString::fromStdString(utf8).simplified();
}

void PassageModel::setRows(PassageValue kind, const QString& valueTitle,
                           std::vector<PassageRow> rows) {
  beginResetModel();
  m_kind = kind;
  m_valueTitle = valueTitle;
  m_rows = std::move(rows);
  endResetModel();
}

int PassageModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

int PassageModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : ColumnCount;
}

QVariant PassageModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const PassageRow& row = m_rows[static_cast<std::size_t>(index.row())];
  if (role == Qt::TextAlignmentRole && index.column() != TextColumn) {
    return QVariant(Qt::AlignRight | Qt::AlignVCenter);
  }
  if (role == Qt::ToolTipRole && index.column() == TextColumn) return row.text;
  if (role != Qt::DisplayRole) return {};
  switch (index.column()) {
    case ValueColumn:
      return m_kind == PassageValue::Share
                 ? QLocale().toString(100.0 * row.value, 'f', 1) + QStringLiteral(" %")
                 : QLocale().toString(row.value, 'f', 2);
    case TokensColumn:
      return tr("%1 – %2").arg(tokensText(row.tokens.begin), tokensText(row.tokens.end - 1));
    case TextColumn:
      return row.text;
    default:
      return {};
  }
}

QVariant PassageModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || role != Qt::DisplayRole) return {};
  switch (section) {
    case ValueColumn:
      return m_valueTitle;
    case TokensColumn:
      return tr("tokens");
    case TextColumn:
      return tr("sentence");
    default:
      return {};
  }
}

}  // namespace ropescope::ui
