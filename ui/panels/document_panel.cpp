#include "ui/panels/document_panel.h"

#include <QCheckBox>
#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QVBoxLayout>

#include "ui/panels/heat_strip.h"
#include "ui/panels/panel_text.h"
#include "ui/panels/token_shading.h"
#include "ui/text/number_text.h"
#include "ui/viewmodels/document_view_model.h"

namespace ropescope::ui {

DocumentPanel::DocumentPanel(DocumentViewModel& model, TextShading& shading, QWidget* parent)
    : QWidget(parent),
      m_model(model),
      m_shading(shading),
      m_title(new QLabel(this)),
      m_token(new QLabel(this)),
      m_text(new QPlainTextEdit(this)),
      m_tokens(new TokenShading(*m_text, shading)),
      m_strip(new HeatStrip(shading, this)),
      m_marks(new QCheckBox(tr("Show &tokens"), this)),
      m_shadeBy(new QComboBox(this)),
      m_legend(wrappedLabel(this)),
      m_ledger(wrappedLabel(this)),
      m_fit(wrappedLabel(this)),
      m_read(new QLabel(this)),
      m_readButton(new QPushButton(tr("&Read it now"), this)) {
  setBold(m_title);
  m_marks->setObjectName(QStringLiteral("showTokens"));
  m_marks->setToolTip(tr("Tint every other token of the visible text."));
  m_ledger->setAccessibleName(tr("Token ledger"));
  m_readButton->setToolTip(
      tr("Fill the cache with the document now, so that maps can be drawn and "
         "the first question starts at once."));
  setMuted(m_token);
  m_token->setMinimumHeight(m_token->fontMetrics().height());  // empty until a click
  setMuted(m_read);

  auto* top = new QHBoxLayout;
  top->addWidget(m_title, 1);
  top->addWidget(m_marks);
  auto* shadeRow = new QHBoxLayout;
  auto* shadeLabel = new QLabel(tr("S&hade by"), this);
  shadeLabel->setBuddy(m_shadeBy);
  shadeRow->addWidget(shadeLabel);
  shadeRow->addWidget(m_shadeBy);
  shadeRow->addWidget(m_legend, 1);
  auto* bottom = new QHBoxLayout;
  bottom->addWidget(m_read, 1);
  bottom->addWidget(m_readButton);
  auto* layout = new QVBoxLayout(this);
  layout->addLayout(top);
  layout->addLayout(shadeRow);
  layout->addWidget(makeText(), 1);
  layout->addWidget(m_token);
  layout->addWidget(m_ledger);
  layout->addWidget(m_fit);
  layout->addLayout(bottom);

  connect(&m_model, &DocumentViewModel::documentChanged, this, &DocumentPanel::showDocument);
  connect(&m_model, &DocumentViewModel::ledgerChanged, this, &DocumentPanel::showLedger);
  connect(m_readButton, &QPushButton::clicked, &m_model, &DocumentViewModel::read);
  connect(m_marks, &QCheckBox::toggled, this, &DocumentPanel::markTokens);
  connect(m_text, &QPlainTextEdit::cursorPositionChanged, this, &DocumentPanel::showTokenAtCursor);
  buildShading();
  showDocument();
  showLedger();
}

QWidget* DocumentPanel::makeText() {
  m_text->setReadOnly(true);
  m_text->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
  m_text->setTabChangesFocus(true);
  m_text->setPlaceholderText(tr("Open a text file (Ctrl+O), or drop one here."));
  m_text->setAccessibleName(tr("Text of the document"));
  m_text->setFrameShape(QFrame::NoFrame);
  m_text->setObjectName(QStringLiteral("documentText"));
  m_text->setAcceptDrops(false);  // files go to the window
  auto* page = new QWidget(this);
  auto* row = new QHBoxLayout(page);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(2);
  row->addWidget(m_text, 1);
  row->addWidget(m_strip);
  return page;
}

void DocumentPanel::buildShading() {
  m_shadeBy->addItems({tr("nothing"), tr("attention"), tr("loss")});
  m_shadeBy->setObjectName(QStringLiteral("shadeBy"));
  m_shadeBy->setToolTip(
      tr("Colour the text by what an answer read (click one in the chat), or by the loss of every "
         "token (Measure in the view Loss)."));
  setMuted(m_legend);
  connect(m_shadeBy, &QComboBox::activated, this,
          [this](int index) { m_shading.setMode(static_cast<ShadeBy>(index)); });
  connect(&m_shading, &TextShading::changed, this, &DocumentPanel::showShading);
  connect(m_tokens, &TokenShading::visiblePartChanged, m_strip, &HeatStrip::setVisiblePart);
  connect(m_strip, &HeatStrip::picked, this, [this](int character) {
    m_shading.reveal({character, character + 1});
  });
  showShading();
}

void DocumentPanel::showShading() {
  m_shadeBy->setCurrentIndex(static_cast<int>(m_shading.mode()));
  m_legend->setText(m_shading.legend());
}

void DocumentPanel::showDocument() {
  m_title->setText(m_model.title());
  m_text->setPlainText(m_model.text());
  m_strip->setCharacters(m_text->document()->characterCount() - 1);
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
  m_tokens->setTokens(m_marks->isChecked() ? m_model.offsets() : std::vector<int>());
}

void DocumentPanel::showTokenAtCursor() {
  const int token = m_model.tokenAt(m_text->textCursor().position());
  m_token->setText(token < 0 ? QString() : tr("Token %1 of the prompt").arg(tokensText(token)));
}

}  // namespace ropescope::ui
