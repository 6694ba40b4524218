// What needle grids ask: what is hidden, under which settings, at which lengths and depths.
#pragma once

#include <QWidget>

class QComboBox;
class QLineEdit;
class QSpinBox;

namespace ropescope::ui {

class NeedleViewModel;

class NeedleSetup : public QWidget {
  Q_OBJECT

 public:
  explicit NeedleSetup(NeedleViewModel& model, QWidget* parent = nullptr);

 private:
  QWidget* makeQuestion();
  void edit();
  void showInputs();

  NeedleViewModel& m_model;
  QComboBox* m_kind;
  QLineEdit* m_sentence;
  QLineEdit* m_question;
  QLineEdit* m_answer;
  QLineEdit* m_lengths;
  QLineEdit* m_depths;
  QSpinBox* m_trials;
  QSpinBox* m_seed;
};

}  // namespace ropescope::ui
