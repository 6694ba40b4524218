#include "ui/panels/perplexity_setup.h"

#include <QComboBox>
#include <QFileDialog>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QPushButton>
#include <QSignalBlocker>
#include <QTabWidget>
#include <QVBoxLayout>

#include "ui/panels/curve_list_editor.h"
#include "ui/panels/panel_text.h"
#include "ui/text/error_text.h"
#include "ui/viewmodels/perplexity_view_model.h"

namespace ropescope::ui {

PerplexitySetup::PerplexitySetup(PerplexityViewModel& model, const std::filesystem::path& published,
                                 QWidget* parent)
    : QWidget(parent),
      m_model(model),
      m_protocol(new QComboBox(this)),
      m_stride(new QLineEdit(this)),
      m_lengths(new QLineEdit(this)),
      m_documents(new QListWidget(this)),
      m_removeBook(new QPushButton(tr("&Remove"), this)),
      m_protocolText(wrappedLabel(this)),
      m_publishedList(new QListWidget(this)) {
  auto* tabs = new QTabWidget(this);
  tabs->addTab(makeCurves(), tr("&Curves"));
  tabs->addTab(makeProtocol(), tr("&Documents and protocol"));
  tabs->addTab(makePublished(), tr("&Published"));
  auto* layout = new QVBoxLayout(this);
  layout->addWidget(tabs);
  readPublished(published);
  connect(&m_model, &PerplexityViewModel::inputsChanged, this, &PerplexitySetup::showInputs);
  showInputs();
}

QWidget* PerplexitySetup::makeCurves() {
  return new CurveListEditor(m_model.inputs().curves(), this);
}

QWidget* PerplexitySetup::makeProtocol() {
  auto* page = new QWidget(this);
  for (const Protocol protocol : kProtocols) {
    m_protocol->addItem(protocolTitle(protocol), static_cast<int>(protocol));
  }
  m_protocol->setObjectName(QStringLiteral("protocol"));
  m_stride->setObjectName(QStringLiteral("stride"));
  m_lengths->setObjectName(QStringLiteral("lengths"));
  m_stride->setToolTip(
      tr("Tokens that every sliding window goes on; empty: 256, or half of the "
         "shortest window"));
  m_lengths->setToolTip(tr("Context lengths in tokens; empty: up to the shortest document's"));
  m_documents->setAccessibleName(tr("Documents"));
  auto* add = new QPushButton(tr("&Add books …"), page);
  add->setToolTip(tr("More texts: standard errors are over documents"));
  connect(add, &QPushButton::clicked, this, &PerplexitySetup::browseBooks);
  connect(m_removeBook, &QPushButton::clicked, this, [this] {
    const auto books = static_cast<int>(m_model.inputs().books().size());
    m_model.inputs().removeBook(m_documents->currentRow() - (m_documents->count() - books));
  });
  connect(m_documents, &QListWidget::currentRowChanged, this, [this](int row) {
    const auto books = static_cast<int>(m_model.inputs().books().size());
    m_removeBook->setEnabled(row >= m_documents->count() - books && row >= 0);
  });
  connect(m_protocol, &QComboBox::activated, this, [this] {
    m_model.inputs().setProtocol(static_cast<Protocol>(m_protocol->currentData().toInt()));
  });
  connect(m_stride, &QLineEdit::editingFinished, this,
          [this] { m_model.inputs().editStride(m_stride->text()); });
  connect(m_lengths, &QLineEdit::editingFinished, this,
          [this] { m_model.inputs().editLengths(m_lengths->text()); });
  auto* buttons = new QHBoxLayout;
  buttons->addWidget(add);
  buttons->addWidget(m_removeBook);
  buttons->addStretch(1);
  auto* form = new QFormLayout(page);
  form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
  form->addRow(tr("Doc&uments"), m_documents);
  form->addRow(QString(), buttons);
  form->addRow(tr("P&rotocol"), m_protocol);
  form->addRow(tr("&Stride"), m_stride);
  form->addRow(tr("&Lengths"), m_lengths);
  form->addRow(QString(), m_protocolText);
  return page;
}

QWidget* PerplexitySetup::makePublished() {
  auto* page = new QWidget(this);
  auto* note = wrappedLabel(page);
  note->setText(
      tr("Numbers of others, of other models and texts, laid over your own as dotted "
         "lines with hollow marks. Read their shapes."));
  setMuted(note);
  auto* filter = new QLineEdit(page);
  filter->setPlaceholderText(tr("Filter, for example: yarn 64k"));
  filter->setAccessibleName(tr("Filter of published curves"));
  filter->setClearButtonEnabled(true);
  m_publishedList->setObjectName(QStringLiteral("published"));
  m_publishedList->setAccessibleName(tr("Published curves"));
  auto* import = new QPushButton(tr("&Import wide CSV …"), page);
  import->setToolTip(tr("Lengths across, one model a row, as in the data of the YaRN repository"));
  connect(filter, &QLineEdit::textChanged, this, &PerplexitySetup::filterPublished);
  connect(import, &QPushButton::clicked, this, &PerplexitySetup::browseWideCsv);
  connect(m_publishedList, &QListWidget::itemChanged, this, &PerplexitySetup::passPublished);
  auto* row = new QHBoxLayout;
  row->addWidget(filter, 1);
  row->addWidget(import);
  auto* layout = new QVBoxLayout(page);
  layout->addWidget(note);
  layout->addLayout(row);
  layout->addWidget(m_publishedList, 1);
  return page;
}

void PerplexitySetup::readPublished(const std::filesystem::path& folder) {
  const auto curves = readPublishedFolder(folder);
  if (!curves) {
    auto* problem = new QListWidgetItem(errorSentence(curves.error()), m_publishedList);
    problem->setFlags(Qt::NoItemFlags);
    return;
  }
  for (const PublishedCurve& curve : *curves) addPublished(curve, Qt::Unchecked);
}

void PerplexitySetup::addPublished(const PublishedCurve& curve, Qt::CheckState state) {
  const QSignalBlocker quiet(m_publishedList);
  m_published.push_back(curve);
  auto* item = new QListWidgetItem(
      tr("%1 (%2; %3)")
          .arg(QString::fromStdString(curve.name), QString::fromStdString(curve.dataset),
               QString::fromStdString(publishedProtocolText(curve))),
      m_publishedList);
  item->setFlags(Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsUserCheckable);
  item->setCheckState(state);
  item->setData(Qt::UserRole, static_cast<int>(m_published.size()) - 1);
  item->setToolTip(QStringLiteral("%1\n%2\n%3")
                       .arg(QString::fromStdString(curve.model),
                            QString::fromStdString(curve.source),
                            QString::fromStdString(curve.note)));
}

void PerplexitySetup::showPublished(const QString& name, bool shown) {
  for (int row = 0; row < m_publishedList->count(); ++row) {
    QListWidgetItem* item = m_publishedList->item(row);
    const QVariant index = item->data(Qt::UserRole);
    if (!index.isValid()) continue;
    const PublishedCurve& curve = m_published[static_cast<std::size_t>(index.toInt())];
    if (name.toStdString() == curve.name) item->setCheckState(shown ? Qt::Checked : Qt::Unchecked);
  }
}

Status PerplexitySetup::importWideCsv(const QString& path) {
  const auto curves = findPublished({}, path.toStdString());
  if (!curves) return curves.error();
  for (const PublishedCurve& curve : *curves) addPublished(curve, Qt::Checked);
  passPublished();
  m_publishedList->scrollToBottom();
  return Done{};
}

void PerplexitySetup::browseWideCsv() {
  const QString path =
      QFileDialog::getOpenFileName(this, tr("Import a wide CSV"), {}, tr("CSV files (*.csv)"));
  if (path.isEmpty()) return;
  if (const Status read = importWideCsv(path); !read) {
    Q_EMIT errorOccurred(errorSentence(read.error()));
  }
}

void PerplexitySetup::browseBooks() {
  const QStringList paths = QFileDialog::getOpenFileNames(
      this, tr("Add books"), {}, tr("Text (*.txt *.md *.rst);;All files (*)"));
  if (!paths.isEmpty()) Q_EMIT booksWanted(paths);
}

// Every word must stand somewhere in the line.
void PerplexitySetup::filterPublished(const QString& words) {
  const QStringList wanted = words.split(u' ', Qt::SkipEmptyParts);
  for (int row = 0; row < m_publishedList->count(); ++row) {
    QListWidgetItem* item = m_publishedList->item(row);
    const bool fits = std::all_of(wanted.begin(), wanted.end(), [item](const QString& word) {
      return item->text().contains(word, Qt::CaseInsensitive) ||
             item->toolTip().contains(word, Qt::CaseInsensitive);
    });
    item->setHidden(!fits);
  }
}

void PerplexitySetup::passPublished() {
  std::vector<PublishedCurve> chosen;
  for (int row = 0; row < m_publishedList->count(); ++row) {
    const QListWidgetItem* item = m_publishedList->item(row);
    if (item->checkState() != Qt::Checked) continue;
    chosen.push_back(m_published[static_cast<std::size_t>(item->data(Qt::UserRole).toInt())]);
  }
  m_model.showPublished(std::move(chosen));
}

void PerplexitySetup::showInputs() {
  const PerplexityInputs& inputs = m_model.inputs();
  m_protocol->setCurrentIndex(m_protocol->findData(static_cast<int>(inputs.protocol())));
  m_stride->setEnabled(inputs.protocol() == Protocol::Sliding);
  m_stride->setText(inputs.strideText());
  m_stride->setPlaceholderText(inputs.defaultStride());
  m_lengths->setText(inputs.lengthsText());
  m_lengths->setCursorPosition(0);
  m_documents->clear();
  m_documents->addItems(inputs.documentNames());
  m_removeBook->setEnabled(false);
  m_protocolText->setText(QString::fromStdString(protocolText(inputs.config(), inputs.addsBos())));
}

}  // namespace ropescope::ui
