// The same head under two settings, cell for cell, and the difference of the weights.
//
// Knows no widget and no engine: it asks a source for pairs of maps. Head, view and cells are those
// of one AttentionViewModel, so that both maps answer the same request.
#pragma once

#include <QObject>
#include <QString>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "ui/plots/plot_table.h"
#include "ui/viewmodels/attention_view_model.h"

namespace ropescope::ui {

struct MapPair {
  AttentionMap left;
  AttentionMap right;             // of the same request
  std::vector<float> difference;  // right - left; NaN where both are
};
// Two maps of one request; the difference is computed here.
MapPair makePair(AttentionMap left, AttentionMap right);

class AttentionCompareModel : public QObject {
  Q_OBJECT

 public:
  using Deliver = std::function<void(const Result<MapPair>&)>;
  // May deliver at once or later, on the GUI thread. Only the newest request must be answered.
  using Source = std::function<void(const MapRequest&, Deliver)>;

  explicit AttentionCompareModel(QObject* parent = nullptr);
  void setSource(Source source) { m_source = std::move(source); }
  void setTitles(const QString& left, const QString& right);
  const QString& leftTitle() const { return m_leftTitle; }
  const QString& rightTitle() const { return m_rightTitle; }

  AttentionViewModel& view() { return m_view; }  // head, zoom, cells
  const AttentionViewModel& view() const { return m_view; }
  // Other sessions: every pair is forgotten. Another document also resets the zoom.
  enum class Text { Same, Other };
  void startSessions(Text text, std::int64_t expectedTokens, std::int64_t tokens);

  std::shared_ptr<const MapPair> pair() const { return m_pair; }  // null: nothing to draw yet
  const ValueRange& weightRange() const { return m_weights; }     // of both maps
  double differenceBound() const { return m_bound; }  // the colours go from -bound to +bound
  // Logarithmic: to both sides of 0, over the decades from differenceKnee() to the bound.
  void setDifferenceScale(ColorScale scale);
  ColorScale differenceScale() const { return m_differenceScale; }
  double differenceKnee() const;
  QString message() const;  // instead of the pictures
  // The two tokens under a point, both weights and their difference; empty outside.
  QString describe(double key, double query) const;
  QString summary() const;
  QString footerText() const;  // what a cell holds, and which keys are left out
  PlotTable table() const;     // one row per cell that is not in the future

 Q_SIGNALS:
  void pairChanged();
  void titlesChanged();

 private:
  void ask(const MapRequest& request, const AttentionViewModel::Deliver& deliver);
  void adoptTile();
  void fitColors();  // unless they are locked

  Source m_source;
  AttentionViewModel m_view;
  QString m_leftTitle;
  QString m_rightTitle;
  std::list<std::shared_ptr<const MapPair>> m_pairs;  // used last in front
  std::shared_ptr<const MapPair> m_pair;
  ValueRange m_weights{1e-6, 1.0};
  double m_bound = 1.0;
  ColorScale m_differenceScale = ColorScale::Linear;
  std::optional<ColorScale> m_rangedFor;  // the weights' scale that m_weights belongs to
  std::uint64_t m_sessions = 0;           // pairs of earlier ones are dropped
};

}  // namespace ropescope::ui
