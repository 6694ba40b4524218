#include "ui/viewmodels/contribution_view_model.h"

#include <QLocale>
#include <algorithm>
#include <numeric>

#include "core/rope/rope_math.h"

namespace ropescope::ui {
namespace {

QString signedNumber(double value) {
  const QString text = QLocale().toString(value, 'f', 3);
  return value > 0 ? u'+' + text : text;
}

QString weightText(double weight) {
  return QLocale().toString(weight, 'g', 3);
}

QString rowText(const ShareBars& bars) {
  if (!bars.row) return ContributionViewModel::tr("%1: computing …").arg(bars.title);
  return ContributionViewModel::tr("%1: score (logit) %2, weight %3")
      .arg(bars.title, signedNumber(bars.row->score), weightText(bars.row->weight()));
}

ShareBars barsOf(const PairReading& reading) {
  const PairRequest& r = reading.pair.request;
  const auto shares = contributions(reading.pair.contents, reading.plan, r.query, r.key);
  return {reading.title, QVector<double>(shares.begin(), shares.end()), reading.pair.used};
}

}  // namespace

ContributionViewModel::ContributionViewModel(LensParts parts, QObject* parent)
    : QObject(parent),
      m_pair(parts, QStringLiteral("contributions")) {
  connect(&m_pair, &TokenPairModel::sessionChanged, this, &ContributionViewModel::listComparisons);
  connect(&m_pair, &TokenPairModel::changed, this, &ContributionViewModel::rebuild);
  listComparisons();
}

void ContributionViewModel::listComparisons() {
  const auto* chosen = chosenPlan();
  const std::string method = chosen ? chosen->plan.method : std::string();
  m_plans.clear();
  const AppModel& app = m_pair.parts().app;
  if (app.engine() && app.plan()) {
    m_plans = methodPlans(*app.engine(), *app.plan(), app.slotChoices());
    std::erase_if(m_plans, [&](const MethodPlan& p) { return p.plan.sameRotation(*app.plan()); });
  }
  m_comparisons = {tr("nothing"), tr("before the last switch")};
  int next = std::min(m_comparison, static_cast<int>(Before));
  for (const MethodPlan& plan : m_plans) {
    if (plan.plan.method == method) next = static_cast<int>(m_comparisons.size());
    m_comparisons << tr("%1, same q and k").arg(plan.title);
  }
  Q_EMIT comparisonsChanged();
  m_comparison = -1;
  setComparison(next);
}

const MethodPlan* ContributionViewModel::chosenPlan() const {
  const int index = m_comparison - FixedCount;
  if (index < 0 || index >= static_cast<int>(m_plans.size())) return nullptr;
  return &m_plans[static_cast<std::size_t>(index)];
}

void ContributionViewModel::setComparison(int index) {
  if (index == m_comparison || index < 0 || index >= m_comparisons.size()) return;
  m_comparison = index;
  const auto* plan = chosenPlan();
  if (plan) {
    m_pair.setChange(RowChange{plan->plan, m_pair.parts().app.method().pscStrength});
  } else if (m_pair.change()) {
    m_pair.setChange(std::nullopt);
  }
  rebuild();
}

void ContributionViewModel::compareWithPlain() {
  const auto plan = m_pair.parts().app.plan();
  if (!plan) return;
  const rope::RotaryPlan plain = rope::plainPlan(plan->context, "");
  const auto found = std::find_if(m_plans.begin(), m_plans.end(), [&](const MethodPlan& other) {
    return other.plan.sameRotation(plain);
  });
  if (found != m_plans.end()) setComparison(FixedCount + static_cast<int>(found - m_plans.begin()));
}

void ContributionViewModel::rebuild() {
  m_bars = {};
  m_ghost = {};
  const auto reading = m_pair.reading();
  if (reading) m_bars = barsOf(*reading);
  if (m_comparison == Before) {
    if (const auto before = m_pair.before()) m_ghost = barsOf(*before);
  } else if (const auto* plan = chosenPlan(); plan && reading) {
    const PairRequest& r = reading->pair.request;
    const auto shares = contributions(reading->pair.contents, plan->plan, r.query, r.key);
    m_ghost = {plan->title, QVector<double>(shares.begin(), shares.end()), m_pair.changedRow()};
  }
  m_pairs.resize(std::max(m_bars.shares.size(), m_ghost.shares.size()));
  std::iota(m_pairs.begin(), m_pairs.end(), 0.0);
  m_firstUnturned = static_cast<int>(m_pairs.size());
  if (const auto plan = m_pair.parts().app.plan(); plan && !m_pairs.isEmpty()) {
    const auto plain = rope::plainInvFreq(plan->context);
    const auto first = std::find_if(plain.begin(), plain.end(), [&](double frequency) {
      return rope::turns(frequency, plan->context.originalLength) < 1.0;
    });
    m_firstUnturned = static_cast<int>(first - plain.begin());
  }
  Q_EMIT barsChanged();
}

QString ContributionViewModel::sentence() const {
  QStringList parts;
  if (!m_pair.pairText().isEmpty()) parts << m_pair.pairText();
  if (!m_bars.isEmpty()) parts << rowText(m_bars) + u'.';
  if (!m_ghost.isEmpty()) parts << rowText(m_ghost) + u'.';
  return parts.join(u' ');
}

QString ContributionViewModel::levelText() const {
  if (m_comparison == Nothing) return {};
  if (m_comparison == Before) {
    if (!m_ghost.isEmpty()) return tr("Ghost: as the session before really had it.");
    return tr("After a switch of method, the bars of before stay as ghosts.");
  }
  if (m_pair.isExact()) return tr("Ghost: the same q and k rotated anew; exact in layer 0.");
  return tr("Ghost: the same q and k rotated anew in this layer: an approximation above layer 0.");
}

QString ContributionViewModel::describe(int pair) const {
  if (pair < 0 || pair >= m_bars.shares.size()) return {};
  const auto shares = pairShares(m_pair.reading()->pair.contents);
  const PairShare& share = shares[static_cast<std::size_t>(pair)];
  QString text = tr("pair %1\nadds %2 to the score %3")
                     .arg(pair)
                     .arg(signedNumber(m_bars.shares[pair]), signedNumber(m_bars.row->score));
  if (pair < m_ghost.shares.size()) {
    text += tr("\n%1: %2").arg(m_ghost.title, signedNumber(m_ghost.shares[pair]));
  }
  return text + tr("\n|q||k| of the pair %1").arg(QLocale().toString(share.amplitude, 'g', 4));
}

PlotTable ContributionViewModel::table() const {
  PlotTable table;
  if (m_pairs.isEmpty()) return table;
  table.columns.push_back({.title = tr("pair"), .numbers = {m_pairs.begin(), m_pairs.end()}});
  for (const ShareBars* bars : {&m_bars, &m_ghost}) {
    if (bars->isEmpty()) continue;
    table.columns.push_back({.title = tr("share of the score, %1").arg(bars->title),
                             .numbers = {bars->shares.begin(), bars->shares.end()}});
  }
  if (const auto reading = m_pair.reading()) {
    TableColumn amplitudes{.title = tr("|q||k|")};
    TableColumn phases{.title = tr("phase [rad]")};
    for (const PairShare& share : pairShares(reading->pair.contents)) {
      amplitudes.numbers.push_back(share.amplitude);
      phases.numbers.push_back(share.phase);
    }
    table.columns.push_back(std::move(amplitudes));
    table.columns.push_back(std::move(phases));
  }
  return table;
}

}  // namespace ropescope::ui
