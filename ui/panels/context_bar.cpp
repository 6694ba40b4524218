#include "ui/panels/context_bar.h"

#include <QCheckBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QStyle>
#include <QStyleOptionSlider>
#include <algorithm>
#include <cmath>
#include <limits>

#include "ui/panels/panel_text.h"
#include "ui/plots/plot_style.h"
#include "ui/text/number_text.h"
#include "ui/viewmodels/app_model.h"
#include "ui/viewmodels/chat_model.h"

namespace ropescope::ui {
namespace {

constexpr int kNarrowest = 160;  // px of the slider
constexpr int kAnswerWidth = 420;

}  // namespace

LengthSlider::LengthSlider(ContextFocus& focus, QWidget* parent)
    : QSlider(Qt::Horizontal, parent),
      m_focus(focus) {
  setMinimumWidth(kNarrowest);
  setPageStep(kStepsPerOctave / 2);
  connect(&m_focus, &ContextFocus::rangeChanged, this, &LengthSlider::takeRange);
  takeRange();
}

int LengthSlider::stepOf(qint64 tokens) const {
  const double octaves = std::log2(static_cast<double>(std::max<qint64>(1, tokens)) /
                                   static_cast<double>(m_focus.minimum()));
  return static_cast<int>(std::lround(octaves * kStepsPerOctave));
}

qint64 LengthSlider::tokensAt(int step) const {
  if (step >= maximum()) return m_focus.maximum();
  if (m_focus.trained() > 0 && step == stepOf(m_focus.trained())) return m_focus.trained();
  return std::llround(static_cast<double>(m_focus.minimum()) *
                      std::exp2(static_cast<double>(step) / kStepsPerOctave));
}

// Another range is no wish of the reader's: nothing follows.
void LengthSlider::takeRange() {
  const QSignalBlocker quiet(this);
  setRange(0, stepOf(m_focus.maximum()));
  setValue(stepOf(m_focus.length()));
  update();
}

int LengthSlider::pixelOf(int step) const {
  QStyleOptionSlider option;
  initStyleOption(&option);
  const int handle = style()->pixelMetric(QStyle::PM_SliderLength, &option, this);
  return handle / 2 + QStyle::sliderPositionFromValue(minimum(), maximum(), step, width() - handle);
}

void LengthSlider::paintEvent(QPaintEvent* event) {
  const int step = stepOf(m_focus.trained());
  if (m_focus.trained() > 0 && step >= minimum() && step <= maximum()) {
    QPainter painter(this);
    painter.setPen(referencePen(themeOf(palette())));
    const int x = pixelOf(step);
    painter.drawLine(x, 0, x, height());
  }
  QSlider::paintEvent(event);
}

ContextBar::ContextBar(ContextFocus& focus, AppModel& app, ChatModel& chat, QWidget* parent)
    : QWidget(parent),
      m_focus(focus),
      m_app(app),
      m_chat(chat),
      m_slider(new LengthSlider(focus, this)),
      m_tokens(new QSpinBox(this)),
      m_text(new QLabel(this)),
      m_asks(new QCheckBox(tr("As&k again"), this)),
      m_answer(new QLabel(this)) {
  const QString tip =
      tr("Context length. Angles, coverage, score curve and perplexity follow it at once; let it "
         "go, and the newest question is asked again about as many tokens of the document. The "
         "dashed line is the trained length.");
  m_slider->setObjectName(QStringLiteral("contextLength"));
  m_slider->setAccessibleName(tr("Context length"));
  m_slider->setToolTip(tip);
  m_tokens->setAccessibleName(tr("Context length in tokens"));
  m_tokens->setToolTip(tip);
  m_tokens->setGroupSeparatorShown(true);
  m_tokens->setSuffix(tr(" tokens"));
  m_tokens->setKeyboardTracking(false);
  m_asks->setObjectName(QStringLiteral("askAgain"));
  m_asks->setChecked(true);
  m_asks->setToolTip(
      tr("When the slider is let go: ask the newest question again about so many "
         "tokens of the document"));
  setMuted(m_answer);
  m_answer->setObjectName(QStringLiteral("contextAnswer"));
  m_answer->setTextFormat(Qt::PlainText);
  auto* label = new QLabel(tr("C&ontext"), this);
  label->setBuddy(m_slider);
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(6, 2, 6, 2);
  row->setSpacing(10);
  row->addWidget(label);
  row->addWidget(m_slider, 3);
  row->addWidget(m_tokens);
  row->addWidget(m_text);
  row->addSpacing(8);
  row->addWidget(m_asks);
  row->addWidget(m_answer, 2);
  connectFocus();
  showLength();
  showAnswer();
}

void ContextBar::connectFocus() {
  // Keys and clicks in the groove move it without a press on the handle: each is a drag of its own.
  connect(m_slider, &QSlider::valueChanged, this, [this](int step) {
    m_focus.setLength(m_slider->tokensAt(step));
    if (!m_slider->isSliderDown()) m_focus.settle();
  });
  connect(m_slider, &QSlider::sliderReleased, &m_focus, &ContextFocus::settle);
  connect(m_tokens, QOverload<int>::of(&QSpinBox::valueChanged), this, [this](int tokens) {
    m_focus.setLength(tokens);
    m_focus.settle();
  });
  connect(&m_focus, &ContextFocus::lengthChanged, this, &ContextBar::showLength);
  connect(&m_focus, &ContextFocus::rangeChanged, this, &ContextBar::showLength);
  connect(&m_focus, &ContextFocus::settled, this, &ContextBar::askAgain);
  connect(&m_chat, &ChatModel::rowsInserted, this, &ContextBar::showAnswer);
  connect(&m_chat, &ChatModel::dataChanged, this, &ContextBar::showAnswer);
  connect(&m_chat, &ChatModel::modelReset, this, &ContextBar::showAnswer);
  connect(&m_app, &AppModel::documentChanged, this, &ContextBar::showAnswer);
}

void ContextBar::showLength() {
  const QSignalBlocker slider(m_slider);
  const QSignalBlocker tokens(m_tokens);
  m_slider->setRange(0, m_slider->stepOf(m_focus.maximum()));
  if (!m_slider->isSliderDown()) m_slider->setValue(m_slider->stepOf(m_focus.length()));
  m_slider->setEnabled(m_focus.trained() > 0);
  m_tokens->setEnabled(m_focus.trained() > 0);
  constexpr qint64 kLargest = std::numeric_limits<int>::max();
  m_tokens->setRange(static_cast<int>(m_focus.minimum()),
                     static_cast<int>(std::min(kLargest, m_focus.maximum())));
  m_tokens->setValue(static_cast<int>(std::min(kLargest, m_focus.length())));
  m_text->setText(m_focus.trained() > 0
                      ? tr("%1 × trained")
                            .arg(ratioText(static_cast<double>(m_focus.length()) /
                                           static_cast<double>(m_focus.trained())))
                      : tr("no model"));
  QFont font = m_text->font();
  font.setBold(m_focus.isBeyondTrained());
  m_text->setFont(font);
}

// The newest answer in one line, so that it is seen beside the slider whatever the docks show.
void ContextBar::showAnswer() {
  const auto& turns = m_chat.turns();
  m_asks->setEnabled(!turns.empty());
  if (turns.empty()) {
    m_answer->setText(tr("Ask a question: its answer then follows this slider."));
    return;
  }
  const ChatTurn& turn = turns.back();
  const std::int64_t whole = turn.documentTokens;
  const QString about =
      turn.cutTokens > 0
          ? tr("Document cut to %1 of %2: ").arg(tokensText(turn.cutTokens), tokensText(whole))
          : tr("Whole document: ");
  QString answer = turn.answer.simplified();
  if (turn.state == ChatTurn::State::Failed) answer = tr("no answer");
  if (answer.isEmpty()) answer = QStringLiteral("…");
  const QString text = about + answer;
  m_answer->setToolTip(text);
  m_answer->setText(m_answer->fontMetrics().elidedText(text, Qt::ElideRight,
                                                       std::max(kAnswerWidth, m_answer->width())));
}

void ContextBar::askAgain(qint64 tokens) {
  if (!m_asks->isChecked() || m_chat.turns().empty() || !m_app.document()) return;
  const ChatTurn& newest = m_chat.turns().back();
  const std::int64_t before = newest.cutTokens > 0 ? newest.cutTokens : m_app.document()->tokens();
  const std::int64_t wanted = std::min<std::int64_t>(tokens, m_app.document()->tokens());
  const bool running =
      newest.state != ChatTurn::State::Finished && newest.state != ChatTurn::State::Failed;
  if (wanted == before && (running || newest.plan == m_app.plan())) return;
  if (running && newest.cutTokens > 0) m_chat.stop();  // a newer length is wanted
  m_chat.askAgain(wanted);
}

}  // namespace ropescope::ui
