// The questions asked and their answers, as an item model: one row per turn.
//
// Questions are independent of each other and share the document's cache.
#pragma once

#include <QAbstractListModel>
#include <QString>
#include <cstdint>
#include <vector>

#include "core/engine/generation.h"
#include "ui/viewmodels/app_model.h"
#include "ui/worker/session_jobs.h"

namespace ropescope::ui {

struct ChatTurn {
  enum class State { Waiting, Reading, Writing, Finished, Failed };
  quint64 id = 0;
  QString question;
  QString note;  // for people, never part of a prompt: "wanted: 48213"
  QString answer;
  QString problem;  // why there is no answer, or not all of it
  State state = State::Waiting;
  QString method;  // plan in use: "YaRN, factor 4, 4,096 tokens planned"
  std::shared_ptr<const OpenDocument> document;  // that it was asked about; null: none
  MethodSettings settings;                       // as asked
  std::shared_ptr<const rope::RotaryPlan> plan;  // null without a model
  Answer result;                                 // once finished
  std::uint64_t session = 0;              // AppModel::sessionSerial() that it was asked under
  std::int64_t partTokens = 0;            // of the document in its prompt
  std::vector<std::int32_t> questionIds;  // behind them, before the answer
  bool prepared = false;                  // the ids were given, `question` is their text for people
  GenerationConfig generation;
  std::int64_t readTokens = 0;  // progress while reading
  std::int64_t totalTokens = 0;
  // Of a question about the beginning of the document only; 0: about the whole of it.
  std::int64_t cutTokens = 0;
  std::int64_t documentTokens = 0;  // before the cut
};

// The first `tokens` of a document part, closed as the prompt format closes a whole one.
std::vector<std::int32_t> cutDocument(const OpenDocument& document, std::int64_t tokens);

class ChatModel : public QAbstractListModel {
  Q_OBJECT

 public:
  enum Role { QuestionRole = Qt::UserRole + 1, AnswerRole, DetailRole, ProblemRole, StateRole };

  ChatModel(AppModel& app, EngineRunner& runner, QObject* parent = nullptr);

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QHash<int, QByteArray> roleNames() const override;

  const std::vector<ChatTurn>& turns() const { return m_turns; }
  bool isBusy() const { return m_running != 0; }
  std::int64_t questionTokens(const QString& question) const;  // 0 when it cannot be known

  // Sampling; the answer's length comes from AppModel::answerTokens().
  const GenerationConfig& generation() const { return m_generation; }
  void setGeneration(const GenerationConfig& config);

  // A refusal is a turn that says why. A question during an answer waits for its turn.
  void ask(const QString& question);
  // About the first `documentTokens` of the document alone: to see how an answer depends on the
  // context's length. The turn says so. What the session holds of these tokens is reused.
  void askCut(const QString& question, std::int64_t documentTokens);
  // The newest question about so many tokens of the document. One that was prepared is asked with
  // the same ids while its document is open.
  void askAgain(std::int64_t documentTokens);
  // A question that is tokens already; greedy, as measurements answer. `question` and `note` are
  // shown, and neither is read by the model. The turn's id comes back.
  quint64 askPrepared(const QString& question, std::vector<std::int32_t> ids, const QString& note);
  void stop();
  void clear();

 signals:
  void busyChanged();
  void turnFinished(int row);

 private:
  void askAbout(ChatTurn turn);
  void cut(ChatTurn& turn, std::int64_t documentTokens) const;
  ChatTurn* findTurn(quint64 id);
  void changed(const ChatTurn& turn);
  void start(quint64 id, AnswerRequest request);
  void finish(quint64 id, const Result<Answer>& answer);
  void fail(ChatTurn& turn, const QString& why);
  void showProgress(Lane lane, const Progress& progress);
  QString detail(const ChatTurn& turn) const;
  QString stateDetail(const ChatTurn& turn) const;

  AppModel& m_app;
  EngineRunner& m_runner;
  std::vector<ChatTurn> m_turns;
  GenerationConfig m_generation;
  quint64 m_lastId = 0;
  int m_running = 0;  // waiting or running
};

QString methodText(const rope::RotaryPlan& plan, const MethodSettings& settings);

}  // namespace ropescope::ui
