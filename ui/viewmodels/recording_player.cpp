#include "ui/viewmodels/recording_player.h"

#include <algorithm>
#include <cmath>

#include "ui/text/curve_title.h"

namespace ropescope::ui {
namespace {

using experiment::Experiment;
using experiment::RecordedAnswer;
using Kind = RecordingStep::Kind;

constexpr int kTickMs = 33;
constexpr double kPause = 1.2;           // seconds between two steps
constexpr double kTokensPerSecond = 12;  // a pace to read along
constexpr double kMapSeconds = 3.0;
constexpr double kPointSeconds = 0.4;
constexpr double kLookSeconds = 3.0;  // of a step that is there at once

void addSetting(const Experiment& recorded, std::size_t setting,
                std::vector<RecordingStep>& steps) {
  const auto& result = recorded.results[setting];
  const QString name = settingTitle(recorded.plan.settings[setting]);
  for (std::size_t i = 0; i < result.maps.size(); ++i) {
    if (result.maps[i].values.empty()) continue;
    const MapRequest& request = result.maps[i].request;
    steps.push_back({.kind = Kind::Map,
                     .setting = setting,
                     .index = i,
                     .parts = request.height,
                     .seconds = kMapSeconds,
                     .title = RecordingPlayer::tr("%1 reads the document: layer %2, head %3")
                                  .arg(name)
                                  .arg(request.layer)
                                  .arg(request.head)});
  }
  for (std::size_t i = 0; i < result.answers.size(); ++i) {
    const RecordedAnswer& answer = result.answers[i];
    if (!answer.isRecorded()) continue;
    const auto tokens = std::max<std::size_t>(1, answer.tokens.size());
    steps.push_back({.kind = Kind::Answer,
                     .setting = setting,
                     .index = i,
                     .parts = static_cast<int>(tokens),
                     .seconds = static_cast<double>(tokens) / kTokensPerSecond,
                     .recorded = answer.seconds,
                     .title = RecordingPlayer::tr("%1 answers question %2").arg(name).arg(i + 1)});
  }
}

}  // namespace

std::vector<RecordingStep> stepsOf(const Experiment& recorded) {
  std::vector<RecordingStep> steps{{.kind = Kind::Document,
                                    .seconds = kLookSeconds,
                                    .title = RecordingPlayer::tr("The document")}};
  int points = 0;
  for (std::size_t setting = 0; setting < recorded.results.size(); ++setting) {
    addSetting(recorded, setting, steps);
    points = std::max(points, static_cast<int>(recorded.results[setting].perplexity.size()));
  }
  if (!recorded.results.empty()) {
    steps.push_back({.kind = Kind::Angles,
                     .seconds = kLookSeconds,
                     .title = RecordingPlayer::tr("Rotation under every setting")});
  }
  if (points > 0) {
    steps.push_back({.kind = Kind::Curves,
                     .parts = points,
                     .seconds = kPointSeconds * points,
                     .title = RecordingPlayer::tr("Perplexity against context length")});
  }
  return steps;
}

RecordingPlayer::RecordingPlayer(QObject* parent) : QObject(parent) {
  m_timer.setInterval(kTickMs);
  connect(&m_timer, &QTimer::timeout, this,
          [this] { advance(static_cast<double>(m_sinceTick.restart()) / 1000.0); });
}

void RecordingPlayer::setExperiment(std::shared_ptr<const Experiment> recorded) {
  pause();
  m_recorded = std::move(recorded);
  m_steps = m_recorded ? stepsOf(*m_recorded) : std::vector<RecordingStep>();
  m_current = m_steps.empty() ? 0 : m_steps.size() - 1;
  m_shown = m_steps.empty() ? 0 : m_steps.back().parts;
  m_elapsed = 0.0;
  Q_EMIT experimentChanged();
}

const RecordingStep* RecordingPlayer::step() const {
  return m_current < m_steps.size() ? &m_steps[m_current] : nullptr;
}

int RecordingPlayer::shownParts(std::size_t index) const {
  if (index >= m_steps.size() || index > m_current) return 0;
  return index < m_current ? m_steps[index].parts : m_shown;
}

QString RecordingPlayer::positionText() const {
  if (step() == nullptr) return {};
  return tr("step %1 of %2: %3").arg(m_current + 1).arg(m_steps.size()).arg(step()->title);
}

double RecordingPlayer::duration(const RecordingStep& step) const {
  return m_recordedPace && step.recorded > 0.0 ? step.recorded : step.seconds;
}

void RecordingPlayer::play() {
  if (m_steps.empty() || isPlaying()) return;
  const bool over = m_current + 1 == m_steps.size() && m_shown == m_steps.back().parts;
  if (over) {
    enter(0, false);
  } else if (m_shown == step()->parts) {
    m_elapsed = duration(*step());  // it is shown already: on to the next after the pause
  }
  m_sinceTick.start();
  m_timer.start();
  Q_EMIT playingChanged();
}

void RecordingPlayer::pause() {
  if (!isPlaying()) return;
  m_timer.stop();
  Q_EMIT playingChanged();
}

void RecordingPlayer::next() {
  if (m_current + 1 < m_steps.size()) enter(m_current + 1, !isPlaying());
}

void RecordingPlayer::previous() {
  if (m_current > 0) enter(m_current - 1, !isPlaying());
}

void RecordingPlayer::goTo(std::size_t step) {
  if (step < m_steps.size()) enter(step, !isPlaying());
}

void RecordingPlayer::enter(std::size_t step, bool whole) {
  m_current = step;
  m_elapsed = 0.0;
  m_shown = whole ? m_steps[step].parts : 0;
  Q_EMIT stepChanged();
  Q_EMIT advanced();
}

void RecordingPlayer::advance(double seconds) {
  if (step() == nullptr) return;
  m_elapsed += seconds;
  const double whole = duration(*step());
  const double share = whole > 0.0 ? std::min(1.0, m_elapsed / whole) : 1.0;
  const int shown =
      std::max(m_shown, static_cast<int>(std::floor(share * static_cast<double>(step()->parts))));
  if (shown != m_shown) {
    m_shown = shown;
    Q_EMIT advanced();
  }
  if (m_shown < step()->parts || m_elapsed < whole + kPause) return;
  if (m_current + 1 < m_steps.size()) {
    enter(m_current + 1, false);
  } else {
    pause();
  }
}

QString answerText(const RecordedAnswer& answer, int tokens) {
  const QString text = QString::fromStdString(answer.text);
  const auto all = static_cast<int>(answer.tokens.size());
  if (tokens >= all) return text;
  if (tokens <= 0) return {};
  const auto shown = static_cast<std::size_t>(tokens);
  if (answer.ends.size() == answer.tokens.size()) {
    return QString::fromStdString(
        answer.text.substr(0, static_cast<std::size_t>(answer.ends[shown - 1])));
  }
  return text.left(text.size() * tokens / all);  // an older file: evenly
}

QString tokenText(const RecordedAnswer& answer, std::size_t token) {
  if (answer.ends.size() != answer.tokens.size()) return {};
  const auto begin = token == 0 ? 0 : static_cast<std::size_t>(answer.ends[token - 1]);
  const auto end = static_cast<std::size_t>(answer.ends[token]);
  return QString::fromStdString(answer.text.substr(begin, end - begin));
}

}  // namespace ropescope::ui
