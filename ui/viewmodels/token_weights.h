// The weights of one row and of one column of the attention map, and the weight where they cross:
// what stands under the pointer, or where it was pinned. Under max a single token stays visible,
// whatever the number of pixels.
//
// Knows no widget and no engine, like AttentionViewModel, whose view it follows.
#pragma once

#include <QObject>
#include <QString>
#include <QTimer>
#include <QVector>
#include <array>
#include <functional>
#include <optional>

#include "ui/viewmodels/attention_view_model.h"

namespace ropescope::ui {

// One cell a value; positions are the cells' middles on the map's axis. NaN: in the future.
struct WeightLine {
  QVector<double> positions = {};
  QVector<double> weights = {};
};

class TokenWeights : public QObject {
  Q_OBJECT

 public:
  enum class Part { Row, Column, Cell };
  // As AttentionViewModel::MapSource; of every part only the newest request must be answered.
  using Source =
      std::function<void(Part part, const MapRequest&, const AttentionViewModel::Deliver&)>;

  explicit TokenWeights(AttentionViewModel& map, QObject* parent = nullptr);
  void setSource(Source source) { m_source = std::move(source); }

  // A row and a column in the map's units (tokens, or segments).
  void point(std::int64_t query, std::int64_t key);  // does nothing while pinned
  void pin(std::int64_t query, std::int64_t key);
  void unpin();
  void leave();  // the pointer left the map: back to the last row and the middle column
  bool isAtRest() const { return m_atRest; }
  bool isPinned() const { return m_pinned; }
  bool isSet() const { return m_query >= 0; }
  std::int64_t query() const { return m_query; }
  std::int64_t key() const { return m_key; }

  const WeightLine& row() const { return m_row; }            // of query() over the keys in view
  const WeightLine& column() const { return m_column; }      // of key() over the queries in view
  std::optional<double> weight() const { return m_weight; }  // of the two, exactly
  QString text() const;  // "query 3,290 reads key 812 with 0.4312"; empty when nothing is chosen

 Q_SIGNALS:
  void changed();

 private:
  void moveTo(std::int64_t query, std::int64_t key);
  void askSoon();
  void ask();
  void askFor(Part part, const MapRequest& request);
  void accept(Part part, const AttentionMap& map);
  void rest();
  void forget();

  AttentionViewModel& m_map;
  Source m_source;
  std::int64_t m_query = -1;
  std::int64_t m_key = -1;
  bool m_pinned = false;
  bool m_atRest = false;
  WeightLine m_row;
  WeightLine m_column;
  std::optional<double> m_weight;
  std::array<MapRequest, 3> m_asked;  // newest of every part
  QTimer m_askTimer;
};

}  // namespace ropescope::ui
