#include "ui/panels/token_shading.h"

#include <QAbstractTextDocumentLayout>
#include <QMouseEvent>
#include <QPlainTextEdit>
#include <QScrollBar>
#include <QTextBlock>
#include <QTextLayout>
#include <algorithm>
#include <cmath>

#include "ui/plots/plot_style.h"

namespace ropescope::ui {
namespace {

constexpr int kSelectionMs = 200;  // without a change before a selection counts
constexpr float kTint = 0.22F;     // opacity

using Selections = QList<QTextEdit::ExtraSelection>;

QTextCursor cursorOver(QPlainTextEdit& text, int begin, int end) {
  const int last = std::max(0, text.document()->characterCount() - 1);
  QTextCursor cursor(text.document());
  cursor.setPosition(std::min(begin, last));
  cursor.setPosition(std::min(end, last), QTextCursor::KeepAnchor);
  return cursor;
}

// Calls use(piece, begin, end) for the pieces that touch the visible part.
void forVisible(const std::vector<int>& offsets, const CharacterRange& visible, const auto& use) {
  const TokenRange pieces = piecesWithin(offsets, visible);
  for (std::int64_t piece = pieces.begin; piece < pieces.end; ++piece) {
    const auto at = static_cast<std::size_t>(piece);
    if (offsets[at] < offsets[at + 1]) use(at, offsets[at], offsets[at + 1]);
  }
}

}  // namespace

TokenShading::TokenShading(QPlainTextEdit& text, TextShading& shading)
    : QObject(&text),
      m_text(text),
      m_shading(shading) {
  m_text.viewport()->setMouseTracking(true);
  m_text.viewport()->installEventFilter(this);
  m_selectionTimer.setSingleShot(true);
  m_selectionTimer.setInterval(kSelectionMs);
  connect(&m_selectionTimer, &QTimer::timeout, this, &TokenShading::tellSelection);
  connect(&m_text, &QPlainTextEdit::selectionChanged, &m_selectionTimer,
          qOverload<>(&QTimer::start));
  connect(m_text.verticalScrollBar(), &QScrollBar::valueChanged, this, &TokenShading::refresh);
  connect(&m_shading, &TextShading::changed, this, &TokenShading::refresh);
  connect(&m_shading, &TextShading::markChanged, this, &TokenShading::refresh);
  connect(&m_shading, &TextShading::revealed, this, &TokenShading::reveal);
}

void TokenShading::setTokens(std::vector<int> offsets) {
  m_offsets = std::move(offsets);
  refresh();
}

CharacterRange TokenShading::visiblePart() const {
  const QPoint corner = m_text.viewport()->rect().bottomRight();
  return {m_text.cursorForPosition({0, 0}).position(),
          m_text.cursorForPosition(corner).position() + 1};
}

void TokenShading::refresh() {
  const CharacterRange visible = visiblePart();
  const PlotTheme theme = themeOf(m_text.palette());
  Selections marks;
  const auto add = [&](int begin, int end, const auto& style) {
    QTextEdit::ExtraSelection mark;
    mark.cursor = cursorOver(m_text, begin, end);
    style(mark.format);
    marks.append(mark);
  };
  QColor tint = m_text.palette().color(QPalette::Highlight);
  tint.setAlphaF(kTint);
  forVisible(m_offsets, visible, [&](std::size_t piece, int begin, int end) {
    if (piece % 2 != 0) return;
    add(begin, end, [&](QTextCharFormat& format) { format.setBackground(tint); });
  });
  if (const auto& shades = m_shading.shades()) {
    forVisible(shades->offsets, visible, [&](std::size_t piece, int begin, int end) {
      if (piece >= shades->levels.size() || std::isnan(shades->levels[piece])) return;
      // No ink of its own: text that is drawn piece by piece loses narrow letters at the seams.
      const QColor color = amountFill(theme, static_cast<double>(shades->levels[piece]));
      add(begin, end, [&](QTextCharFormat& format) { format.setBackground(color); });
    });
  }
  const CharacterRange& marked = m_shading.marked();
  if (!marked.isEmpty() && marked.begin < visible.end && marked.end > visible.begin) {
    add(marked.begin, marked.end, [&](QTextCharFormat& format) {
      format.setFontUnderline(true);
      format.setUnderlineStyle(QTextCharFormat::SingleUnderline);
    });
  }
  m_text.setExtraSelections(marks);
  Q_EMIT visiblePartChanged(visible);
}

// By the scroll bar, not the cursor: what the reader selected stays selected. It counts lines.
void TokenShading::reveal(const CharacterRange& range) {
  if (range.isEmpty()) return;
  const QTextBlock block = m_text.document()->findBlock(range.begin);
  if (!block.isValid()) return;
  m_text.document()->documentLayout()->blockBoundingRect(block);  // lays it out
  const QTextLine line = block.layout()->lineForTextPosition(range.begin - block.position());
  const int number = block.firstLineNumber() + (line.isValid() ? line.lineNumber() : 0);
  const int shown = m_text.viewport()->height() / std::max(1, m_text.fontMetrics().lineSpacing());
  m_text.verticalScrollBar()->setValue(std::max(0, number - shown / 2));
  refresh();
}

void TokenShading::tellSelection() {
  const QTextCursor cursor = m_text.textCursor();
  if (cursor.hasSelection()) m_shading.select({cursor.selectionStart(), cursor.selectionEnd()});
}

bool TokenShading::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::MouseMove) {
    const auto position = static_cast<QMouseEvent*>(event)->pos();
    m_shading.pointAt(m_text.cursorForPosition(position).position());
  } else if (event->type() == QEvent::Leave) {
    m_shading.pointAt(-1);
  } else if (event->type() == QEvent::Resize) {
    QMetaObject::invokeMethod(this, &TokenShading::refresh, Qt::QueuedConnection);
  }
  return QObject::eventFilter(watched, event);
}

}  // namespace ropescope::ui
