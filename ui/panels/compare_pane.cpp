#include "ui/panels/compare_pane.h"

#include <QEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QLocale>
#include <QMenu>
#include <QScrollBar>
#include <QStyleOptionComboBox>
#include <QStylePainter>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

#include "ui/panels/panel_text.h"
#include "ui/plots/plot_style.h"

namespace ropescope::ui {
namespace {

constexpr double kSurest = 0.0;     // nats
constexpr double kUnlikely = -6.0;  // and below: the full shade; a probability of 0.25 %

// Two panes beside each other leave less than a long name takes: it ends in "…", not in half a
// letter. The title below and the tool tip say all of it.
class ElidedBox : public QComboBox {
 public:
  using QComboBox::QComboBox;

 protected:
  void paintEvent(QPaintEvent*) override {
    QStylePainter painter(this);
    QStyleOptionComboBox option;
    initStyleOption(&option);
    const QRect field =
        style()->subControlRect(QStyle::CC_ComboBox, &option, QStyle::SC_ComboBoxEditField, this);
    option.currentText =
        fontMetrics().elidedText(option.currentText, Qt::ElideRight, field.width() - 2);
    painter.drawComplexControl(QStyle::CC_ComboBox, option);
    painter.drawControl(QStyle::CE_ComboBoxLabel, option);
  }
};

}  // namespace

ComparePane::ComparePane(AppModel& app, CompareModel& model, int index, QWidget* parent)
    : QFrame(parent),
      m_app(app),
      m_model(model),
      m_index(index),
      m_methods(new MethodListModel(this)),
      m_use(new QToolButton(this)),
      m_method(new ElidedBox(this)),
      m_factor(new QLineEdit(this)),
      m_calibration(new QToolButton(this)),
      m_title(wrappedLabel(this)),
      m_text(new QTextEdit(this)),
      m_problem(wrappedLabel(this)),
      m_detail(wrappedLabel(this)) {
  setFrameShape(QFrame::StyledPanel);
  buildChooser();
  m_text->setReadOnly(true);
  m_text->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
  m_text->setAccessibleName(tr("Answer %1").arg(index + 1));
  m_text->setTabChangesFocus(true);
  m_text->setFrameShape(QFrame::NoFrame);
  m_text->setMinimumHeight(40);
  setBold(m_title);
  setMuted(m_detail);
  auto* chooser = new QHBoxLayout;
  chooser->setSpacing(3);
  chooser->addWidget(m_use);
  chooser->addWidget(m_method, 1);
  chooser->addWidget(m_factor);
  chooser->addWidget(m_calibration);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(4, 4, 4, 4);
  layout->setSpacing(3);
  layout->addLayout(chooser);
  layout->addWidget(m_title);
  layout->addWidget(m_text, 1);
  layout->addWidget(m_problem);
  layout->addWidget(m_detail);
  connectChooser();
  refresh();
}

void ComparePane::buildChooser() {
  m_use->setText(QString::number(m_index + 1));
  m_use->setCheckable(true);
  m_use->setToolTip(tr("Put the whole window under these settings (Ctrl+%1)").arg(m_index + 1));
  m_use->setAccessibleName(tr("Use settings %1").arg(m_index + 1));
  m_method->setModel(m_methods);
  m_method->setMinimumContentsLength(6);
  m_method->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  m_method->setAccessibleName(tr("Method of settings %1").arg(m_index + 1));
  m_factor->setFixedWidth(m_factor->fontMetrics().horizontalAdvance(QStringLiteral("× 16.0")) + 12);
  m_factor->setAccessibleName(tr("Factor of settings %1").arg(m_index + 1));
  m_factor->setToolTip(tr("How much the angles are stretched; empty: what the document needs"));
  m_calibration->setText(tr("PSC"));
  m_calibration->setCheckable(true);
  m_calibration->setAccessibleName(tr("Calibration of settings %1").arg(m_index + 1));
}

void ComparePane::connectChooser() {
  connect(m_use, &QToolButton::clicked, this, [this] {
    m_app.activateSlot(m_index);
    showSlot();
  });
  connect(m_method, &QComboBox::activated, this, &ComparePane::applyMethod);
  connect(m_factor, &QLineEdit::editingFinished, this, &ComparePane::applyFactor);
  connect(m_calibration, &QToolButton::clicked, this, &ComparePane::chooseCalibration);
  QScrollBar* bar = m_text->verticalScrollBar();
  connect(bar, &QScrollBar::valueChanged, this, [this, bar](int value) {
    if (bar->maximum() > 0) Q_EMIT scrolled(static_cast<double>(value) / bar->maximum());
  });
}

void ComparePane::refresh() {
  showSlot();
  showAnswer();
}

void ComparePane::setMarks(CompareMarks marks) {
  if (marks == m_marks) return;
  m_marks = marks;
  showAnswer();
}

void ComparePane::changeEvent(QEvent* event) {
  QFrame::changeEvent(event);
  if (event->type() == QEvent::PaletteChange) showAnswer();
}

void ComparePane::showSlot() {
  const MethodSlot& slot = m_app.slot(m_index);
  const MethodSettings& settings = slot.settings();
  const bool loaded = m_app.engine() != nullptr;
  for (QWidget* control :
       std::initializer_list<QWidget*>{m_use, m_method, m_factor, m_calibration}) {
    control->setEnabled(loaded);
  }
  m_use->setChecked(m_app.activeSlot() == m_index);
  if (loaded) {
    const std::int64_t context =
        settings.contextTokens > 0 ? settings.contextTokens : m_app.automaticContext();
    m_methods->refresh(*m_app.engine(), context, settings.rope);
  }
  m_method->setCurrentIndex(m_methods->rowOf(settings.rope.id));
  m_method->setToolTip(m_method->currentText());
  const auto method = rope::findMethod(settings.rope.id);
  m_factor->setEnabled(loaded && method && method->info().takesFactor);
  if (!m_factor->hasFocus()) {
    m_factor->setText(settings.rope.factor ? QLocale().toString(*settings.rope.factor) : QString());
  }
  m_factor->setPlaceholderText(
      slot.session.plan ? QStringLiteral("× %1").arg(slot.session.plan->context.factor, 0, 'g', 3)
                        : tr("auto"));
  const bool calibrated = !settings.calibrationFile.empty();
  m_calibration->setChecked(calibrated);
  m_calibration->setToolTip(
      calibrated
          ? tr("Calibration: %1. Click to take it away.")
                .arg(
                    QFileInfo(QString::fromStdString(settings.calibrationFile.string())).fileName())
          : tr("Choose a calibration file (PSC, safetensors)"));
}

void ComparePane::showAnswer() {
  const QModelIndex at = m_model.index(m_index);
  m_title->setText(at.data().toString());
  QScrollBar* bar = m_text->verticalScrollBar();
  const int before = bar->value();
  {
    const QSignalBlocker quiet(bar);
    m_text->clear();
    QTextCursor cursor(m_text->document());
    for (const ComparedToken& token : m_model.tokens(m_index)) {
      // Line breaks before the first word would push the answer out of sight.
      if (m_text->document()->isEmpty() && token.text.trimmed().isEmpty()) continue;
      cursor.insertText(token.text, formatOf(token));
    }
    bar->setValue(before);
  }
  const QString problem = at.data(CompareModel::ProblemRole).toString();
  const QString detail = at.data(CompareModel::DetailRole).toString();
  m_problem->setText(problem);
  m_problem->setVisible(!problem.isEmpty());
  m_text->setVisible(problem.isEmpty() || m_model.hasAnswer(m_index));
  setWarning(m_problem, !problem.isEmpty());
  m_detail->setText(detail);
  m_detail->setVisible(!detail.isEmpty());
  m_text->setPlaceholderText(m_model.question().isEmpty()
                                 ? tr("Ask above: all four answer the same question.")
                                 : QString());
}

QTextCharFormat ComparePane::formatOf(const ComparedToken& token) const {
  QTextCharFormat format;
  const double probability = std::exp(token.logProbability);
  format.setToolTip(tr("token %1\nlog-probability %2 nats (%3 %)")
                        .arg(token.id)
                        .arg(QLocale().toString(token.logProbability, 'f', 3),
                             QLocale().toString(probability * 100.0, 'f', 1)));
  if (m_marks == CompareMarks::Probability) {
    const double share =
        std::clamp((kSurest - token.logProbability) / (kSurest - kUnlikely), 0.0, 1.0);
    format.setBackground(amountTint(themeOf(palette()), share));
  } else if (token.differs) {
    format.setFontUnderline(true);  // not by colour alone
    format.setFontWeight(QFont::DemiBold);
    format.setBackground(amountTint(themeOf(palette()), 0.6));
  }
  return format;
}

void ComparePane::applyMethod() {
  MethodSettings settings = m_app.slot(m_index).settings();
  const std::string id = m_method->currentData(MethodListModel::IdRole).toString().toStdString();
  if (id == settings.rope.id) return;
  const auto& config = m_app.engine()->config().rope;
  settings.rope = config.id == id ? config : rope::MethodChoice{.id = id};
  // A calibration belongs to the method that it was trained under.
  settings.calibrationFile.clear();
  put(settings);
}

void ComparePane::applyFactor() {
  MethodSettings settings = m_app.slot(m_index).settings();
  const QString text = m_factor->text().trimmed();
  bool isNumber = false;
  double factor = QLocale().toDouble(text, &isNumber);
  if (!isNumber) factor = text.toDouble(&isNumber);
  settings.rope.factor.reset();
  // Not a number: the core's own check names it and says what is wanted.
  if (!text.isEmpty()) settings.rope.factor = isNumber ? factor : std::nan("");
  if (settings.rope.factor != m_app.slot(m_index).settings().rope.factor) put(settings);
}

void ComparePane::chooseCalibration() {
  MethodSettings settings = m_app.slot(m_index).settings();
  if (!settings.calibrationFile.empty()) {
    settings.calibrationFile.clear();
    return put(settings);
  }
  const QString file = QFileDialog::getOpenFileName(
      this, tr("Choose a calibration"), {}, tr("Safetensors (*.safetensors);;All files (*)"));
  if (file.isEmpty()) return showSlot();
  settings.calibrationFile = file.toStdString();
  put(settings);
}

void ComparePane::put(const MethodSettings& settings) {
  m_app.setSlot(m_index, settings);
}

}  // namespace ropescope::ui
