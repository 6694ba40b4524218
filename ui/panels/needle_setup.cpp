#include "ui/panels/needle_setup.h"

#include <QComboBox>
#include <QFormLayout>
#include <QLineEdit>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QTabWidget>
#include <QVBoxLayout>
#include <limits>

#include "ui/panels/curve_list_editor.h"
#include "ui/viewmodels/needle_view_model.h"

namespace ropescope::ui {
namespace {

constexpr int kMostTrials = 100;

struct Kind {
  NeedleKind kind;
  PasskeyRecipe recipe;
  QString title;
};

std::vector<Kind> kinds() {
  return {
      {NeedleKind::PassKey, PasskeyRecipe::Bookworm, QObject::tr("Pass key in the open document")},
      {NeedleKind::PassKey, PasskeyRecipe::Yarn, QObject::tr("Pass key, YaRN's prompt")},
      {NeedleKind::PassKey, PasskeyRecipe::Pi, QObject::tr("Pass key, PI's prompt")},
      {NeedleKind::PassKey, PasskeyRecipe::LongRope, QObject::tr("Pass key, LongRoPE's prompt")},
      {NeedleKind::Sentence, PasskeyRecipe::Bookworm,
       QObject::tr("My own sentence in the open document")},
      {NeedleKind::Facts, PasskeyRecipe::Bookworm,
       QObject::tr("Planted facts in the open document")}};
}

}  // namespace

NeedleSetup::NeedleSetup(NeedleViewModel& model, QWidget* parent)
    : QWidget(parent),
      m_model(model),
      m_kind(new QComboBox(this)),
      m_sentence(new QLineEdit(this)),
      m_question(new QLineEdit(this)),
      m_answer(new QLineEdit(this)),
      m_lengths(new QLineEdit(this)),
      m_depths(new QLineEdit(this)),
      m_trials(new QSpinBox(this)),
      m_seed(new QSpinBox(this)) {
  auto* tabs = new QTabWidget(this);
  tabs->addTab(makeQuestion(), tr("&Needle"));
  tabs->addTab(new CurveListEditor(m_model.curves(), this), tr("&Settings compared"));
  auto* layout = new QVBoxLayout(this);
  layout->addWidget(tabs);
  connect(&m_model, &NeedleViewModel::inputsChanged, this, &NeedleSetup::showInputs);
  showInputs();
}

QWidget* NeedleSetup::makeQuestion() {
  auto* page = new QWidget(this);
  for (const Kind& kind : kinds()) m_kind->addItem(kind.title);
  m_kind->setObjectName(QStringLiteral("needleKind"));
  m_lengths->setToolTip(
      tr("Tokens of a whole prompt; empty: from half the trained length on, as "
         "far as the document reaches"));
  m_depths->setToolTip(tr("Percent of the text before the needle; empty: 0, 25, 50, 75, 100"));
  m_trials->setRange(1, kMostTrials);
  m_trials->setKeyboardTracking(false);
  m_trials->setToolTip(tr("Prompts for every cell: more make the interval narrower"));
  m_seed->setRange(0, std::numeric_limits<int>::max());
  m_seed->setKeyboardTracking(false);
  m_seed->setToolTip(tr("Another seed hides other keys and facts"));
  connect(m_kind, &QComboBox::activated, this, &NeedleSetup::edit);
  for (QLineEdit* field : {m_sentence, m_question, m_answer}) {
    connect(field, &QLineEdit::editingFinished, this, &NeedleSetup::edit);
  }
  connect(m_trials, &QSpinBox::valueChanged, this, &NeedleSetup::edit);
  connect(m_seed, &QSpinBox::valueChanged, this, &NeedleSetup::edit);
  connect(m_lengths, &QLineEdit::editingFinished, this,
          [this] { m_model.editLengths(m_lengths->text()); });
  connect(m_depths, &QLineEdit::editingFinished, this,
          [this] { m_model.editDepths(m_depths->text()); });
  auto* form = new QFormLayout(page);
  form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
  form->addRow(tr("&Hide"), m_kind);
  form->addRow(tr("Se&ntence"), m_sentence);
  form->addRow(tr("&Question"), m_question);
  form->addRow(tr("&Answer wanted"), m_answer);
  form->addRow(tr("&Lengths"), m_lengths);
  form->addRow(tr("&Depths [%]"), m_depths);
  form->addRow(tr("&Trials per cell"), m_trials);
  form->addRow(tr("S&eed"), m_seed);
  return page;
}

void NeedleSetup::edit() {
  NeedlePlan plan = m_model.plan();
  const Kind kind = kinds()[static_cast<std::size_t>(std::max(0, m_kind->currentIndex()))];
  plan.kind = kind.kind;
  plan.recipe = kind.recipe;
  plan.sentence = m_sentence->text().trimmed().toStdString();
  plan.question = m_question->text().trimmed().toStdString();
  plan.answer = m_answer->text().trimmed().toStdString();
  plan.trials = m_trials->value();
  plan.seed = static_cast<std::uint64_t>(m_seed->value());
  m_model.editPlan(plan);
}

void NeedleSetup::showInputs() {
  const NeedlePlan& plan = m_model.plan();
  const auto all = kinds();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool same = all[i].kind == plan.kind &&
                      (plan.kind != NeedleKind::PassKey || all[i].recipe == plan.recipe);
    if (same) m_kind->setCurrentIndex(static_cast<int>(i));
  }
  const QSignalBlocker quietTrials(m_trials);
  const QSignalBlocker quietSeed(m_seed);
  m_trials->setValue(static_cast<int>(plan.trials));
  m_seed->setValue(static_cast<int>(plan.seed));
  m_sentence->setText(QString::fromStdString(plan.sentence));
  m_question->setText(QString::fromStdString(plan.question));
  m_answer->setText(QString::fromStdString(plan.answer));
  for (QLineEdit* field : {m_sentence, m_question, m_answer}) {
    field->setEnabled(plan.kind == NeedleKind::Sentence);
  }
  m_lengths->setText(m_model.lengthsText());
  m_depths->setText(m_model.depthsText());
}

}  // namespace ropescope::ui
