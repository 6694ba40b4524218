// The chosen head and view of the attention map, and the tile that answers it.
//
// Knows no widget and no engine: it asks a MapSource for tiles. Tiles come back whenever they are
// ready; the old one stays until then.
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <QSize>
#include <QString>
#include <QStringList>
#include <QTimer>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/base/result.h"
#include "core/probe/attention_map.h"
#include "ui/viewmodels/map_tile.h"

namespace ropescope::ui {

// What a row and a column of the map stand for.
enum class Granularity { Token, Sentence, Paragraph };

// Sentences or paragraphs of the text: ascending positions, the last one's end behind them, and
// their words for people.
struct TextSegments {
  std::vector<std::int64_t> borders;
  QStringList texts;
};

class AttentionViewModel : public QObject {
  Q_OBJECT

 public:
  using Deliver = std::function<void(const Result<AttentionMap>&)>;
  // May deliver at once or later, on the GUI thread. Only the newest request must be answered.
  using MapSource = std::function<void(const MapRequest&, Deliver)>;
  using TokenText = std::function<QString(std::int64_t position)>;
  using SegmentSource = std::function<TextSegments(Granularity)>;

  explicit AttentionViewModel(QObject* parent = nullptr);
  void setSource(MapSource source) { m_source = std::move(source); }
  void setTokenText(TokenText text) { m_tokenText = std::move(text); }
  void setSegmentSource(SegmentSource source) { m_segmentSource = std::move(source); }
  void renewSegments();  // the session holds another part of the document

  void setModelShape(int layers, int heads);
  // Other keys in the cache: forgets every tile. `expectedTokens`: what the axes show meanwhile.
  void startSession(std::int64_t expectedTokens);
  // The same tokens under other settings, `tokens` of them read: view and colour range stay.
  void switchSession(std::int64_t tokens);
  void advanceTo(std::int64_t tokens);  // live growth; redrawn a few times a second

  int layers() const { return m_layers; }
  int heads() const { return m_heads; }
  int layer() const { return m_layer; }
  int head() const { return m_head; }
  Reducer reducer() const { return m_reducer; }
  ColorScale colorScale() const { return m_colorScale; }
  std::int64_t ignoredTokens() const { return m_ignored; }
  bool isRangeLocked() const { return m_rangeLocked; }
  std::int64_t tokens() const { return m_tokens; }
  Granularity granularity() const { return m_granularity; }
  // Rows that are there: tokens, or segments that were read wholly. Columns begin at firstKey():
  // ignored ones are left out.
  std::int64_t units() const;
  std::int64_t firstKey() const;

  void setLayer(int layer);
  void setHead(int head);
  void selectHead(int layer, int head);
  void stepHead(int heads);  // over the borders of layers, around at the ends
  void setReducer(Reducer reducer);
  void setColorScale(ColorScale scale);
  void setIgnoredTokens(std::int64_t tokens);
  void setRangeLocked(bool locked);
  void setGranularity(Granularity granularity);  // the view starts over

  // Pixels of the axes, device-independent times a capped ratio.
  void setPixels(const QSize& pixels);
  void setView(const MapView& view);  // kept inside home()
  void resetView();
  const MapView& view() const { return m_view; }
  MapView home() const;
  MapRequest wantedRequest() const;  // width 0: nothing can be drawn yet

  std::shared_ptr<const AttentionMap> tile() const { return m_tile; }
  const ValueRange& valueRange() const { return m_valueRange; }
  bool isLoading() const { return m_waiting; }
  QString message() const;         // instead of a picture: what is missing and the cure
  QString resolutionText() const;  // "6 keys × 22 queries a cell, max; 5.7 × 21 a pixel"
  QString summary() const;         // one sentence for screen readers and captions
  // The two tokens under a point and the weight drawn there; empty outside of the tile.
  QString describe(double key, double query) const;
  QString nameOf(std::int64_t query, std::int64_t key) const;  // of two rows and columns, in words

 Q_SIGNALS:
  void selectionChanged();  // model shape, layer, head, reducer, scale, ignored tokens, lock, units
  void viewChanged();
  void tileChanged();             // tile, value range, message
  void rewoundTo(qint64 tokens);  // what was drawn of later queries is of another text now

 private:
  void takeSegments();    // of the document that is there
  void rebuildBorders();  // after tokens or ignored tokens changed
  void askSoon();
  void ask();
  void accept(const MapRequest& request, const Result<AttentionMap>& map);
  void show(std::shared_ptr<const AttentionMap> tile);
  void selectionEdited();
  QString unitName(std::int64_t unit) const;  // a token or segment, with its text

  MapSource m_source;
  TokenText m_tokenText;
  SegmentSource m_segmentSource;
  int m_layers = 0;
  int m_heads = 0;
  int m_layer = 0;
  int m_head = 0;
  Reducer m_reducer = Reducer::Max;
  ColorScale m_colorScale = ColorScale::Logarithmic;
  std::int64_t m_ignored = 4;
  bool m_rangeLocked = false;
  bool m_stale = false;      // the tile is of the settings before a switch
  bool m_rangeHeld = false;  // since a switch, until another picture is asked for
  Granularity m_granularity = Granularity::Token;
  TextSegments m_segments;  // of the document; empty: tokens
  SegmentBorders m_queryBorders;
  SegmentBorders m_keyBorders;

  std::int64_t m_expected = 0;
  std::int64_t m_tokens = 0;  // that a tile may be asked for
  bool m_atHome = true;
  MapView m_view;
  QSize m_pixels;

  TileCache m_cache;
  std::shared_ptr<const AttentionMap> m_tile;
  ValueRange m_valueRange{1e-6, 1.0};
  QString m_error;
  bool m_waiting = false;
  MapRequest m_waitingFor;
  std::uint64_t m_session = 0;  // tiles of an earlier one are dropped
  QTimer m_askTimer;
  QElapsedTimer m_sinceAsked;
  QTimer m_growTimer;
};

}  // namespace ropescope::ui
