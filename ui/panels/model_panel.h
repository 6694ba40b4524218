// The bar that says which model runs where, and what the planned context costs.
#pragma once

#include <QWidget>

class QComboBox;
class QLabel;
class QPushButton;

namespace ropescope::ui {

class ModelViewModel;

class ModelPanel : public QWidget {
  Q_OBJECT

 public:
  explicit ModelPanel(ModelViewModel& model, QWidget* parent = nullptr);

 signals:
  void openRequested();

 private:
  void showState();
  void reload();

  ModelViewModel& m_model;
  QLabel* m_name;
  QLabel* m_placement;
  QLabel* m_memory;
  QComboBox* m_device;
  QComboBox* m_dtype;
  QPushButton* m_open;
};

}  // namespace ropescope::ui
