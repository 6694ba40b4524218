// Draws needle grids: one below the other, the same axes and the same scale, so that settings can
// be compared at a glance.
#pragma once

#include <optional>
#include <vector>

#include "ui/plots/plot_widget.h"
#include "ui/viewmodels/needle_view_model.h"

namespace ropescope::ui {

class NeedlePlot : public PlotWidget {
  Q_OBJECT

 public:
  explicit NeedlePlot(const NeedleViewModel& model, QWidget* parent = nullptr);

  struct Place {
    int grid = 0;
    int row = 0;
    int column = 0;
  };
  // One grid alone; -1: all.
  void showOnly(int grid);
  std::optional<Place> placeAt(const QPointF& pixel) const;
  QPointF centreOf(const Place& place) const;  // pixels
  QString cellText(const Place& place) const;  // as drawn

 Q_SIGNALS:
  void cellChosen(int grid, int row, int column);  // click, or Enter on the cell with the frame

 protected:
  void restyle(PlotTheme theme) override;
  void keyPressEvent(QKeyEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;

 private:
  struct Grid {
    int index = 0;  // in the model
    FooterText* title = nullptr;
    QCPAxisRect* rect = nullptr;
    QCPColorMap* map = nullptr;
    std::vector<QCPItemText*> texts;  // row by row
  };

  void rebuild();
  void clearGrids();
  Grid makeGrid(int index);
  void buildCells(Grid& grid);
  void fillCells();
  void styleGrid(Grid& grid);
  void moveFrame(const Place& to);
  const Grid* gridOf(int index) const;
  void hover(QMouseEvent* event);
  void click(QMouseEvent* event);

  const NeedleViewModel& m_model;
  int m_only = -1;
  std::vector<Grid> m_grids;
  FooterText* m_footer = nullptr;
  QCPItemRect* m_frame = nullptr;  // the keyboard's cell
  Place m_place;
};

}  // namespace ropescope::ui
