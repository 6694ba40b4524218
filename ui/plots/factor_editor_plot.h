// Draws a FactorEditorModel: a bar per pair that can be dragged, the factors in use behind them,
// and below the attention by distance before and after the edit.
#pragma once

#include "ui/plots/plot_widget.h"
#include "ui/viewmodels/factor_editor_model.h"

namespace ropescope::ui {

class FactorEditorPlot : public PlotWidget {
  Q_OBJECT

 public:
  explicit FactorEditorPlot(const FactorEditorModel& model, QWidget* parent = nullptr);

  // What is drawn, for tests.
  QCPBars* bars() const { return m_bars; }
  QCPGraph* handleDots() const { return m_handles; }
  QCPGraph* attention(bool after) const { return after ? m_after : m_before; }
  QCPAxisRect* factorRect() const { return m_top; }
  int chosenPair() const { return m_chosen; }

 Q_SIGNALS:
  void dragBegan();
  void dragged(int pair, double factor);  // between began and ended, or alone by a key
  void dragEnded();

 protected:
  void restyle(PlotTheme theme) override;
  void keyPressEvent(QKeyEvent* event) override;
  void showEvent(QShowEvent* event) override;

 private:
  void buildRects();
  void buildCurves();
  void redraw();
  void redrawRange();
  void redrawAttention();
  void redrawChosen();
  void press(QMouseEvent* event);
  void move(QMouseEvent* event);
  void release();
  void dragTo(const QPointF& point);
  int pairAt(const QPointF& point) const;  // of a handle when there are some
  void choose(int pair);
  void drawSoon();
  QCPAxis* x(const QCPAxisRect* rect) const { return rect->axis(QCPAxis::atBottom); }
  QCPAxis* y(const QCPAxisRect* rect) const { return rect->axis(QCPAxis::atLeft); }

  const FactorEditorModel& m_model;
  QCPAxisRect* m_top;
  QCPAxisRect* m_low;
  QCPBars* m_bars = nullptr;        // pairs that stay within what training showed
  QCPBars* m_unseenBars = nullptr;  // pairs that leave it within the planned length
  QCPGraph* m_inUse = nullptr;
  QCPGraph* m_handles = nullptr;
  QCPGraph* m_before = nullptr;
  QCPGraph* m_after = nullptr;
  QCPItemText* m_note = nullptr;
  QCPItemRect* m_mark = nullptr;  // the pair that keys change
  bool m_dragging = false;
  int m_grabbed = -1;  // pair; last one touched
  QPointF m_last;      // where the mouse was
  int m_chosen = 0;
};

}  // namespace ropescope::ui
