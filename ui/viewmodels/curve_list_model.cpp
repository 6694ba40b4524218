#include "ui/viewmodels/curve_list_model.h"

#include <QStringList>

namespace ropescope::ui {

CurveListModel::CurveListModel(std::filesystem::path calibrations, QObject* parent)
    : QAbstractListModel(parent),
      m_shelf(std::move(calibrations)) {}

int CurveListModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

QVariant CurveListModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const Row& row = m_rows[static_cast<std::size_t>(index.row())];
  switch (role) {
    case Qt::DisplayRole:
      // Not by colour alone: a row that cannot be measured carries a sign.
      return row.problem.isEmpty() ? row.title : QStringLiteral("⚠ ") + row.title;
    case Qt::ToolTipRole:
      return row.problem.isEmpty() ? row.text : row.problem;
    case TextRole:
      return row.text;
    default:
      return {};
  }
}

CurveListModel::Row CurveListModel::rowOf(const QString& text) {
  Row row{.text = text, .curve = std::nullopt, .problem = {}, .title = text};
  auto curve = readCurve(text.toStdString());
  if (!curve) {
    row.problem = QString::fromStdString(curve.error().message);
    return row;
  }
  row.title = curveTitle(*curve, m_shelf.parts(curve->calibrationFile));
  if (!curve->calibrationFile.empty() && !m_shelf.file(curve->calibrationFile)) {
    row.problem = tr("%1 is no calibration file that can be read.")
                      .arg(QString::fromStdString(curve->calibrationFile));
  }
  row.curve = *std::move(curve);
  return row;
}

void CurveListModel::setText(const QString& text) {
  if (text == this->text()) return;
  beginResetModel();
  m_rows.clear();
  for (const QString& each : text.split(u';', Qt::SkipEmptyParts)) {
    if (!each.trimmed().isEmpty()) m_rows.push_back(rowOf(each.trimmed()));
  }
  endResetModel();
}

void CurveListModel::editText(const QString& text) {
  if (text.trimmed().isEmpty()) {
    Q_EMIT defaultWanted();
    return;
  }
  setText(text);
  Q_EMIT edited();
}

QString CurveListModel::text() const {
  QStringList texts;
  for (const Row& row : m_rows) texts << row.text;
  return texts.join(u';');
}

QString CurveListModel::problem(int row) const {
  return m_rows[static_cast<std::size_t>(row)].problem;
}

std::optional<CurveDescription> CurveListModel::curve(int row) const {
  if (row < 0 || row >= rowCount()) return std::nullopt;
  return m_rows[static_cast<std::size_t>(row)].curve;
}

QString CurveListModel::title(int row) const {
  return m_rows[static_cast<std::size_t>(row)].title;
}

QString CurveListModel::append(const CurveDescription& curve) {
  const auto text = curveText(curve);
  if (!text) return QString::fromStdString(text.error().message);
  beginInsertRows({}, rowCount(), rowCount());
  m_rows.push_back(rowOf(QString::fromStdString(*text)));
  endInsertRows();
  Q_EMIT edited();
  return {};
}

QString CurveListModel::replace(int row, const CurveDescription& curve) {
  const auto text = curveText(curve);
  if (!text) return QString::fromStdString(text.error().message);
  m_rows[static_cast<std::size_t>(row)] = rowOf(QString::fromStdString(*text));
  Q_EMIT dataChanged(index(row), index(row));
  Q_EMIT edited();
  return {};
}

void CurveListModel::remove(int row) {
  if (row < 0 || row >= rowCount()) return;
  beginRemoveRows({}, row, row);
  m_rows.erase(m_rows.begin() + row);
  endRemoveRows();
  Q_EMIT edited();
}

void CurveListModel::setModel(const std::string& hash, double factor) {
  m_modelHash = hash;
  m_factor = factor;
}

double CurveListModel::factorOf(const CurveDescription& curve) const {
  return curve.rope.factor.value_or(m_factor);
}

std::vector<CalibrationFile> CurveListModel::calibrationsFor(const CurveDescription& curve) {
  return m_shelf.fitting(m_modelHash, curve.rope.id, factorOf(curve));
}

std::vector<CurveDescription> CurveListModel::variants(const std::string& method) {
  CurveDescription plain{.rope = {.id = method, .values = {}, .factor = std::nullopt}};
  const auto found = rope::findMethod(method);
  if (found && found->info().takesFactor) plain.rope.factor = m_factor;
  std::vector<CurveDescription> all{plain};
  for (const CalibrationFile& file : calibrationsFor(plain)) {
    all.push_back(plain);
    all.back().calibrationFile = file.path.string();
  }
  return all;
}

}  // namespace ropescope::ui
