#include "ui/viewmodels/score_view_model.h"

#include <QLocale>
#include <algorithm>
#include <cmath>

#include "core/rope/rope_math.h"
#include "ui/text/number_text.h"

namespace ropescope::ui {
namespace {

constexpr std::int64_t kPoints = 1024;      // of a curve: 8 methods of 64 pairs in a few ms
constexpr std::int64_t kMeanTokens = 1024;  // that a head's mean is made of

QString meanKey() {
  return QStringLiteral("score.mean");
}

QString number(double value) {
  return QLocale().toString(value, 'f', 3);
}

}  // namespace

ScoreViewModel::ScoreViewModel(LensParts parts, QObject* parent)
    : QObject(parent),
      m_pair(parts, QStringLiteral("score")) {
  connect(&m_pair, &TokenPairModel::sessionChanged, this, &ScoreViewModel::startSession);
  connect(&m_pair, &TokenPairModel::changed, this, &ScoreViewModel::contentsArrived);
  connect(&parts.heads, &HeadChoice::headChanged, this, &ScoreViewModel::askMean);
  connect(&parts.app, &AppModel::busyChanged, this, &ScoreViewModel::askMean);  // more is read
  connect(&parts.app, &AppModel::documentChanged, this, [this] {
    m_mean.reset();
    m_meanBefore.reset();
    m_axesOf.reset();
  });
  startSession();
}

void ScoreViewModel::setActive(bool active) {
  const bool appears = active && !m_active;
  m_active = active;
  if (appears && m_context > 0) rebuild();  // the context length may have been moved
  m_pair.setActive(active);
  askMean();
}

void ScoreViewModel::setContents(Contents contents) {
  if (contents == m_contents) return;
  m_contents = contents;
  askMean();
  contentsArrived();
}

void ScoreViewModel::setShown(Lines shown) {
  m_shown = shown;
  rebuild();
}

void ScoreViewModel::setView(double first, double last) {
  if (first == m_first && last == m_last) return;
  m_first = first;
  m_last = last;
  rebuild();
}

void ScoreViewModel::setContextLength(std::int64_t tokens) {
  if (tokens == m_context) return;
  m_context = tokens;
  if (m_active) rebuild();
}

std::optional<double> ScoreViewModel::contextScore() const {
  if (m_context < 1 || m_lines.empty() || !m_lines.front().isInUse) return {};
  const auto at = static_cast<double>(m_context - 1);
  const auto found = std::lower_bound(m_distances.begin(), m_distances.end(), at);
  if (found == m_distances.end() || *found != at) return {};
  return m_lines.front().scores[found - m_distances.begin()];
}

void ScoreViewModel::startSession() {
  const AppModel& app = m_pair.parts().app;
  m_pair.parts().runner.dropViews(meanKey());
  m_waiting = false;
  if (m_mean) m_meanBefore = std::move(m_mean);
  m_mean.reset();
  m_plans.clear();
  if (app.engine() && app.plan())
    m_plans = methodPlans(*app.engine(), *app.plan(), app.slotChoices());
  contentsArrived();
}

std::optional<ScoreViewModel::Subject> ScoreViewModel::subject() const {
  if (contentsShown() == nullptr) return {};
  Subject subject{.contents = m_contents};
  if (m_contents == Contents::HeadMean) {
    subject.head = m_mean->head;
  } else {
    const PairRequest& request = m_pair.reading()->pair.request;
    subject = {m_contents, {request.layer, request.head}, request.query, request.key};
  }
  return subject;
}

// Another method keeps the axes: its curve is to be compared with the one before.
void ScoreViewModel::contentsArrived() {
  const auto now = subject();
  const bool isNew = now && now != m_axesOf;
  const bool isLonger = m_ghost.scores.isEmpty() && longest() != m_axesLongest;
  const bool anew = isNew || isLonger || !m_axesOf;
  if (anew) {
    m_first = 0.0;
    m_last = static_cast<double>(longest());
    m_axesLongest = longest();
    m_axesOf = now;
  }
  rebuild();
  if (anew) Q_EMIT contentsChanged();
}

const HeadContents* ScoreViewModel::contentsShown() const {
  if (m_contents == Contents::HeadMean) {
    const bool fits = m_mean && m_mean->head == m_pair.parts().heads.head();
    return fits ? &m_mean->mean.contents : nullptr;
  }
  return m_pair.reading() ? &m_pair.reading()->pair.contents : nullptr;
}

// Once a head and a reading: the mean does not follow the chosen tokens.
void ScoreViewModel::askMean() {
  const LensParts& parts = m_pair.parts();
  const HeadRef head = parts.heads.head();
  const auto& kept = parts.app.captureLayers();
  const bool isKept = std::find(kept.begin(), kept.end(), head.layer) != kept.end();
  if (!m_active || m_contents != Contents::HeadMean || parts.app.position() == 0 || !isKept ||
      m_waiting) {
    return;
  }
  if (m_mean && m_mean->head == head) return;
  m_waiting = true;
  parts.runner.requestView<HeadMean>(
      meanKey(), this,
      [head, serial = parts.app.sessionSerial()](EngineRoom& room,
                                                 const JobControl& job) -> Result<HeadMean> {
        const auto session = existingSession(room, serial);
        if (!session) return Error{ErrorCode::Cancelled, session.error().message};
        return headMean(**session, head.layer, head.head, kMeanTokens, job);
      },
      [this, head](const Result<HeadMean>& mean) {
        m_waiting = false;
        const AppModel& app = m_pair.parts().app;
        if (!mean || !app.plan()) return;
        m_mean =
            std::make_shared<const MeanReading>(MeanReading{*mean, head, *app.plan(), app.title()});
        contentsArrived();
        askMean();  // the head may have changed meanwhile
      });
}

std::int64_t ScoreViewModel::longest() const {
  const auto& plan = m_pair.parts().app.plan();
  return plan ? std::max<std::int64_t>(1, plan->context.plannedLength - 1) : 1;
}

double ScoreViewModel::trainedLength() const {
  const auto& plan = m_pair.parts().app.plan();
  return plan ? static_cast<double>(plan->context.originalLength) : 0.0;
}

double ScoreViewModel::ownDistance() const {
  const auto reading = m_pair.reading();
  if (m_contents != Contents::TwoTokens || !reading) return -1.0;
  return static_cast<double>(reading->pair.request.query - reading->pair.request.key);
}

double ScoreViewModel::ownScore() const {
  return m_pair.reading() ? m_pair.reading()->pair.used.score : 0.0;
}

std::int64_t ScoreViewModel::sampleStep() const {
  const double visible = std::min(m_last, static_cast<double>(longest())) - std::max(m_first, 0.0);
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(visible) / kPoints);
}

std::vector<std::int64_t> ScoreViewModel::sampled(std::int64_t step) const {
  const auto whole = static_cast<double>(longest());
  const double end = std::clamp(m_last, 0.0, whole);
  const auto first = static_cast<std::int64_t>(std::floor(std::clamp(m_first, 0.0, end)));
  const auto last = static_cast<std::int64_t>(std::ceil(end));
  std::vector<std::int64_t> distances;
  for (std::int64_t distance = first; distance < last; distance += step) {
    distances.push_back(distance);
  }
  distances.push_back(last);
  const std::int64_t marked = m_context - 1;
  const auto place = std::lower_bound(distances.begin(), distances.end(), marked);
  const bool isInView = marked >= first && marked <= last;
  if (isInView && (place == distances.end() || *place != marked)) distances.insert(place, marked);
  return distances;
}

void ScoreViewModel::rebuild() {
  m_lines.clear();
  m_distances.clear();
  m_ghost = {};
  const HeadContents* contents = contentsShown();
  const auto& inUse = m_pair.parts().app.plan();
  if (contents != nullptr && inUse) {
    m_step = sampleStep();
    const auto distances = sampled(m_step);
    m_distances = QVector<double>(distances.begin(), distances.end());
    const auto shares = pairShares(*contents);
    const rope::RotaryPlan plain = rope::plainPlan(inUse->context, "");
    for (const MethodPlan& method : m_plans) {
      ScoreLine line{.title = method.title,
                     .isInUse = method.plan.sameRotation(*inUse),
                     .isPlain = method.plan.sameRotation(plain)};
      if (m_shown == Lines::InUseAndPlain && !line.isInUse && !line.isPlain) continue;
      // Methods that change nothing lie on plain RoPE: drawn once.
      const bool isDrawn = std::any_of(m_lines.begin(), m_lines.end(), [&](const ScoreLine& other) {
        return other.isPlain && line.isPlain;
      });
      if (isDrawn) continue;
      const auto scores = scoreCurve(shares, method.plan, distances);
      line.scores = QVector<double>(scores.begin(), scores.end());
      m_lines.push_back(std::move(line));
    }
    // The one in use first: its look does not depend on how many others there are.
    std::stable_partition(m_lines.begin(), m_lines.end(),
                          [](const ScoreLine& line) { return line.isInUse; });
    rebuildGhost(distances);
  }
  Q_EMIT linesChanged();
}

void ScoreViewModel::rebuildGhost(const std::vector<std::int64_t>& distances) {
  const auto draw = [&](const HeadContents& contents, const rope::RotaryPlan& plan,
                        const QString& title) {
    const auto scores = scoreCurve(pairShares(contents), plan, distances);
    m_ghost = {.title = tr("before: %1").arg(title),
               .scores = QVector<double>(scores.begin(), scores.end())};
  };
  if (m_contents == Contents::HeadMean) {
    if (m_meanBefore && m_meanBefore->head == m_mean->head) {
      draw(m_meanBefore->mean.contents, m_meanBefore->plan, m_meanBefore->title);
    }
  } else if (const auto before = m_pair.before()) {
    draw(before->pair.contents, before->plan, before->title);
  }
}

QString ScoreViewModel::message() const {
  if (!m_lines.empty()) return {};
  if (m_contents == Contents::HeadMean && m_pair.parts().app.position() > 0) {
    const auto& kept = m_pair.parts().app.captureLayers();
    const int layer = m_pair.parts().heads.head().layer;
    if (std::find(kept.begin(), kept.end(), layer) != kept.end()) return tr("Computing …");
  }
  return m_pair.message();
}

QString ScoreViewModel::sentence() const {
  if (m_lines.empty()) return {};
  QString text;
  if (m_contents == Contents::HeadMean) {
    text = tr("Mean over the contents of %1 × %1 tokens at layer %2, head %3")
               .arg(tokensText(m_mean->mean.tokens))
               .arg(m_mean->head.layer)
               .arg(m_mean->head.head);
    text += m_mean->mean.stride == 1 ? tr(": all that were read.")
                                     : tr(": one in %1 that were read.").arg(m_mean->mean.stride);
  } else {
    text = tr("%1 Their score at this distance: %2.").arg(m_pair.pairText(), number(ownScore()));
  }
  if (m_pair.isExact()) return text + u' ' + tr("Layer 0: exact under every method.");
  return text + u' ' + tr("Other methods rotate the same q and k: approximate above layer 0.");
}

QString ScoreViewModel::footer() const {
  if (m_lines.empty()) return {};
  if (m_step == 1) return tr("Every distance is drawn.");
  return tr("One distance in %1 is drawn; zoom in for the ones between.").arg(m_step);
}

PlotTable ScoreViewModel::table() const {
  PlotTable table;
  if (m_lines.empty()) return table;
  table.columns.push_back(
      {.title = tr("distance [tokens]"), .numbers = {m_distances.begin(), m_distances.end()}});
  for (const ScoreLine& line : m_lines) {
    table.columns.push_back({.title = tr("score, %1").arg(line.title),
                             .numbers = {line.scores.begin(), line.scores.end()}});
  }
  if (!m_ghost.scores.isEmpty()) {
    table.columns.push_back({.title = tr("score, %1").arg(m_ghost.title),
                             .numbers = {m_ghost.scores.begin(), m_ghost.scores.end()}});
  }
  return table;
}

}  // namespace ropescope::ui
