// Spin boxes for the window's two tokens and its head, for every view that looks at them.
#pragma once

#include <QHBoxLayout>
#include <QObject>
#include <QPushButton>
#include <QSpinBox>

#include "ui/viewmodels/token_pair_model.h"

namespace ropescope::ui {

class TokenControls : public QObject {
  Q_OBJECT

 public:
  // `owner` becomes the parent of the controls.
  TokenControls(TokenPairModel& model, QWidget* owner);

  void addTokens(QHBoxLayout* row);  // query and key
  void addHead(QHBoxLayout* row);    // layer, head, and the strongest key

  QSpinBox* query() const { return m_query; }
  QSpinBox* key() const { return m_key; }
  QSpinBox* layer() const { return m_layer; }
  QSpinBox* head() const { return m_head; }

 private:
  void show();
  void chooseTokens();
  void chooseHead();

  TokenPairModel& m_model;
  QSpinBox* m_query;
  QSpinBox* m_key;
  QSpinBox* m_layer;
  QSpinBox* m_head;
  QPushButton* m_strongest;
};

}  // namespace ropescope::ui
