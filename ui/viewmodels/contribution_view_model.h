// What every rotary pair adds to the score of the two chosen tokens, and beside it the same under
// another method: the session before the last switch, or these contents rotated anew.
#pragma once

#include <QStringList>
#include <QVector>
#include <vector>

#include "ui/plots/plot_table.h"
#include "ui/viewmodels/method_plans.h"
#include "ui/viewmodels/token_pair_model.h"

namespace ropescope::ui {

// One plan's shares: signed, they sum to the score.
struct ShareBars {
  QString title;
  QVector<double> shares;
  std::optional<RowScore> row;  // score, log-sum-exp, weight; none while it is computed
  bool isEmpty() const { return shares.isEmpty(); }
};

class ContributionViewModel : public QObject {
  Q_OBJECT

 public:
  explicit ContributionViewModel(LensParts parts, QObject* parent = nullptr);

  TokenPairModel& pair() { return m_pair; }
  const TokenPairModel& pair() const { return m_pair; }

  // What the bars are compared with: nothing, the session before, then every other method.
  const QStringList& comparisons() const { return m_comparisons; }
  int comparison() const { return m_comparison; }
  void setComparison(int index);
  void compareWithPlain();  // plain RoPE; does nothing when that is in use

  const QVector<double>& pairs() const { return m_pairs; }
  const ShareBars& bars() const { return m_bars; }
  const ShareBars& ghost() const { return m_ghost; }
  int firstUnturnedPair() const { return m_firstUnturned; }  // pairs().size(): none
  QString sentence() const;                                  // tokens, score, weight
  QString levelText() const;  // what the ghost is: real, exact, or an approximation
  QString describe(int pair) const;
  PlotTable table() const;

 Q_SIGNALS:
  void barsChanged();
  void comparisonsChanged();

 private:
  enum Fixed { Nothing, Before, FixedCount };
  void listComparisons();
  void rebuild();
  const MethodPlan* chosenPlan() const;

  TokenPairModel m_pair;
  std::vector<MethodPlan> m_plans;  // of the comparisons from FixedCount on
  QStringList m_comparisons;
  int m_comparison = Before;
  QVector<double> m_pairs;
  ShareBars m_bars;
  ShareBars m_ghost;
  int m_firstUnturned = 0;
};

}  // namespace ropescope::ui
