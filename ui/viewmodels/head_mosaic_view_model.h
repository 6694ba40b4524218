// Small maps of all heads of all layers over everything read so far, on one grid of cells.
//
// Knows no widget and no engine: it asks a source for bands, one at a time, the layers in turn, so
// that the picture fills from the top and other views are served between. What is drawn stays while
// more tokens are read; only new rows are asked for, and nothing while nobody looks.
#pragma once

#include <QObject>
#include <QSize>
#include <QString>
#include <QTimer>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "core/base/result.h"
#include "core/lens/head_mosaic.h"
#include "core/lens/head_set.h"
#include "ui/viewmodels/map_tile.h"

namespace ropescope::ui {

class HeadMosaicViewModel : public QObject {
  Q_OBJECT

 public:
  using Deliver = std::function<void(const Result<MosaicBand>&)>;
  // May deliver at once or later, on the GUI thread. Only the newest request must be answered.
  using Source = std::function<void(const MosaicRequest&, Deliver)>;

  explicit HeadMosaicViewModel(QObject* parent = nullptr);
  void setSource(Source source) { m_source = std::move(source); }

  void setModelShape(int layers, int heads);
  // Other keys in the cache: forgets everything. `expectedTokens`: what the grid is made for;
  // `captured`: the layers that can be drawn.
  void startSession(std::int64_t expectedTokens, const std::vector<int>& captured);
  // Fewer tokens than before: the session was rewound. Rows of tokens that were replaced unseen are
  // noticed by the next band, which says what tokens it is of.
  void advanceTo(std::int64_t tokens);
  void setShown(bool shown);            // false: asks for nothing
  void setPixels(const QSize& pixels);  // of the whole mosaic; decides the number of cells

  int layers() const { return static_cast<int>(m_layers.size()); }
  int heads() const { return m_heads; }
  std::int64_t tokens() const { return m_tokens; }
  const MosaicGrid& grid() const { return m_grid; }
  bool isCaptured(int layer) const { return m_layers[static_cast<std::size_t>(layer)].captured; }
  // Queries before it are drawn.
  std::int64_t drawnTokens(int layer) const;
  bool isComplete() const;  // nothing left to draw of what has been read
  // [cells, cells], queries by keys; NaN: in the future, ignored, or not drawn yet.
  std::span<const float> picture(HeadRef head) const;

  Reducer reducer() const { return m_reducer; }
  ColorScale colorScale() const { return m_colorScale; }
  std::int64_t ignoredTokens() const { return m_ignored; }
  bool isRangeLocked() const { return m_rangeLocked; }
  const ValueRange& valueRange() const { return m_valueRange; }
  void setReducer(Reducer reducer);
  void setColorScale(ColorScale scale);
  void setIgnoredTokens(std::int64_t tokens);
  void setRangeLocked(bool locked);
  // While one flips between methods, so that colours can be compared; ends with the next setting.
  void setRangeHeld(bool held);

  struct Cell {
    float weight = 0.0F;
    TokenRange queries;
    TokenRange keys;
  };
  std::optional<Cell> strongest(HeadRef head) const;  // none: nothing is drawn of it

  QString message() const;               // instead of a picture: what is missing and the cure
  QString lengthText() const;            // "3,412 tokens, 36 heads, max; 1 cell = 72 × 72 tokens"
  QString gapsText() const;              // which layers are not drawn, and why; empty: all are
  QString describe(HeadRef head) const;  // layer, head and its strongest weight
  QString summary() const;

 Q_SIGNALS:
  void settingsChanged();  // model shape, reducer, scale, ignored tokens, lock
  void pictureChanged();   // cells, value range, message; a few times a second while it grows

 private:
  struct Layer {
    bool captured = false;
    int rows = 0;                  // whole cell rows that are drawn
    std::int64_t drawnTokens = 0;  // beyond whole rows: the row in which the text ended
  };

  void restart();  // another grid or other cells: everything again
  void makeGrid();
  void askSoon();
  void ask();
  std::optional<MosaicRequest> nextRequest() const;
  MosaicRequest rowsFrom(int layer, int first, int end) const;
  void accept(const MosaicRequest& request, const Result<MosaicBand>& band);
  void keep(const MosaicBand& band);
  void forgetFrom(std::int64_t token);
  void compareTokens(const MosaicBand& band);
  void settingsEdited();
  void showSoon();
  void show();
  float* cells(HeadRef head);

  Source m_source;
  std::vector<Layer> m_layers;
  int m_heads = 0;
  Reducer m_reducer = Reducer::Max;
  ColorScale m_colorScale = ColorScale::Logarithmic;
  std::int64_t m_ignored = 4;
  bool m_rangeLocked = false;
  bool m_rangeHeld = false;

  std::int64_t m_expected = 0;
  std::int64_t m_tokens = 0;
  std::int64_t m_tailTokens = 0;  // a row that is not full is drawn up to here, not at every token
  QSize m_pixels;
  int m_side = 0;  // cells a side that fit the pixels
  MosaicGrid m_grid;
  std::vector<float> m_values;          // [layers, heads, cells, cells]
  std::vector<std::int32_t> m_drawnOf;  // the tokens of the rows that are drawn
  ValueRange m_valueRange{1e-6, 1.0};
  QString m_error;
  bool m_shown = false;
  bool m_waiting = false;
  std::uint64_t m_epoch = 0;  // bands of an earlier one are dropped
  QTimer m_askTimer;
  QTimer m_growTimer;
  QTimer m_showTimer;
};

}  // namespace ropescope::ui
