// The whole document's colours as a slim strip beside its scroll bar; a click goes there.
#pragma once

#include <QWidget>
#include <vector>

#include "ui/viewmodels/text_shading.h"

namespace ropescope::ui {

class HeatStrip : public QWidget {
  Q_OBJECT

 public:
  explicit HeatStrip(const TextShading& shading, QWidget* parent = nullptr);
  void setCharacters(int characters);                            // of the text
  void setVisiblePart(const CharacterRange& part);               // what the text shows now
  const std::vector<float>& levels() const { return m_levels; }  // one per pixel row

 Q_SIGNALS:
  void picked(int character);

 protected:
  QSize sizeHint() const override { return {kWidth, 80}; }
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;

 private:
  static constexpr int kWidth = 14;  // pixels
  void refresh();
  int yOf(int character) const;
  void pick(int y);

  const TextShading& m_shading;
  int m_characters = 0;
  CharacterRange m_visible;
  std::vector<float> m_levels;
};

}  // namespace ropescope::ui
