// All RoPE methods as a list; one that cannot work with this model is disabled and says why.
#pragma once

#include <QAbstractListModel>
#include <QString>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/engine/engine.h"
#include "core/rope/rope_method.h"

namespace ropescope::ui {

class MethodListModel : public QAbstractListModel {
  Q_OBJECT

 public:
  enum Role { IdRole = Qt::UserRole + 1 };

  explicit MethodListModel(QObject* parent = nullptr);

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  Qt::ItemFlags flags(const QModelIndex& index) const override;

  int rowOf(const std::string& id) const;  // -1: none
  QString unavailableReason(const std::string& id) const;  // empty: it works

  // Asks the engine what every method would do at its defaults. `given` overrides them for its id.
  void refresh(const Engine& engine, std::int64_t plannedLength, const rope::MethodChoice& given);

 private:
  struct Row {
    rope::MethodInfo info;
    QString unavailable;
  };
  std::vector<Row> m_rows;
};

}  // namespace ropescope::ui
