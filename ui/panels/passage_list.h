// The sentences of a PassageModel; choosing one tells which.
#pragma once

#include <QTableView>

#include "ui/viewmodels/passage_model.h"

namespace ropescope::ui {

class PassageList : public QTableView {
  Q_OBJECT

 public:
  explicit PassageList(PassageModel& model, const QString& name, QWidget* parent = nullptr);

 Q_SIGNALS:
  void picked(const ropescope::ui::CharacterRange& characters);  // click, Return, arrow keys

 protected:
  void currentChanged(const QModelIndex& current, const QModelIndex& previous) override;

 private:
  void pick(const QModelIndex& index);

  PassageModel& m_model;
};

}  // namespace ropescope::ui
