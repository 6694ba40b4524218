#include "ui/viewmodels/coverage_view_model.h"

#include <QLocale>
#include <algorithm>
#include <cmath>

#include "core/rope/rope_math.h"
#include "ui/text/number_text.h"
#include "ui/viewmodels/angle_view_model.h"

namespace ropescope::ui {
namespace {

QString percent(double share) {
  const double value = 100.0 * share;
  return QLocale().toString(value, 'f', value < 10 ? 1 : 0) + QStringLiteral(" %");
}

}  // namespace

void CoverageViewModel::setPlans(std::shared_ptr<const rope::RotaryPlan> current,
                                 const std::vector<rope::RotaryPlan>& others) {
  const QString before = hasPlan() && m_shown > 0 ? shown().title : QString();
  m_plans.clear();
  m_arcs.clear();
  m_shown = 0;
  m_planned = current ? current->context.plannedLength : 0;
  m_trained = current ? current->context.originalLength : 0;
  if (current) {
    const rope::RotaryPlan plain = rope::plainPlan(current->context, "none");
    m_arcs = trainedArcs(current->context);
    m_plans.push_back({planTitle(*current), unseenFrom(*current)});
    if (current->invFreq != plain.invFreq) m_plans.push_back({tr("plain RoPE"), unseenFrom(plain)});
    for (const rope::RotaryPlan& other : others) {
      if (other.invFreq == plain.invFreq || other.invFreq == current->invFreq) continue;
      m_plans.push_back({planTitle(other), unseenFrom(other)});
    }
  }
  for (std::size_t i = 1; i < m_plans.size(); ++i) {
    if (m_plans[i].title == before) m_shown = static_cast<int>(i);
  }
  if (!m_distanceChosen) m_distance = m_trained;
  m_distance = std::clamp<std::int64_t>(m_distance, 0, longest());
  rebuildBins();
  Q_EMIT changed();
  Q_EMIT distanceChanged();
}

void CoverageViewModel::show(int plan) {
  if (plan == m_shown || plan < 0 || plan >= static_cast<int>(m_plans.size())) return;
  m_shown = plan;
  Q_EMIT changed();
}

const CoveragePlan& CoverageViewModel::reference() const {
  constexpr std::size_t kPlain = 1;
  return m_plans[m_shown == 1 || m_plans.size() == 1 ? 0 : kPlain];
}

void CoverageViewModel::setScale(DistanceScale scale) {
  if (scale == m_scale) return;
  m_scale = scale;
  rebuildBins();
  Q_EMIT changed();
}

void CoverageViewModel::setDistance(std::int64_t distance) {
  m_distanceChosen = true;
  distance = std::clamp<std::int64_t>(distance, 0, longest());
  if (distance == m_distance) return;
  m_distance = distance;
  Q_EMIT distanceChanged();
}

std::int64_t CoverageViewModel::longest() const {
  return std::max<std::int64_t>(0, m_planned - 1);
}

void CoverageViewModel::setMass(std::shared_ptr<const DistanceMass> mass, const QString& whose,
                                const QString& made) {
  m_mass = std::move(mass);
  m_whose = whose;
  m_made = made;
  rebuildBins();
  Q_EMIT changed();
}

void CoverageViewModel::rebuildBins() {
  m_bins.clear();
  if (!hasPlan()) return;
  const auto borders = distanceBins(m_scale, longest());
  for (std::size_t i = 0; i + 1 < borders.size(); ++i) {
    MassBin bin{.begin = borders[i], .end = borders[i + 1]};
    if (m_mass) bin.share = sumOf(m_mass->byDistance, bin.begin, bin.end);
    m_bins.push_back(bin);
  }
}

QString CoverageViewModel::sentence() const {
  if (!hasPlan()) return tr("No model is loaded.");
  const int pairs = unseenPairs(shown().unseen, m_distance);
  const int others = unseenPairs(reference().unseen, m_distance);
  const auto all = static_cast<int>(m_arcs.size());
  QString text = pairs == 0
                     ? tr("Under %1 no pair meets an angle at distance %2 that it never saw")
                           .arg(shown().title, tokensText(m_distance))
                     : tr("Under %1, %2 of %3 pairs meet angles at distance %4 that they never saw")
                           .arg(shown().title)
                           .arg(pairs)
                           .arg(all)
                           .arg(tokensText(m_distance));
  if (m_plans.size() > 1) text += tr(" (%1: %2)").arg(reference().title).arg(others);
  if (!m_mass) return text + u'.';
  return text + tr("; %1 of %2 attention goes at least that far back.")
                    .arg(percent(m_mass->atLeast(m_distance)), m_whose);
}

QString CoverageViewModel::massText() const {
  return m_made;
}

QString CoverageViewModel::describe(double distance, double pair) const {
  const auto index = static_cast<std::int64_t>(std::floor(pair + 0.5));
  const auto tokens = static_cast<std::int64_t>(std::floor(distance));
  if (!hasPlan() || index < 0 || index >= static_cast<std::int64_t>(m_arcs.size()) || tokens < 0) {
    return {};
  }
  const auto i = static_cast<std::size_t>(index);
  QString text = tr("pair %1, %2 tokens apart").arg(index).arg(tokensText(tokens));
  if (m_arcs[i].fullTurn) return text + tr("\nwent round in training: knows every angle");
  for (const CoveragePlan* plan : {&shown(), &reference()}) {
    const UnseenFrom from = plan->unseen[i];
    text += from ? tr("\n%1: unseen angles from distance %2").arg(plan->title, tokensText(*from))
                 : tr("\n%1: never an unseen angle").arg(plan->title);
    if (m_plans.size() == 1) break;
  }
  return text;
}

PlotTable CoverageViewModel::table() const {
  PlotTable table;
  const auto add = [&](const QString& title, auto value) {
    TableColumn column{.title = title};
    for (const MassBin& bin : m_bins) column.numbers.push_back(value(bin));
    table.columns.push_back(std::move(column));
  };
  add(tr("distance from [tokens]"), [](const MassBin& b) { return static_cast<double>(b.begin); });
  add(tr("to [tokens]"), [](const MassBin& b) { return static_cast<double>(b.end - 1); });
  if (m_mass) add(tr("attention [share]"), [](const MassBin& bin) { return bin.share; });
  for (const CoveragePlan& plan : m_plans) {
    add(tr("pairs beyond training, %1").arg(plan.title), [&plan](const MassBin& bin) {
      return static_cast<double>(unseenPairs(plan.unseen, bin.begin));
    });
  }
  return table;
}

}  // namespace ropescope::ui
