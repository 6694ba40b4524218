// One question with its answer.
#pragma once

#include <QFrame>
#include <QModelIndex>

class QLabel;

namespace ropescope::ui {

class TurnView : public QFrame {
  Q_OBJECT

 public:
  explicit TurnView(QWidget* parent = nullptr);
  void show(const QModelIndex& turn);

 private:
  QLabel* m_question;
  QLabel* m_answer;
  QLabel* m_problem;
  QLabel* m_detail;
};

}  // namespace ropescope::ui
