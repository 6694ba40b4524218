#include "ui/panels/answer_view.h"

#include <QKeyEvent>
#include <QWheelEvent>
#include <cmath>

#include "ui/plots/plot_style.h"

namespace ropescope::ui {
namespace {

constexpr int kKeyMs = 250;

}  // namespace

AnswerView::AnswerView(QWidget* parent) : QTextEdit(parent) {
  setReadOnly(true);
  setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
  setFrameShape(QFrame::NoFrame);
  setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  setTabChangesFocus(true);
  setAcceptDrops(false);
  document()->setDocumentMargin(0);
  viewport()->setAutoFillBackground(false);
  setAccessibleName(tr("Answer"));
  setToolTip(tr("Click, or select a part, to see where it was read from (Return: all of it)"));
  m_keyTimer.setSingleShot(true);
  m_keyTimer.setInterval(kKeyMs);
  connect(&m_keyTimer, &QTimer::timeout, this, &AnswerView::tellSelection);
}

void AnswerView::setAnswer(const QString& text) {
  if (text == toPlainText()) return;
  setPlainText(text);
  m_shades.reset();
  fitHeight();
}

void AnswerView::setShades(std::shared_ptr<const TextShades> shades) {
  if (shades == m_shades) return;
  m_shades = std::move(shades);
  showShades();
}

void AnswerView::showShades() {
  const PlotTheme theme = themeOf(palette());
  QList<ExtraSelection> marks;
  if (m_shades) {
    const auto end = static_cast<int>(toPlainText().size());
    for (std::size_t i = 0; i < m_shades->levels.size(); ++i) {
      const float level = m_shades->levels[i];
      if (std::isnan(level) || m_shades->offsets[i + 1] > end) continue;
      ExtraSelection mark;
      mark.cursor = QTextCursor(document());
      mark.cursor.setPosition(m_shades->offsets[i]);
      mark.cursor.setPosition(m_shades->offsets[i + 1], QTextCursor::KeepAnchor);
      mark.format.setBackground(amountFill(theme, static_cast<double>(level)));
      marks.append(mark);
    }
  }
  setExtraSelections(marks);
}

void AnswerView::fitHeight() {
  document()->setTextWidth(viewport()->width());
  setFixedHeight(static_cast<int>(std::ceil(document()->size().height())));
}

void AnswerView::resizeEvent(QResizeEvent* event) {
  QTextEdit::resizeEvent(event);
  if (event->size().width() != event->oldSize().width()) fitHeight();
}

void AnswerView::changeEvent(QEvent* event) {
  QTextEdit::changeEvent(event);
  if (event->type() == QEvent::FontChange) fitHeight();
  if (event->type() == QEvent::PaletteChange) showShades();
}

void AnswerView::tellSelection() {
  const QTextCursor cursor = textCursor();
  if (cursor.hasSelection()) {
    Q_EMIT spanSelected({cursor.selectionStart(), cursor.selectionEnd()});
  }
}

void AnswerView::mouseReleaseEvent(QMouseEvent* event) {
  QTextEdit::mouseReleaseEvent(event);
  if (event->button() != Qt::LeftButton) return;
  if (textCursor().hasSelection()) {
    tellSelection();
  } else {
    Q_EMIT spanSelected({});
  }
}

void AnswerView::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) {
    Q_EMIT spanSelected({});
    return;
  }
  QTextEdit::keyPressEvent(event);
  if (textCursor().hasSelection()) m_keyTimer.start();
}

}  // namespace ropescope::ui
