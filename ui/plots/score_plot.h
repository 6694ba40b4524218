// Draws a ScoreViewModel: score against distance, one curve a method.
#pragma once

#include <vector>

#include "ui/plots/plot_widget.h"
#include "ui/viewmodels/score_view_model.h"

namespace ropescope::ui {

class ScorePlot : public PlotWidget {
  Q_OBJECT

 public:
  explicit ScorePlot(ScoreViewModel& model, QWidget* parent = nullptr);

  QCPGraph* curve(std::size_t index) const { return m_curves[index]; }
  std::size_t curves() const { return m_curves.size(); }
  QCPGraph* ghost() const { return m_ghost; }
  QString cursorText() const { return m_cursorText->text(); }

 protected:
  void restyle(PlotTheme theme) override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  void buildItems();
  void redraw();
  void resetView();
  void fitScores();
  void drawCursor();
  void resizeCurves(std::size_t curves);
  void styleCurves(PlotTheme theme);
  void hover(QMouseEvent* event);

  ScoreViewModel& m_model;
  std::vector<QCPGraph*> m_curves;
  QCPGraph* m_own;    // the two tokens themselves
  QCPGraph* m_ghost;  // before the last switch of method
  QCPItemRect* m_beyond;
  QCPItemStraightLine* m_trained;
  QCPItemText* m_trainedText;
  QCPItemStraightLine* m_cursor;  // the last distance of the chosen context length
  QCPItemText* m_cursorText;
  QCPItemText* m_message;
  QCPTextElement* m_footer;
  bool m_settingAxes = false;
};

}  // namespace ropescope::ui
