// Which pairs meet angles at a distance that training never showed, and how much of the answer's
// attention goes so far back. Knows no widget and no engine.
#pragma once

#include <QObject>
#include <QString>
#include <QVector>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/lens/distance_mass.h"
#include "core/probe/angle_coverage.h"
#include "ui/plots/plot_table.h"
#include "ui/viewmodels/distance_bins.h"

namespace ropescope::ui {

// One plan of the map.
struct CoveragePlan {
  QString title;                   // "YaRN × 4"
  std::vector<UnseenFrom> unseen;  // by pair
};

// Attention that goes begin … end - 1 tokens back, as a share of all.
struct MassBin {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  double share = 0.0;
};

class CoverageViewModel : public QObject {
  Q_OBJECT

 public:
  explicit CoverageViewModel(QObject* parent = nullptr) : QObject(parent) {}

  // Null: nothing to show. `others` under the same context. The shown method stays, if it is there.
  void setPlans(std::shared_ptr<const rope::RotaryPlan> current,
                const std::vector<rope::RotaryPlan>& others);
  bool hasPlan() const { return !m_plans.empty(); }
  // The plan in use, plain RoPE, then the other methods; without those that equal one before.
  const std::vector<CoveragePlan>& plans() const { return m_plans; }
  void show(int plan);
  int shownIndex() const { return m_shown; }
  const CoveragePlan& shown() const { return m_plans[static_cast<std::size_t>(m_shown)]; }
  // What the shown plan is compared with: plain RoPE, or the plan in use beside plain RoPE.
  const CoveragePlan& reference() const;

  void setScale(DistanceScale scale);
  DistanceScale scale() const { return m_scale; }
  void setDistance(std::int64_t distance);  // that the sentence is about; cut to 0 … longest()
  std::int64_t distance() const { return m_distance; }
  std::int64_t longest() const;  // planned length - 1
  std::int64_t trainedLength() const { return m_trained; }
  const std::vector<TrainedArc>& arcs() const { return m_arcs; }

  // `whose`: "the answer's"; `made`: how it was measured, in words. Null with the reason as `made`.
  void setMass(std::shared_ptr<const DistanceMass> mass, const QString& whose, const QString& made);
  bool hasMass() const { return m_mass != nullptr; }
  const std::vector<MassBin>& bins() const { return m_bins; }  // shares are 0 without a mass

  QString sentence() const;  // what happens at distance()
  QString massText() const;  // how the attention was measured, or why there is none
  QString describe(double distance, double pair) const;  // under a point of the map
  PlotTable table() const;  // by bin: attention, and pairs beyond training under every plan

 Q_SIGNALS:
  void changed();          // plans, what is shown, scale, attention
  void distanceChanged();  // distance()

 private:
  void rebuildBins();

  std::vector<CoveragePlan> m_plans;
  std::vector<TrainedArc> m_arcs;
  int m_shown = 0;
  DistanceScale m_scale = DistanceScale::Logarithmic;
  std::int64_t m_trained = 0;
  std::int64_t m_planned = 0;
  std::int64_t m_distance = 0;
  bool m_distanceChosen = false;
  std::shared_ptr<const DistanceMass> m_mass;
  QString m_whose;
  QString m_made;
  std::vector<MassBin> m_bins;
};

}  // namespace ropescope::ui
