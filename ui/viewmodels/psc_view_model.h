// What the session's Phase Shift Calibration does to one head: the gate of every component at the
// chosen token, how it varies over the document, and the two tokens' score at another strength.
#pragma once

#include <QTimer>
#include <QVector>
#include <memory>
#include <vector>

#include "core/lens/psc_gate.h"
#include "ui/plots/plot_table.h"
#include "ui/viewmodels/token_pair_model.h"

namespace ropescope::ui {

// Quantiles of one quantity over x, as bands are drawn.
struct QuantileBand {
  QVector<double> x;
  QVector<double> low, quarter, median, threeQuarters, high;
};

class PscViewModel : public QObject {
  Q_OBJECT

 public:
  explicit PscViewModel(LensParts parts, QObject* parent = nullptr);

  TokenPairModel& pair() { return m_pair; }
  const TokenPairModel& pair() const { return m_pair; }
  void setActive(bool active);
  bool hasGates() const;  // the session has a calibration with phase modules

  GateSide side() const { return m_side; }
  void setSide(GateSide side);
  double strength() const { return m_strength; }  // 0 … 1, what is drawn
  void setStrength(double strength);
  double strengthInUse() const { return m_pair.parts().app.method().pscStrength; }
  void applyStrength();  // to the whole session: a new one

  // Null before they arrive; the token's are also null while no token is chosen.
  const std::shared_ptr<const GateSpread>& spread() const { return m_spread; }
  QVector<double> tokenGates() const;  // [D] of the chosen token and head
  QVector<double> tokenTurns() const;  // [P] degrees
  QuantileBand gateBand() const;
  QuantileBand turnBand() const;
  std::int64_t token() const;  // whose gates: the query's or the key's position; -1: none
  QString tokenTitle() const;

  bool isLoading() const { return m_waiting || m_pair.isLoading(); }
  QString message() const;
  QString sentence() const;    // sample, widest turn
  QString effectText() const;  // score and weight at this strength, and which level that is
  QString describeComponent(int component) const;
  PlotTable table() const;

 Q_SIGNALS:
  void changed();
  void sessionChanged();

 private:
  struct Answer {
    std::optional<TokenGates> token;
    GateSpread spread;
  };
  int sideHead() const;  // the head within the side: query heads share key heads
  void startSession();
  void askSoon();
  void ask();
  const SideGates* tokenSide() const;

  TokenPairModel m_pair;
  GateSide m_side = GateSide::Query;
  double m_strength = 1.0;
  bool m_active = false;
  bool m_waiting = false;
  std::shared_ptr<const TokenGates> m_token;
  std::shared_ptr<const GateSpread> m_spread;
  QString m_error;
  QTimer m_askTimer;
};

}  // namespace ropescope::ui
