// Every rotary pair of the current plan at one position, plain RoPE beside it, other methods on
// request. Knows no widget.
#pragma once

#include <QObject>
#include <QString>
#include <QTimer>
#include <QVector>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/probe/angle_coverage.h"
#include "core/probe/angle_table.h"
#include "core/rope/rope_method.h"
#include "ui/plots/plot_table.h"

namespace ropescope::ui {

// What can be drawn of every pair. All: scale, wavelength and angle below each other.
enum class PairQuantity { All, Scale, Frequency, Wavelength, Turns, Angle };

// One plan as the plots draw it: NaN where a pair has no value.
struct AngleCurve {
  QString title;                     // "YaRN × 4"
  QVector<double> factors = {};      // plain / this frequency
  QVector<double> frequencies = {};  // rad per token
  QVector<double> wavelengths = {};  // tokens per turn
  QVector<double> turns = {};        // within the trained length
  QVector<double> wrapped = {};      // rad at the position, in [0, 2 pi)
  std::vector<AngleRow> rows = {};   // the numbers behind
};

class AngleViewModel : public QObject {
  Q_OBJECT

 public:
  explicit AngleViewModel(QObject* parent = nullptr);

  void setPlan(std::shared_ptr<const rope::RotaryPlan> plan);  // null: nothing to show
  // The next plan comes by a flip between settings: the curve before it stays as a ghost.
  void prepareFlip() { m_flipping = true; }
  // Other methods under the same context; drawn when comparison is on. `leftOut` says which cannot
  // be drawn, and why, in sentences.
  void setComparison(std::vector<rope::RotaryPlan> plans, const QString& leftOut = {});
  void setComparing(bool comparing);
  bool isComparing() const { return m_comparing; }
  void setQuantity(PairQuantity quantity);
  PairQuantity quantity() const { return m_quantity; }

  void setPosition(std::int64_t position);  // cut to 0 … lastPosition()
  std::int64_t position() const { return m_position; }
  std::int64_t lastPosition() const;
  // Walks over all positions in about 20 seconds, in steps of stepTokens() at 60 a second.
  void setPlaying(bool playing);
  std::int64_t stepTokens() const;
  bool isPlaying() const { return m_play.isActive(); }

  bool hasPlan() const { return m_plan != nullptr; }
  const QVector<double>& pairs() const { return m_pairs; }
  const AngleCurve& plain() const { return m_plain; }
  const AngleCurve& current() const { return m_current; }
  // What was drawn before the last flip; null when the plan came otherwise. Axes stay meanwhile.
  const AngleCurve* ghost() const { return m_ghost ? &*m_ghost : nullptr; }
  const std::vector<AngleCurve>& others() const { return m_others; }  // empty when not comparing

  // Clock hands at the position: of the plan, and of plain RoPE.
  const std::vector<ClockHand>& hands() const { return m_hands; }
  const std::vector<ClockHand>& plainHands() const { return m_plainHands; }

  double trainedLength() const;  // tokens
  double plannedLength() const;
  // First pair that plain RoPE never turned once within the trained length; pairs().size(): none.
  int firstUnturnedPair() const { return m_firstUnturned; }
  QString planText() const;      // method, factor, attention factor in one line
  QString coverageText() const;  // how many pairs never turned, in words
  QString positionText() const;
  QString clockText() const;         // how many pairs stand at angles that training never showed
  QString noteText() const;          // what the method decided; what the comparison leaves out
  QString describe(int pair) const;  // all numbers of one pair; empty when there is none
  QString describeClock(int pair) const;  // where its hand stands
  PlotTable table() const;
  PlotTable clockTable() const;

 Q_SIGNALS:
  void curvesChanged();    // plan, comparison or quantity
  void positionChanged();  // angles only
  void playingChanged();

 private:
  void rebuild();
  void rebuildAngles();
  void playStep();
  QString sameAsPlain() const;

  std::shared_ptr<const rope::RotaryPlan> m_plan;
  rope::RotaryPlan m_plainPlan;
  std::vector<rope::RotaryPlan> m_comparison;
  QString m_leftOut;
  bool m_comparing = false;
  PairQuantity m_quantity = PairQuantity::All;
  std::int64_t m_position = 0;
  bool m_positionChosen = false;
  QTimer m_play;

  QVector<double> m_pairs;
  AngleCurve m_plain;
  AngleCurve m_current;
  std::vector<AngleCurve> m_others;
  std::optional<AngleCurve> m_ghost;
  bool m_flipping = false;
  std::vector<ClockHand> m_hands;
  std::vector<ClockHand> m_plainHands;
  int m_firstUnturned = 0;
};

// "YaRN × 4": the method's own title and the factor where there is one.
QString planTitle(const rope::RotaryPlan& plan);

}  // namespace ropescope::ui
