// Sentences of the document with a number each, strongest first, as an item model.
#pragma once

#include <QAbstractTableModel>
#include <QString>
#include <vector>

#include "core/probe/attention_map.h"
#include "ui/viewmodels/text_shading.h"

namespace ropescope::ui {

struct PassageRow {
  double value = 0.0;
  TokenRange tokens;          // positions
  CharacterRange characters;  // of the shown text
  QString text;
};

// What the first column shows.
enum class PassageValue { Share, Nats };

class PassageModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  enum Column { ValueColumn, TokensColumn, TextColumn, ColumnCount };

  explicit PassageModel(QObject* parent = nullptr) : QAbstractTableModel(parent) {}
  void setRows(PassageValue kind, const QString& valueTitle, std::vector<PassageRow> rows);
  const std::vector<PassageRow>& rows() const { return m_rows; }

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  PassageValue m_kind = PassageValue::Share;
  QString m_valueTitle;
  std::vector<PassageRow> m_rows;
};

// A sentence on one line: white space squeezed.
QString oneLine(const std::string& utf8);

}  // namespace ropescope::ui
