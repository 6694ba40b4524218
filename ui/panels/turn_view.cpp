#include "ui/panels/turn_view.h"

#include <QVBoxLayout>

#include "ui/panels/panel_text.h"
#include "ui/viewmodels/chat_model.h"

namespace ropescope::ui {

TurnView::TurnView(QWidget* parent)
    : QFrame(parent),
      m_question(wrappedLabel(this)),
      m_answer(new AnswerView(this)),
      m_problem(wrappedLabel(this)),
      m_detail(wrappedLabel(this)) {
  setFrameShape(QFrame::StyledPanel);
  setBackgroundRole(QPalette::Base);
  setAutoFillBackground(true);
  setBold(m_question);
  setMuted(m_detail);
  m_question->setAccessibleName(tr("Question"));
  auto* layout = new QVBoxLayout(this);
  layout->addWidget(m_question);
  layout->addWidget(m_answer);
  layout->addWidget(m_problem);
  layout->addWidget(m_detail);
}

void TurnView::show(const QModelIndex& turn) {
  m_question->setText(turn.data(ChatModel::QuestionRole).toString());
  const QString answer = turn.data(ChatModel::AnswerRole).toString();
  const QString problem = turn.data(ChatModel::ProblemRole).toString();
  const QString detail = turn.data(ChatModel::DetailRole).toString();
  m_answer->setAnswer(answer.trimmed());
  m_answer->setVisible(!answer.trimmed().isEmpty());
  m_problem->setText(problem);
  setWarning(m_problem, !problem.isEmpty());
  m_problem->setVisible(!problem.isEmpty());
  m_detail->setText(detail);
  m_detail->setVisible(!detail.isEmpty());
}

}  // namespace ropescope::ui
