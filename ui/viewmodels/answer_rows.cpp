#include "ui/viewmodels/answer_rows.h"

#include <algorithm>

#include "ui/text/number_text.h"

namespace ropescope::ui {
namespace {

constexpr std::int64_t kLastRows = 64;  // tokens that stand in for an answer

}  // namespace

AnswerRows::AnswerRows(AppModel& app, ChatModel& chat, QObject* parent)
    : QObject(parent),
      m_app(app),
      m_chat(chat) {
  connect(&m_app, &AppModel::planChanged, this, &AnswerRows::changed);
  connect(&m_app, &AppModel::sessionAdvanced, this, &AnswerRows::changed);
  connect(&m_app, &AppModel::busyChanged, this, &AnswerRows::changed);
  connect(&m_chat, &ChatModel::turnFinished, this, &AnswerRows::takeAnswer);
}

void AnswerRows::takeAnswer(int turn) {
  const ChatTurn& finished = m_chat.turns()[static_cast<std::size_t>(turn)];
  if (finished.state != ChatTurn::State::Finished || finished.result.ids.empty()) return;
  m_answers[finished.session] = {finished.result.prefill.promptTokens, finished.result.ids};
  Q_EMIT changed();
}

// A token is written by the row before it; the first by the prompt's last. None when the session
// was asked something else since then: the comparison does that to sessions that are not in use.
TokenRange AnswerRows::answerRows() const {
  const auto answer = m_answers.find(m_app.sessionSerial());
  if (answer == m_answers.end()) return {};
  const auto& [prompt, ids] = answer->second;
  const auto written = std::ssize(ids);
  if (prompt + written - 1 > m_app.position()) return {};
  for (std::int64_t i = 0; i + 1 < written; ++i) {  // the last one need not have been read
    if (m_app.tokenAt(prompt + i) != ids[static_cast<std::size_t>(i)]) return {};
  }
  return {prompt - 1, prompt - 1 + written};
}

AnswerRows::Rows AnswerRows::rows() const {
  const std::int64_t position = m_app.position();
  if (const TokenRange answer = answerRows(); answer.size() > 0) {
    return {answer, tr("the answer's"),
            tr("the answer's %1 tokens").arg(tokensText(answer.size()))};
  }
  const std::int64_t rows = std::min(kLastRows, position);
  return {{position - rows, position},
          tr("these tokens'"),
          tr("the last %1 tokens read (no answer yet)").arg(tokensText(rows))};
}

}  // namespace ropescope::ui
