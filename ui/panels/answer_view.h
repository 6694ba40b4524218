// An answer's text, as high as it needs: a part can be selected, by mouse or keyboard, and tokens
// can be coloured.
#pragma once

#include <QTextEdit>
#include <QTimer>
#include <memory>

#include "ui/viewmodels/text_shading.h"

namespace ropescope::ui {

class AnswerView : public QTextEdit {
  Q_OBJECT

 public:
  explicit AnswerView(QWidget* parent = nullptr);
  void setAnswer(const QString& text);
  void setShades(std::shared_ptr<const TextShades> shades);  // null: none

 Q_SIGNALS:
  // Characters; empty after a click or Return: the whole answer.
  void spanSelected(const ropescope::ui::CharacterRange& characters);

 protected:
  void resizeEvent(QResizeEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void wheelEvent(QWheelEvent* event) override { event->ignore(); }  // scrolls the chat
  void changeEvent(QEvent* event) override;

 private:
  void fitHeight();
  void showShades();
  void tellSelection();

  std::shared_ptr<const TextShades> m_shades;
  QTimer m_keyTimer;  // Shift and arrows select many times
};

}  // namespace ropescope::ui
