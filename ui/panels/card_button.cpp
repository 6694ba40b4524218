#include "ui/panels/card_button.h"

#include <QDialog>
#include <QDialogButtonBox>
#include <QFile>
#include <QFontMetrics>
#include <QScreen>
#include <QTextBrowser>
#include <QVBoxLayout>

// Outside of every namespace, as the macro wants it. A static library's resources are not registered
// by themselves.
static void registerCards() {
  Q_INIT_RESOURCE(cards);
}

namespace ropescope::ui {
namespace {

constexpr int kCharacters = 78;  // of a line; the card grows with the text's size
constexpr int kLines = 27;

}  // namespace

QString cardText(const QString& name) {
  registerCards();
  QFile file(QStringLiteral(":/cards/%1.md").arg(name));
  if (!file.open(QIODevice::ReadOnly)) return {};
  return QString::fromUtf8(file.readAll());
}

CardButton::CardButton(const QString& name, QWidget* parent) : QToolButton(parent), m_name(name) {
  setText(QStringLiteral("?"));
  setToolTip(tr("What is drawn here, the formula, and the paper it comes from"));
  setAccessibleName(tr("Explain this"));
  setHidden(cardText(name).isEmpty());
  connect(this, &QToolButton::clicked, this, &CardButton::showCard);
}

void CardButton::showCard() {
  auto* card = new QDialog(this);
  card->setObjectName(QStringLiteral("card"));
  card->setAttribute(Qt::WA_DeleteOnClose);
  card->setWindowTitle(tr("Explain this"));
  auto* text = new QTextBrowser(card);
  text->setMarkdown(cardText(m_name));
  text->setOpenExternalLinks(true);
  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, card);
  connect(buttons, &QDialogButtonBox::rejected, card, &QDialog::close);
  auto* layout = new QVBoxLayout(card);
  layout->addWidget(text);
  layout->addWidget(buttons);
  const QFontMetrics metrics(card->font());
  const QSize wanted(metrics.averageCharWidth() * kCharacters, metrics.lineSpacing() * kLines);
  card->resize(wanted.boundedTo(screen()->availableSize()));
  card->show();  // not exec(): the view goes on beside it
}

}  // namespace ropescope::ui
