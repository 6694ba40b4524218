#include "ui/viewmodels/chat_model.h"

#include <algorithm>
#include <utility>

#include "core/document/prompt_format.h"
#include "ui/text/error_text.h"
#include "ui/text/number_text.h"

namespace ropescope::ui {
namespace {

QString finishText(FinishReason reason) {
  switch (reason) {
    case FinishReason::Eos:
      return ChatModel::tr("the model ended it");
    case FinishReason::Length:
      return ChatModel::tr("the length limit ended it");
    case FinishReason::Stopped:
      return ChatModel::tr("stopped by you");
  }
  return {};
}

}  // namespace

std::vector<std::int32_t> cutDocument(const OpenDocument& document, std::int64_t tokens) {
  const PromptPart& part = document.part;
  const auto textEnd = part.contentBegin + static_cast<std::int64_t>(document.document.text.size());
  std::size_t closing = part.ids.size();  // first token of what the format puts behind the text
  while (closing > 0 && part.spans[closing - 1].begin >= textEnd) --closing;
  const auto kept = std::min(closing, static_cast<std::size_t>(std::max<std::int64_t>(0, tokens)));
  std::vector<std::int32_t> ids(part.ids.begin(),
                                part.ids.begin() + static_cast<std::ptrdiff_t>(kept));
  ids.insert(ids.end(), part.ids.begin() + static_cast<std::ptrdiff_t>(closing), part.ids.end());
  return ids;
}

QString methodText(const rope::RotaryPlan& plan, const MethodSettings& settings) {
  const auto method = rope::findMethod(plan.method);
  QString text =
      method ? QString::fromStdString(method->info().title) : QString::fromStdString(plan.method);
  if (method && method->info().takesFactor) {
    text += ChatModel::tr(", factor %1").arg(ratioText(plan.context.factor));
  }
  text += ChatModel::tr(", %1 tokens planned").arg(tokensText(plan.context.plannedLength));
  if (!settings.calibrationFile.empty()) {
    text += ChatModel::tr(", calibrated (strength %1, LoRA %2)")
                .arg(settings.pscStrength, 0, 'g', 3)
                .arg(settings.lora ? ChatModel::tr("on") : ChatModel::tr("off"));
  }
  return text;
}

ChatModel::ChatModel(AppModel& app, EngineRunner& runner, QObject* parent)
    : QAbstractListModel(parent),
      m_app(app),
      m_runner(runner) {
  connect(&m_runner, &EngineRunner::progressed, this, &ChatModel::showProgress);
}

int ChatModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(m_turns.size());
}

QVariant ChatModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const ChatTurn& turn = m_turns[static_cast<std::size_t>(index.row())];
  switch (role) {
    case Qt::DisplayRole:
    case QuestionRole:
      return turn.question;
    case AnswerRole:
      return turn.answer;
    case DetailRole:
      return detail(turn);
    case ProblemRole:
      return turn.problem;
    case StateRole:
      return static_cast<int>(turn.state);
    default:
      return {};
  }
}

QHash<int, QByteArray> ChatModel::roleNames() const {
  return {{QuestionRole, "question"},
          {AnswerRole, "answer"},
          {DetailRole, "detail"},
          {ProblemRole, "problem"},
          {StateRole, "state"}};
}

std::int64_t ChatModel::questionTokens(const QString& question) const {
  if (!m_app.engine() || question.trimmed().isEmpty()) return 0;
  const auto tokenizer = m_app.engine()->tokenizer();
  if (!tokenizer) return 0;
  const auto part =
      questionPart(m_app.engine()->promptFormat(), **tokenizer, question.trimmed().toStdString());
  return part ? static_cast<std::int64_t>(part->ids.size()) : 0;
}

void ChatModel::setGeneration(const GenerationConfig& config) {
  m_generation = config;
}

void ChatModel::ask(const QString& question) {
  const QString asked = question.trimmed();
  if (asked.isEmpty()) return;
  askAbout({.id = ++m_lastId, .question = asked, .generation = m_generation});
}

void ChatModel::askCut(const QString& question, std::int64_t documentTokens) {
  const QString asked = question.trimmed();
  if (asked.isEmpty()) return;
  ChatTurn turn{.id = ++m_lastId, .question = asked, .generation = m_generation};
  cut(turn, documentTokens);
  askAbout(std::move(turn));
}

void ChatModel::cut(ChatTurn& turn, std::int64_t documentTokens) const {
  if (!m_app.document() || documentTokens >= m_app.document()->tokens()) return;
  turn.cutTokens = std::max<std::int64_t>(1, documentTokens);
  turn.documentTokens = m_app.document()->tokens();
}

void ChatModel::askAgain(std::int64_t documentTokens) {
  if (m_turns.empty()) return;
  const ChatTurn& newest = m_turns.back();
  const bool sameText = newest.prepared && newest.document == m_app.document();
  if (!sameText) return askCut(QString(newest.question), documentTokens);
  ChatTurn turn{.id = ++m_lastId, .question = newest.question, .note = newest.note};
  turn.questionIds = newest.questionIds;
  turn.prepared = true;
  cut(turn, documentTokens);
  askAbout(std::move(turn));
}

quint64 ChatModel::askPrepared(const QString& question, std::vector<std::int32_t> ids,
                               const QString& note) {
  ChatTurn turn{.id = ++m_lastId, .question = question, .note = note};
  turn.questionIds = std::move(ids);
  turn.prepared = true;
  const quint64 id = turn.id;
  askAbout(std::move(turn));
  return id;
}

void ChatModel::askAbout(ChatTurn turn) {
  const QString asked = turn.question;
  turn.generation.maxNewTokens = m_app.answerTokens();
  turn.document = m_app.document();
  turn.settings = m_app.method();
  turn.plan = m_app.plan();
  if (m_app.plan()) turn.method = methodText(*m_app.plan(), m_app.method());
  const int row = rowCount();
  beginInsertRows({}, row, row);
  m_turns.push_back(turn);
  endInsertRows();

  ChatTurn& added = m_turns.back();
  const auto questionSize =
      added.prepared ? static_cast<std::int64_t>(added.questionIds.size()) : questionTokens(asked);
  const QString why = added.cutTokens > 0 ? m_app.refusalOfPart(added.cutTokens, questionSize)
                                          : m_app.refusal(questionSize);
  if (!why.isEmpty()) return fail(added, why);
  if (const Status valid = validate(added.generation); !valid) {
    return fail(added, errorSentence(valid.error()));
  }
  if (!added.prepared) {
    const auto tokenizer = m_app.engine()->tokenizer();
    if (!tokenizer) return fail(added, errorSentence(tokenizer.error()));
    auto part = questionPart(m_app.engine()->promptFormat(), **tokenizer, asked.toStdString());
    if (!part) return fail(added, errorSentence(part.error()));
    added.questionIds = std::move(part->ids);
  }
  std::vector<std::int32_t> document = added.cutTokens > 0
                                           ? cutDocument(*m_app.document(), added.cutTokens)
                                           : m_app.document()->part.ids;
  added.session = m_app.sessionSerial();
  added.partTokens = static_cast<std::int64_t>(document.size());
  start(added.id,
        {.parts = {std::move(document), added.questionIds}, .generation = added.generation});
}

void ChatModel::start(quint64 id, AnswerRequest request) {
  ++m_running;
  emit busyChanged();
  const AnswerSinks sinks{
      .tokens = m_app.tokenSink(m_app.sessionSerial()),
      .text = m_runner.stream<std::string>(
          this,
          [this, id](const std::string& text) {
            ChatTurn* turn = findTurn(id);
            if (turn == nullptr) return;
            turn->state = ChatTurn::State::Writing;
            turn->answer += QString::fromStdString(text);
            changed(*turn);
          },
          [](std::string& waiting, std::string&& next) { waiting += next; })};
  m_runner.startLong<Answer>(
      this, Lane::Answer, SameLane::Queue,
      [recipe = m_app.recipe(), request = std::move(request), sinks](EngineRoom& room,
                                                                     const JobControl& job) {
        return answerQuestion(room, recipe, request, sinks, job);
      },
      [this, id](const Result<Answer>& answer) { finish(id, answer); });
}

void ChatModel::finish(quint64 id, const Result<Answer>& answer) {
  --m_running;
  ChatTurn* turn = findTurn(id);
  if (turn != nullptr && !answer) {
    const bool stopped = answer.error().code == ErrorCode::Cancelled;
    fail(*turn, stopped ? tr("Stopped before the answer began. What has been read stays for the "
                             "next question.")
                        : errorSentence(answer.error()));
  } else if (turn != nullptr) {
    turn->result = *answer;
    turn->answer = QString::fromStdString(answer->text);
    turn->state = ChatTurn::State::Finished;
    changed(*turn);
    emit turnFinished(static_cast<int>(turn - m_turns.data()));
  }
  emit busyChanged();
}

void ChatModel::fail(ChatTurn& turn, const QString& why) {
  turn.problem = why;
  turn.state = ChatTurn::State::Failed;
  changed(turn);
  emit turnFinished(static_cast<int>(&turn - m_turns.data()));
}

void ChatModel::stop() {
  m_runner.stop(Lane::Answer);
}

void ChatModel::clear() {
  beginResetModel();
  m_turns.clear();
  endResetModel();
}

ChatTurn* ChatModel::findTurn(quint64 id) {
  const auto turn = std::find_if(m_turns.begin(), m_turns.end(),
                                 [id](const ChatTurn& candidate) { return candidate.id == id; });
  return turn == m_turns.end() ? nullptr : &*turn;
}

void ChatModel::changed(const ChatTurn& turn) {
  const QModelIndex at = index(static_cast<int>(&turn - m_turns.data()));
  emit dataChanged(at, at);
}

void ChatModel::showProgress(Lane lane, const Progress& progress) {
  if (lane != Lane::Answer || progress.stage != "prefill") return;
  // Jobs run in the order they were asked: it is the first that has not finished.
  const auto turn = std::find_if(m_turns.begin(), m_turns.end(), [](const ChatTurn& candidate) {
    return candidate.state == ChatTurn::State::Waiting ||
           candidate.state == ChatTurn::State::Reading;
  });
  if (turn == m_turns.end()) return;
  turn->state = ChatTurn::State::Reading;
  turn->readTokens = progress.done;
  turn->totalTokens = progress.total;
  changed(*turn);
}

QString ChatModel::detail(const ChatTurn& turn) const {
  QString text = stateDetail(turn);
  if (!turn.note.isEmpty()) text = turn.note + QStringLiteral(" · ") + text;
  if (turn.cutTokens == 0) return text;
  return tr("Document cut to its first %1 of %2 tokens · %3")
      .arg(tokensText(turn.cutTokens), tokensText(turn.documentTokens), text);
}

QString ChatModel::stateDetail(const ChatTurn& turn) const {
  switch (turn.state) {
    case ChatTurn::State::Waiting:
      return tr("waiting for the engine …");
    case ChatTurn::State::Reading:
      return tr("reading %1 of %2 tokens …")
          .arg(tokensText(turn.readTokens), tokensText(turn.totalTokens));
    case ChatTurn::State::Writing:
      return tr("writing …");
    case ChatTurn::State::Failed:
      return turn.method;
    case ChatTurn::State::Finished:
      break;
  }
  const Answer& result = turn.result;
  QStringList parts{turn.method};
  parts << tr("reused %1 of %2 tokens")
               .arg(tokensText(result.prefill.reusedTokens),
                    tokensText(result.prefill.promptTokens));
  const std::int64_t fresh = result.prefill.promptTokens - result.prefill.reusedTokens;
  parts << tr("read %1 in %2").arg(tokensText(fresh), secondsText(result.prefillSeconds));
  const auto written = static_cast<std::int64_t>(result.ids.size());
  parts << tr("wrote %1 at %2").arg(tokensText(written), rateText(written, result.decodeSeconds));
  parts << finishText(result.finishReason);
  return parts.join(QStringLiteral(" · "));
}

}  // namespace ropescope::ui
