// One question with its answer.
#pragma once

#include <QFrame>
#include <QModelIndex>

#include "ui/panels/answer_view.h"

class QLabel;

namespace ropescope::ui {

class TurnView : public QFrame {
  Q_OBJECT

 public:
  explicit TurnView(QWidget* parent = nullptr);
  void show(const QModelIndex& turn);
  AnswerView& answer() { return *m_answer; }

 private:
  QLabel* m_question;
  AnswerView* m_answer;
  QLabel* m_problem;
  QLabel* m_detail;
};

}  // namespace ropescope::ui
