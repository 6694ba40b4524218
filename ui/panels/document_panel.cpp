#include "ui/panels/document_panel.h"

#include <QCheckBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollBar>
#include <QTextBlock>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/panels/panel_text.h"
#include "ui/text/number_text.h"
#include "ui/viewmodels/document_view_model.h"

namespace ropescope::ui {

DocumentPanel::DocumentPanel(DocumentViewModel& model, QWidget* parent)
    : QWidget(parent),
      m_model(model),
      m_title(new QLabel(this)),
      m_token(new QLabel(this)),
      m_text(new QPlainTextEdit(this)),
      m_marks(new QCheckBox(tr("Show &tokens"), this)),
      m_ledger(wrappedLabel(this)),
      m_fit(wrappedLabel(this)),
      m_read(new QLabel(this)),
      m_readButton(new QPushButton(tr("&Read it now"), this)) {
  setBold(m_title);
  m_text->setReadOnly(true);
  m_text->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
  m_text->setTabChangesFocus(true);
  m_text->setPlaceholderText(tr("Open a text file (Ctrl+O), or drop one here."));
  m_text->setAccessibleName(tr("Text of the document"));
  m_text->setFrameShape(QFrame::NoFrame);
  m_text->setObjectName(QStringLiteral("documentText"));
  m_text->setAcceptDrops(false);  // files go to the window
  m_marks->setObjectName(QStringLiteral("showTokens"));
  m_marks->setToolTip(tr("Tint every other token of the visible text."));
  m_ledger->setAccessibleName(tr("Token ledger"));
  m_readButton->setToolTip(tr("Fill the cache with the document now, so that maps can be drawn and "
                              "the first question starts at once."));
  setMuted(m_token);
  m_token->setMinimumHeight(m_token->fontMetrics().height());  // empty until a click
  setMuted(m_read);

  auto* top = new QHBoxLayout;
  top->addWidget(m_title, 1);
  top->addWidget(m_marks);
  auto* bottom = new QHBoxLayout;
  bottom->addWidget(m_read, 1);
  bottom->addWidget(m_readButton);
  auto* layout = new QVBoxLayout(this);
  layout->addLayout(top);
  layout->addWidget(m_text, 1);
  layout->addWidget(m_token);
  layout->addWidget(m_ledger);
  layout->addWidget(m_fit);
  layout->addLayout(bottom);

  connect(&m_model, &DocumentViewModel::documentChanged, this, &DocumentPanel::showDocument);
  connect(&m_model, &DocumentViewModel::ledgerChanged, this, &DocumentPanel::showLedger);
  connect(m_readButton, &QPushButton::clicked, &m_model, &DocumentViewModel::read);
  connect(m_marks, &QCheckBox::toggled, this, &DocumentPanel::markTokens);
  connect(m_text->verticalScrollBar(), &QScrollBar::valueChanged, this, &DocumentPanel::markTokens);
  connect(m_text, &QPlainTextEdit::cursorPositionChanged, this, &DocumentPanel::showTokenAtCursor);
  showDocument();
  showLedger();
}

void DocumentPanel::showDocument() {
  m_title->setText(m_model.title());
  m_text->setPlainText(m_model.text());
  markTokens();
  m_token->clear();  // nothing is chosen yet
}

void DocumentPanel::showLedger() {
  m_ledger->setText(m_model.ledgerText());
  m_fit->setText(m_model.fitText());
  setWarning(m_fit, !m_model.ledger().fits());
  m_read->setText(m_model.readText());
  m_readButton->setEnabled(m_model.canRead());
}

void DocumentPanel::markTokens() {
  QList<QTextEdit::ExtraSelection> marks;
  const auto& offsets = m_model.offsets();
  if (m_marks->isChecked() && offsets.size() > 1) {
    const int first = m_text->cursorForPosition({0, 0}).position();
    const int last =
        m_text->cursorForPosition(m_text->viewport()->rect().bottomRight()).position();
    const auto from = std::lower_bound(offsets.begin(), offsets.end(), first);
    const auto to = std::upper_bound(from, offsets.end(), last);
    QColor tint = palette().color(QPalette::Highlight);
    tint.setAlphaF(0.22F);
    for (auto at = from; at != to && at + 1 != offsets.end(); ++at) {
      if ((at - offsets.begin()) % 2 != 0 || *at == *(at + 1)) continue;
      QTextCursor cursor(m_text->document());
      cursor.setPosition(*at);
      cursor.setPosition(*(at + 1), QTextCursor::KeepAnchor);
      QTextEdit::ExtraSelection mark;
      mark.cursor = cursor;
      mark.format.setBackground(tint);
      marks.append(mark);
    }
  }
  m_text->setExtraSelections(marks);
}

void DocumentPanel::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  markTokens();
}

void DocumentPanel::showTokenAtCursor() {
  const int token = m_model.tokenAt(m_text->textCursor().position());
  m_token->setText(token < 0 ? QString() : tr("Token %1 of the prompt").arg(tokensText(token)));
}

}  // namespace ropescope::ui
