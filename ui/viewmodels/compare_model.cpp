#include "ui/viewmodels/compare_model.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "core/document/prompt_format.h"
#include "ui/text/error_text.h"
#include "ui/text/number_text.h"

namespace ropescope::ui {
namespace {

using Stage = PaneProgress::Stage;
using Updates = std::map<std::size_t, PaneProgress>;  // the newest of each pane

void mergeUpdates(Updates& waiting, Updates&& next) {
  for (auto& [pane, progress] : next) waiting[pane] = std::move(progress);
}

}  // namespace

std::vector<bool> tokenDifference(const std::vector<std::int32_t>& reference,
                                  const std::vector<std::int32_t>& ids) {
  const std::size_t columns = ids.size() + 1;
  // length[i][j]: of the longest common subsequence of reference[i …] and ids[j …]
  std::vector<std::uint32_t> length((reference.size() + 1) * columns, 0);
  const auto cell = [&](std::size_t i, std::size_t j) -> std::uint32_t& {
    return length[i * columns + j];
  };
  for (std::size_t i = reference.size(); i-- > 0;) {
    for (std::size_t j = ids.size(); j-- > 0;) {
      cell(i, j) = reference[i] == ids[j] ? cell(i + 1, j + 1) + 1
                                          : std::max(cell(i + 1, j), cell(i, j + 1));
    }
  }
  std::vector<bool> differs(ids.size(), true);
  std::size_t i = 0;
  for (std::size_t j = 0; i < reference.size() && j < ids.size();) {
    if (reference[i] == ids[j]) {
      differs[j++] = false;
      ++i;
    } else if (cell(i + 1, j) >= cell(i, j + 1)) {
      ++i;
    } else {
      ++j;
    }
  }
  return differs;
}

CompareModel::CompareModel(AppModel& app, ChatModel& chat, EngineRunner& runner, QObject* parent)
    : QAbstractListModel(parent),
      m_app(app),
      m_chat(chat),
      m_runner(runner) {
  connect(&m_app, &AppModel::slotsChanged, this, [this] { changed(0, kPanes - 1); });
  const auto clear = [this] {
    m_panes = {};
    m_status.clear();
    changed(0, kPanes - 1);
    emit statusChanged();
  };
  connect(&m_app, &AppModel::modelChanged, this, clear);
  connect(&m_app, &AppModel::documentChanged, this, clear);
}

int CompareModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : kPanes;
}

QVariant CompareModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const Pane& pane = at(index.row());
  const MethodSlot& slot = m_app.slot(index.row());
  switch (role) {
    case Qt::DisplayRole:
      return pane.asked ? pane.title : settingsTitle(slot.session);
    case AnswerRole:
      return QString::fromStdString(pane.progress.answer.text);
    case DetailRole:
      return detail(pane);
    case ProblemRole:
      return pane.problem.isEmpty() ? slot.problem : pane.problem;
    case StageRole:
      return static_cast<int>(pane.progress.stage);
    default:
      return {};
  }
}

QHash<int, QByteArray> CompareModel::roleNames() const {
  return {{Qt::DisplayRole, "title"},
          {AnswerRole, "answer"},
          {DetailRole, "detail"},
          {ProblemRole, "problem"},
          {StageRole, "stage"}};
}

std::vector<PaneOrder> CompareModel::orders(const QString& question) {
  const auto tokenizer = m_app.engine()->tokenizer();
  const auto part =
      tokenizer ? questionPart(m_app.engine()->promptFormat(), **tokenizer, question.toStdString())
                : Result<PromptPart>(tokenizer.error());
  GenerationConfig generation = m_chat.generation();
  generation.maxNewTokens = m_app.answerTokens();
  std::vector<PaneOrder> orders;
  for (int i = 0; i < kPanes; ++i) {
    Pane& pane = at(i) = {.asked = true};
    const auto recipe = m_app.slotRecipe(i);
    pane.title = settingsTitle(m_app.slot(i).session);
    pane.settings = m_app.slot(i).settings();
    if (!part) {
      pane.problem = errorSentence(part.error());
    } else if (!recipe && recipe.error().code == ErrorCode::Cancelled) {
      pane.problem = tr("The calibration is still being read; ask again in a moment.");
    } else if (!recipe) {
      pane.problem = m_app.slot(i).problem;
    } else {
      const std::int64_t needed = m_app.neededContext(static_cast<std::int64_t>(part->ids.size()));
      if (needed > recipe->options.contextTokens) {
        pane.problem =
            tr("Document, question and answer need %1 tokens, %2 are planned. Nothing is "
               "cut: leave this slot's planned tokens automatic, or shorten the answer.")
                .arg(tokensText(needed), tokensText(recipe->options.contextTokens));
        continue;
      }
      pane.plan = m_app.slot(i).session.plan;
      pane.generation = generation;
      orders.push_back({.pane = static_cast<std::size_t>(i),
                        .recipe = *recipe,
                        .request = {.parts = {m_app.document()->part.ids, part->ids},
                                    .generation = generation}});
    }
  }
  return orders;
}

void CompareModel::ask(const QString& question) {
  const QString asked = question.trimmed();
  if (asked.isEmpty() || isBusy()) return;
  m_question = asked;
  m_status.clear();
  if (!m_app.engine() || !m_app.document() || m_app.document()->part.ids.empty()) {
    m_status = m_app.refusal(0);
    emit statusChanged();
    return;
  }
  auto wanted = orders(asked);
  changed(0, kPanes - 1);
  if (wanted.empty()) m_status = tr("None of the four settings can answer; each pane says why.");
  emit statusChanged();
  if (!wanted.empty()) start(std::move(wanted));
}

void CompareModel::start(std::vector<PaneOrder> wanted) {
  ++m_running;
  emit busyChanged();
  const auto updates = m_runner.stream<Updates>(
      this,
      [this](const Updates& all) {
        for (const auto& [pane, progress] : all) adopt(pane, progress);
      },
      mergeUpdates);
  const auto together = m_runner.stream<bool>(this, [this](const bool& all) {
    m_status = all ? tr("The answers are written together, token by token.")
                   : tr("In turn: the memory does not hold all four sessions at once.");
    emit statusChanged();
  });
  m_runner.startLong<Done>(
      this, Lane::Answer, SameLane::Queue,
      [wanted = std::move(wanted), updates, together](EngineRoom& room, const JobControl& job) {
        const CompareSinks sinks{.pane =
                                     [&updates](std::size_t pane, const PaneProgress& progress) {
                                       updates({{pane, progress}});
                                     },
                                 .together = together};
        return answerTogether(room, wanted, sinks, job);
      },
      [this](const Status& done) {
        --m_running;
        for (int i = 0; i < kPanes; ++i) {
          Pane& pane = at(i);
          if (done || !pane.asked || !pane.problem.isEmpty()) continue;
          if (pane.progress.stage != Stage::Finished) pane.problem = errorSentence(done.error());
        }
        changed(0, kPanes - 1);
        emit busyChanged();
      });
}

void CompareModel::adopt(std::size_t index, const PaneProgress& progress) {
  Pane& pane = m_panes[index];
  if (!pane.asked) return;  // another document or model came meanwhile
  pane.progress = progress;
  if (progress.error) pane.problem = errorSentence(*progress.error);
  if (progress.tokens) m_app.setTokens(progress.serial, progress.tokens);
  changed(static_cast<int>(index), static_cast<int>(index));
  // Marks of the others depend on the reference.
  if (static_cast<int>(index) == m_reference) changed(0, kPanes - 1);
}

void CompareModel::changed(int first, int last) {
  emit dataChanged(index(first), index(last));
}

void CompareModel::setReference(int pane) {
  if (pane == m_reference || pane < 0 || pane >= kPanes) return;
  m_reference = pane;
  changed(0, kPanes - 1);
}

std::vector<ComparedToken> CompareModel::tokens(int index) const {
  const Answer& answer = at(index).progress.answer;
  const std::vector<bool> differs =
      index == m_reference || !hasAnswer(m_reference)
          ? std::vector<bool>(answer.ids.size(), false)
          : tokenDifference(at(m_reference).progress.answer.ids, answer.ids);
  std::vector<ComparedToken> tokens;
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < answer.tokens.size(); ++i) {
    const auto text = std::string_view(answer.text)
                          .substr(static_cast<std::size_t>(begin),
                                  static_cast<std::size_t>(answer.ends[i] - begin));
    tokens.push_back({.text = QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size())),
                      .id = answer.tokens[i].id,
                      .logProbability = answer.tokens[i].logProbability,
                      .differs = differs[i]});
    begin = answer.ends[i];
  }
  return tokens;
}

std::optional<double> CompareModel::meanLogProbability(int index) const {
  const auto& tokens = at(index).progress.answer.tokens;
  if (tokens.empty()) return std::nullopt;
  double sum = 0.0;
  for (const GeneratedToken& token : tokens) sum += token.logProbability;
  return sum / static_cast<double>(tokens.size());
}

std::vector<ChatTurn> CompareModel::turns() const {
  std::vector<ChatTurn> turns;
  for (const Pane& pane : m_panes) {
    if (!pane.plan || !pane.problem.isEmpty() || pane.progress.stage != Stage::Finished) continue;
    turns.push_back({.question = m_question,
                     .state = ChatTurn::State::Finished,
                     .document = m_app.document(),  // another one clears the panes
                     .settings = pane.settings,
                     .plan = pane.plan,
                     .result = pane.progress.answer,
                     .generation = pane.generation});
  }
  return turns;
}

QString CompareModel::statusText() const {
  return m_status;
}

QString CompareModel::detail(const Pane& pane) const {
  if (!pane.asked || !pane.problem.isEmpty()) return {};
  const PaneProgress& progress = pane.progress;
  const Answer& answer = progress.answer;
  if (progress.stage == Stage::Waiting) return tr("waiting …");
  if (progress.stage == Stage::Reading) {
    return tr("reading %1 of %2 tokens …")
        .arg(tokensText(progress.tokens ? std::ssize(*progress.tokens) : 0),
             tokensText(answer.prefill.promptTokens));
  }
  const int index = static_cast<int>(&pane - m_panes.data());
  const auto written = static_cast<std::int64_t>(answer.ids.size());
  QStringList parts;
  if (const auto mean = meanLogProbability(index)) {
    parts << tr("mean log-probability %1 nats").arg(QLocale().toString(*mean, 'g', 3));
  }
  const std::int64_t fresh = answer.prefill.promptTokens - answer.prefill.reusedTokens;
  parts << tr("read %1 in %2").arg(tokensText(fresh), secondsText(answer.prefillSeconds));
  parts << tr("wrote %1 in %2, %3")
               .arg(tokensText(written), secondsText(answer.decodeSeconds),
                    rateText(written, answer.decodeSeconds));
  parts << tr("KV cache %1").arg(memoryText(progress.cacheBytes));
  return parts.join(QStringLiteral(" · "));
}

}  // namespace ropescope::ui
