// One of the four settings and what it answered: chooser, streamed text with marks, numbers.
#pragma once

#include <QComboBox>
#include <QFrame>
#include <QLabel>
#include <QLineEdit>
#include <QTextEdit>
#include <QToolButton>

#include "ui/viewmodels/compare_model.h"
#include "ui/viewmodels/method_list_model.h"

namespace ropescope::ui {

enum class CompareMarks { Probability, Difference };

class ComparePane : public QFrame {
  Q_OBJECT

 public:
  ComparePane(AppModel& app, CompareModel& model, int index, QWidget* parent = nullptr);

  void refresh();  // chooser and answer
  void setMarks(CompareMarks marks);
  QTextEdit* text() const { return m_text; }
  QComboBox* method() const { return m_method; }

 Q_SIGNALS:
  void scrolled(double share);  // of the scroll bar's way

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void buildChooser();
  void connectChooser();
  void showSlot();
  void showAnswer();
  QTextCharFormat formatOf(const ComparedToken& token) const;
  void applyMethod();
  void applyFactor();
  void chooseCalibration();
  void put(const MethodSettings& settings);

  AppModel& m_app;
  CompareModel& m_model;
  int m_index;
  CompareMarks m_marks = CompareMarks::Probability;
  MethodListModel* m_methods;
  QToolButton* m_use;
  QComboBox* m_method;
  QLineEdit* m_factor;
  QToolButton* m_calibration;
  QLabel* m_title;
  QTextEdit* m_text;
  QLabel* m_problem;
  QLabel* m_detail;
};

}  // namespace ropescope::ui
