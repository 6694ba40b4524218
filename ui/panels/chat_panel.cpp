#include "ui/panels/chat_panel.h"

#include <QDoubleSpinBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QScrollBar>
#include <QSpinBox>
#include <QToolButton>
#include <QVBoxLayout>
#include <QWidgetAction>
#include <limits>

#include "ui/panels/panel_text.h"
#include "ui/panels/turn_view.h"
#include "ui/viewmodels/app_model.h"
#include "ui/viewmodels/chat_model.h"
#include "ui/viewmodels/document_view_model.h"

namespace ropescope::ui {
namespace {

constexpr int kQuestionLines = 3;
constexpr int kLongestAnswer = 1 << 20;  // tokens

}  // namespace

ChatPanel::ChatPanel(AppModel& app, ChatModel& chat, DocumentViewModel& document, QWidget* parent)
    : QWidget(parent),
      m_app(app),
      m_chat(chat),
      m_document(document),
      m_scroll(new QScrollArea(this)),
      m_suggestions(new QWidget(this)),
      m_questionLabel(new QLabel(tr("&Question"), this)),
      m_question(new QPlainTextEdit(this)),
      m_ask(new QPushButton(tr("As&k"), this)),
      m_stop(new QPushButton(tr("&Stop"), this)) {
  auto* turns = new QWidget(m_scroll);
  m_turnLayout = new QVBoxLayout(turns);
  m_turnLayout->addStretch(1);
  m_scroll->setWidget(turns);
  m_scroll->setWidgetResizable(true);
  m_scroll->setFrameShape(QFrame::NoFrame);
  m_scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  m_question->setObjectName(QStringLiteral("question"));
  m_question->setAccessibleName(tr("Question"));
  m_question->setPlaceholderText(tr("Ask about the document (Ctrl+Enter)"));
  m_question->setTabChangesFocus(true);
  m_question->setAcceptDrops(false);  // files go to the window
  m_question->setFixedHeight(m_question->fontMetrics().lineSpacing() * kQuestionLines + 12);
  m_questionLabel->setBuddy(m_question);
  m_ask->setObjectName(QStringLiteral("ask"));
  m_stop->setObjectName(QStringLiteral("stop"));
  m_ask->setToolTip(tr("Ask (Ctrl+Enter)"));
  m_stop->setToolTip(tr("Stop reading or answering (Esc); what has been read stays."));
  new QVBoxLayout(m_suggestions);
  m_suggestions->layout()->setContentsMargins(0, 0, 0, 0);
  m_suggestions->layout()->setSpacing(3);
  auto* suggested = new QLabel(tr("Questions that this text answers:"), m_suggestions);
  setMuted(suggested);
  m_suggestions->layout()->addWidget(suggested);

  auto* buttons = new QHBoxLayout;
  buttons->addWidget(makeAnswerOptions(), 1);
  buttons->addWidget(m_stop);
  buttons->addWidget(m_ask);
  auto* layout = new QVBoxLayout(this);
  layout->addWidget(m_scroll, 1);
  layout->addWidget(m_suggestions);
  layout->addWidget(m_questionLabel);
  layout->addWidget(m_question);
  layout->addLayout(buttons);

  connect(m_ask, &QPushButton::clicked, this, &ChatPanel::askWrittenQuestion);
  connect(m_stop, &QPushButton::clicked, &m_chat, &ChatModel::stop);
  connect(m_question, &QPlainTextEdit::textChanged, this, &ChatPanel::countQuestion);
  connect(&m_app, &AppModel::modelChanged, this, &ChatPanel::countQuestion);
  connect(&m_app, &AppModel::busyChanged, this, &ChatPanel::showBusy);
  connect(&m_app, &AppModel::documentChanged, this, &ChatPanel::showBusy);
  connect(&m_chat, &ChatModel::rowsInserted, this,
          [this](const QModelIndex&, int first, int last) { addTurns(first, last); });
  connect(&m_chat, &ChatModel::dataChanged, this,
          [this](const QModelIndex& first, const QModelIndex& last) {
            updateTurns(first.row(), last.row());
          });
  connect(&m_chat, &ChatModel::modelReset, this, &ChatPanel::resetTurns);
  QScrollBar* bar = m_scroll->verticalScrollBar();
  connect(bar, &QScrollBar::rangeChanged, this, [this, bar](int, int maximum) {
    if (m_followEnd) bar->setValue(maximum);
  });
  connect(bar, &QScrollBar::valueChanged, this,
          [this, bar](int value) { m_followEnd = value == bar->maximum(); });
  resetTurns();
  showBusy();
}

QWidget* ChatPanel::makeAnswerOptions() {
  auto* options = new QWidget(this);
  auto* length = new QSpinBox(options);
  length->setRange(1, kLongestAnswer);
  length->setValue(static_cast<int>(m_app.answerTokens()));
  length->setSuffix(tr(" tokens"));
  length->setKeyboardTracking(false);
  length->setToolTip(tr("Room reserved for the answer."));
  length->setObjectName(QStringLiteral("answerTokens"));
  auto* label = new QLabel(tr("A&nswer"), options);
  label->setBuddy(length);
  auto* sampling = new QToolButton(options);
  sampling->setText(tr("Sampling"));
  sampling->setPopupMode(QToolButton::InstantPopup);
  sampling->setMenu(makeSamplingMenu());
  auto* row = new QHBoxLayout(options);
  row->setContentsMargins(0, 0, 0, 0);
  row->addWidget(label);
  row->addWidget(length);
  row->addWidget(sampling);
  row->addStretch(1);
  connect(length, &QSpinBox::valueChanged, this,
          [this](int tokens) { m_app.setAnswerTokens(tokens); });
  connect(&m_app, &AppModel::ledgerChanged, length,
          [this, length] { length->setValue(static_cast<int>(m_app.answerTokens())); });
  return options;
}

QMenu* ChatPanel::makeSamplingMenu() {
  auto* menu = new QMenu(this);
  auto* content = new QWidget(menu);
  auto* form = new QFormLayout(content);
  auto* temperature = new QDoubleSpinBox(content);
  temperature->setRange(0.0, 10.0);
  temperature->setSingleStep(0.1);
  temperature->setSpecialValueText(tr("0 (greedy)"));
  auto* topP = new QDoubleSpinBox(content);
  topP->setRange(0.01, 1.0);
  topP->setSingleStep(0.05);
  topP->setValue(1.0);
  auto* topK = new QSpinBox(content);
  topK->setRange(0, std::numeric_limits<int>::max());
  topK->setSpecialValueText(tr("off"));
  auto* seed = new QSpinBox(content);
  seed->setRange(0, std::numeric_limits<int>::max());
  form->addRow(tr("&Temperature"), temperature);
  form->addRow(tr("Top-&p"), topP);
  form->addRow(tr("Top-&k"), topK);
  form->addRow(tr("&Seed"), seed);
  const auto change = [this, temperature, topP, topK, seed] {
    GenerationConfig config = m_chat.generation();
    config.temperature = temperature->value();
    config.topP = topP->value();
    config.topK = topK->value();
    config.seed = static_cast<std::uint64_t>(seed->value());
    m_chat.setGeneration(config);
  };
  connect(temperature, &QDoubleSpinBox::valueChanged, this, change);
  connect(topP, &QDoubleSpinBox::valueChanged, this, change);
  connect(topK, &QSpinBox::valueChanged, this, change);
  connect(seed, &QSpinBox::valueChanged, this, change);
  auto* action = new QWidgetAction(menu);
  action->setDefaultWidget(content);
  menu->addAction(action);
  return menu;
}

void ChatPanel::setSuggestions(const QStringList& questions) {
  const auto old = m_suggestions->findChildren<QPushButton*>();
  qDeleteAll(old);
  for (const QString& question : questions) {
    auto* chip = new QPushButton(question, m_suggestions);
    chip->setToolTip(tr("Ask this"));
    chip->setAutoDefault(false);
    m_suggestions->layout()->addWidget(chip);
    connect(chip, &QPushButton::clicked, this, [this, question] { m_chat.ask(question); });
  }
  m_suggestions->setVisible(!questions.isEmpty());
}

void ChatPanel::askWrittenQuestion() {
  const QString question = m_question->toPlainText().trimmed();
  if (question.isEmpty()) return;
  m_followEnd = true;
  m_chat.ask(question);
  // A refused question stays, to be asked again when the cure is applied.
  if (m_chat.turns().back().state != ChatTurn::State::Failed) m_question->clear();
}

void ChatPanel::addTurns(int first, int last) {
  for (int row = first; row <= last; ++row) {
    auto* view = new TurnView(m_scroll->widget());
    m_turnLayout->insertWidget(m_turnLayout->count() - 1, view);
    m_turns.push_back(view);
    view->show(m_chat.index(row));
    connect(&view->answer(), &AnswerView::spanSelected, this,
            [this, id = m_chat.turns()[static_cast<std::size_t>(row)].id](
                const CharacterRange& characters) { Q_EMIT answerSelected(id, characters); });
  }
}

void ChatPanel::shadeAnswer(quint64 turn, const std::shared_ptr<const TextShades>& shades) {
  for (std::size_t row = 0; row < m_turns.size() && row < m_chat.turns().size(); ++row) {
    const bool chosen = m_chat.turns()[row].id == turn;
    m_turns[row]->answer().setShades(chosen ? shades : nullptr);
  }
}

void ChatPanel::updateTurns(int first, int last) {
  for (int row = first; row <= last && row < static_cast<int>(m_turns.size()); ++row) {
    m_turns[static_cast<std::size_t>(row)]->show(m_chat.index(row));
  }
}

void ChatPanel::resetTurns() {
  qDeleteAll(m_turns);
  m_turns.clear();
  if (m_chat.rowCount() > 0) addTurns(0, m_chat.rowCount() - 1);
}

void ChatPanel::showBusy() {
  m_stop->setEnabled(m_app.isAnswering());
  m_ask->setEnabled(m_app.engine() && m_app.document() &&
                    !m_question->toPlainText().trimmed().isEmpty());
}

void ChatPanel::countQuestion() {
  m_document.setQuestionTokens(m_chat.questionTokens(m_question->toPlainText()));
  showBusy();
}

}  // namespace ropescope::ui
