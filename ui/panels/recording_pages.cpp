#include "ui/panels/recording_pages.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollBar>
#include <QSplitter>
#include <QTextBrowser>
#include <algorithm>
#include <cmath>

#include "ui/panels/panel_text.h"
#include "ui/text/curve_title.h"
#include "ui/text/number_text.h"

namespace ropescope::ui {
namespace {

using experiment::RecordedAnswer;
using Kind = RecordingStep::Kind;

QVBoxLayout* columnOf(QWidget* page) {
  auto* layout = new QVBoxLayout(page);
  layout->setContentsMargins(6, 6, 6, 6);
  layout->setSpacing(6);
  return layout;
}

QString paragraph(const QString& html) {
  return QStringLiteral("<p style=\"margin-top:6px; margin-bottom:0px\">%1</p>").arg(html);
}

// One answer as it stands; a block shows where it goes on.
QString answerHtml(const experiment::Experiment& recorded, const RecordingStep& step, int shown) {
  const RecordedAnswer& answer = recorded.results[step.setting].answers[step.index];
  QString text = answerText(answer, shown).trimmed().toHtmlEscaped();
  text.replace(u'\n', QStringLiteral("<br>"));
  const bool whole = shown >= step.parts;
  if (!whole) text += QStringLiteral(" ▌");
  const QString question =
      QString::fromStdString(recorded.plan.questions[step.index]).toHtmlEscaped();
  return paragraph(QStringLiteral("<b>%1</b>").arg(question)) + paragraph(text);
}

QString endText(const RecordedAnswer& answer) {
  double sum = 0.0;
  for (const GeneratedToken& token : answer.tokens) sum += token.logProbability;
  const auto tokens = static_cast<std::int64_t>(answer.tokens.size());
  if (tokens == 0) return RecordedAnswersPage::tr("The answer has no tokens.");
  QString text = RecordedAnswersPage::tr("%1 tokens, mean log-probability %2 nats")
                     .arg(tokensText(tokens))
                     .arg(QLocale().toString(sum / static_cast<double>(tokens), 'g', 3));
  if (answer.seconds >= 0.05) {
    text += RecordedAnswersPage::tr(", written in %1").arg(secondsText(answer.seconds));
  }
  return text;
}

}  // namespace

RecordedTextPage::RecordedTextPage(QWidget* parent)
    : QWidget(parent),
      m_name(wrappedLabel(this)),
      m_text(new QPlainTextEdit(this)) {
  setBold(m_name);
  m_text->setReadOnly(true);
  m_text->setAccessibleName(tr("Recorded document"));
  auto* layout = columnOf(this);
  layout->addWidget(m_name);
  layout->addWidget(m_text, 1);
}

void RecordedTextPage::show(const QString& name, const QString& text) {
  m_name->setText(name);
  m_text->setPlainText(text);
}

RecordedAnswersPage::RecordedAnswersPage(QWidget* parent)
    : QWidget(parent),
      m_answers(new QTextBrowser(this)),
      m_caption(wrappedLabel(this)),
      m_table(new PlotTableView(this)) {
  m_answers->setAccessibleName(tr("Recorded answers"));
  m_table->setAccessibleName(tr("Tokens of the newest answer"));
  setMuted(m_caption);
  auto* tokens = new QWidget(this);
  auto* below = new QVBoxLayout(tokens);
  below->setContentsMargins(0, 0, 0, 0);
  below->addWidget(m_caption);
  below->addWidget(m_table, 1);
  auto* splitter = new QSplitter(Qt::Vertical, this);
  splitter->addWidget(m_answers);
  splitter->addWidget(tokens);
  splitter->setStretchFactor(0, 3);
  splitter->setStretchFactor(1, 2);
  columnOf(this)->addWidget(splitter, 1);
}

QString RecordedAnswersPage::text() const {
  return m_answers->toPlainText();
}

void RecordedAnswersPage::show(const RecordingPlayer& player) {
  const experiment::Experiment& recorded = *player.experiment();
  QString html;
  const RecordedAnswer* newest = nullptr;
  const RecordingStep* step = nullptr;
  int shown = 0;
  std::size_t heading = recorded.results.size();  // setting whose heading stands last
  for (std::size_t i = 0; i <= player.current() && i < player.steps().size(); ++i) {
    const RecordingStep& each = player.steps()[i];
    if (each.kind != Kind::Answer) continue;
    if (each.setting != heading) {
      heading = each.setting;
      html += QStringLiteral("<h4 style=\"margin-bottom:0px\">%1</h4>")
                  .arg(settingTitle(recorded.plan.settings[heading]).toHtmlEscaped());
    }
    shown = player.shownParts(i);
    html += answerHtml(recorded, each, shown);
    newest = &recorded.results[each.setting].answers[each.index];
    step = &each;
  }
  if (html == m_shown) return;
  m_shown = html;
  m_answers->setHtml(html);
  m_answers->verticalScrollBar()->setValue(m_answers->verticalScrollBar()->maximum());
  if (newest == nullptr) {
    m_caption->clear();
    m_table->setTable({});
    return;
  }
  m_caption->setText(QStringLiteral("%1: %2").arg(step->title, endText(*newest)));
  m_table->setTable(tokenTable(*newest, shown));
  // While it is written the newest token counts; a whole answer is read from its beginning.
  shown < step->parts ? m_table->scrollToBottom() : m_table->scrollToTop();
}

PlotTable tokenTable(const RecordedAnswer& answer, int tokens) {
  TableColumn number{.title = QObject::tr("token")};
  TableColumn text{.title = QObject::tr("text")};
  TableColumn probability{.title = QObject::tr("probability")};
  TableColumn logarithm{.title = QObject::tr("log-probability [nats]")};
  const auto shown = std::min(answer.tokens.size(), static_cast<std::size_t>(std::max(0, tokens)));
  for (std::size_t i = 0; i < shown; ++i) {
    number.numbers.push_back(static_cast<double>(i));
    text.texts << tokenText(answer, i).replace(u' ', u'␣').replace(u'\n', u'⏎');
    probability.numbers.push_back(std::exp(answer.tokens[i].logProbability));
    logarithm.numbers.push_back(answer.tokens[i].logProbability);
  }
  return {{number, text, probability, logarithm}};
}

RunAgainPage::RunAgainPage(RunAgain& again, QWidget* parent)
    : QWidget(parent),
      m_again(again),
      m_start(new QPushButton(tr("&Run again"), this)),
      m_stop(new QPushButton(tr("Stop"), this)),
      m_text(wrappedLabel(this)),
      m_table(new PlotTableView(this)) {
  m_start->setObjectName(QStringLiteral("runAgain"));
  m_start->setToolTip(
      tr("Ask, measure and draw all of it once more with the loaded model, and "
         "compare with what was recorded"));
  m_stop->setToolTip(tr("Stop running it again"));
  m_table->setAccessibleName(tr("Differences"));
  auto* row = new QHBoxLayout;
  row->addWidget(m_start);
  row->addWidget(m_stop);
  row->addStretch(1);
  auto* layout = columnOf(this);
  layout->addLayout(row);
  layout->addWidget(m_text);
  layout->addWidget(m_table, 1);
  connect(m_start, &QPushButton::clicked, &m_again, &RunAgain::start);
  connect(m_stop, &QPushButton::clicked, &m_again, &RunAgain::stop);
  connect(&m_again, &RunAgain::changed, this, &RunAgainPage::showState);
  showState();
}

void RunAgainPage::showState() {
  m_start->setEnabled(m_again.canStart());
  m_stop->setEnabled(m_again.isRunning());
  m_text->setText(m_again.text().isEmpty()
                      ? tr("Needs the model that it was recorded with; the table then says for "
                           "every answer, loss and map whether it came out again.")
                      : m_again.text());
  m_table->setTable(m_again.differences().empty() ? PlotTable() : m_again.table());
}

}  // namespace ropescope::ui
