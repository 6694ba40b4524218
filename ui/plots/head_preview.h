// One head's picture, enlarged, with what is known of it: lies over a plot while the mouse is on
// it.
#pragma once

#include <QImage>
#include <QString>
#include <QWidget>

#include "ui/plots/plot_style.h"

namespace ropescope::ui {

class HeadPreview : public QWidget {
  Q_OBJECT

 public:
  explicit HeadPreview(QWidget* parent);

  // Beside `point` of the parent, inside of it.
  void showAt(const QPoint& point, QImage image, const QString& text, PlotTheme theme);
  const QString& text() const { return m_text; }

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  QImage m_image;
  QString m_text;
  int m_side = 0;  // px of the picture
  PlotTheme m_theme = PlotTheme::Light;
};

}  // namespace ropescope::ui
