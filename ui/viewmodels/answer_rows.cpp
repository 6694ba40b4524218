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
  connect(&m_app, &AppModel::sessionAdvanced, this, [this](qint64 position) {
    const auto answer = m_answers.find(m_app.sessionSerial());
    if (answer != m_answers.end() && answer->second.end > position) m_answers.erase(answer);
    Q_EMIT changed();
  });
  connect(&m_app, &AppModel::busyChanged, this, &AnswerRows::changed);
  connect(&m_chat, &ChatModel::turnFinished, this, &AnswerRows::takeAnswer);
}

void AnswerRows::takeAnswer(int turn) {
  const ChatTurn& finished = m_chat.turns()[static_cast<std::size_t>(turn)];
  const auto written = static_cast<std::int64_t>(finished.result.ids.size());
  if (finished.state != ChatTurn::State::Finished || written == 0) return;
  // A token is written by the row before it; the first by the prompt's last.
  const std::int64_t first = finished.result.prefill.promptTokens - 1;
  m_answers[finished.session] = {first, first + written};
  Q_EMIT changed();
}

AnswerRows::Rows AnswerRows::rows() const {
  const std::int64_t position = m_app.position();
  const auto answer = m_answers.find(m_app.sessionSerial());
  if (answer != m_answers.end() && answer->second.end <= position) {
    return {answer->second, tr("the answer's"),
            tr("the answer's %1 tokens").arg(tokensText(answer->second.size()))};
  }
  const std::int64_t rows = std::min(kLastRows, position);
  return {{position - rows, position},
          tr("these tokens'"),
          tr("the last %1 tokens read (no answer yet)").arg(tokensText(rows))};
}

}  // namespace ropescope::ui
