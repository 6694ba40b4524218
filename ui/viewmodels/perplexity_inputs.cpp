#include "ui/viewmodels/perplexity_inputs.h"

#include <QLocale>
#include <QRegularExpression>
#include <algorithm>

#include "core/eval/protocol_windows.h"

namespace ropescope::ui {
namespace {

constexpr std::int64_t kShortest = 256;   // tokens; below it one rare word moves the mean
constexpr std::int64_t kQuarters = 2048;  // from here on an octave takes long: four points, not two
constexpr double kLeastStep = 1.1;        // between the last two default lengths
constexpr std::int64_t kUsualStride = 256;  // as in YaRN's paper

QString lengthsWords(const std::vector<std::int64_t>& lengths) {
  QStringList words;
  for (const std::int64_t length : lengths) words << QString::number(length);
  return words.join(QStringLiteral(", "));
}

// Half of the shortest window where that is less than the usual one; as on the command line.
std::int64_t usualStride(const std::vector<std::int64_t>& lengths) {
  if (lengths.empty()) return kUsualStride;
  return std::min(kUsualStride, std::max<std::int64_t>(1, lengths.front() / 2));
}

// The longest one ends the list unless the step to it would be tiny.
std::vector<std::int64_t> endedBy(std::int64_t tokens, std::vector<std::int64_t> lengths) {
  if (lengths.empty()) return tokens >= 2 ? std::vector{tokens} : lengths;
  if (static_cast<double>(tokens) > kLeastStep * static_cast<double>(lengths.back())) {
    lengths.push_back(tokens);
  }
  return lengths;
}

}  // namespace

std::vector<std::int64_t> defaultLengths(std::int64_t tokens) {
  std::vector<std::int64_t> lengths;
  for (std::int64_t power = kShortest; power <= tokens; power *= 2) {
    const std::int64_t step = power / (power < kQuarters ? 2 : 4);
    for (std::int64_t length = power; length < 2 * power && length <= tokens; length += step) {
      lengths.push_back(length);
    }
  }
  return endedBy(tokens, std::move(lengths));
}

std::vector<std::int64_t> fewLengths(std::int64_t tokens) {
  std::vector<std::int64_t> lengths;
  for (std::int64_t power = kShortest; power <= tokens; power *= 2) lengths.push_back(power);
  return endedBy(tokens, std::move(lengths));
}

QString defaultCurves(double factor) {
  if (factor <= 1.0) return QStringLiteral("none");
  const QString text = QLocale::c().toString(factor, 'g', QLocale::FloatingPointShortest);
  return QStringLiteral("none;pi:factor=%1;yarn:factor=%1").arg(text);
}

Result<std::vector<std::int64_t>> parseLengths(const QString& text) {
  static const QRegularExpression kSeparator(QStringLiteral("[,;\\s]+"));
  std::vector<std::int64_t> lengths;
  for (const QString& word : text.split(kSeparator, Qt::SkipEmptyParts)) {
    bool isNumber = false;
    const qlonglong length = word.toLongLong(&isNumber);
    if (!isNumber) {
      return Error{ErrorCode::InvalidArgument,
                   "lengths: '" + word.toStdString() +
                       "' is no whole number of tokens; write for example 1024, 2048, 4096"};
    }
    lengths.push_back(length);
  }
  std::sort(lengths.begin(), lengths.end());
  lengths.erase(std::unique(lengths.begin(), lengths.end()), lengths.end());
  return lengths;
}

QString protocolTitle(Protocol protocol) {
  switch (protocol) {
    case Protocol::OnePass:
      return QObject::tr("one pass");
    case Protocol::Sliding:
      return QObject::tr("sliding windows (YaRN)");
    case Protocol::Truncate:
      return QObject::tr("truncated (YaRN)");
    case Protocol::LlamaCpp:
      return QObject::tr("chunks (llama.cpp)");
  }
  return {};
}

PerplexityInputs::PerplexityInputs(std::filesystem::path calibrations, QObject* parent)
    : QObject(parent),
      m_curves(std::move(calibrations)) {
  connect(&m_curves, &CurveListModel::edited, this, [this] {
    m_curvesEdited = true;
    Q_EMIT changed();
  });
  connect(&m_curves, &CurveListModel::defaultWanted, this, [this] { editCurves({}); });
  setDefaults();
}

void PerplexityInputs::setDocument(std::vector<std::int32_t> ids, const QString& name) {
  m_document = {.name = name, .path = {}, .ids = std::move(ids)};
  m_lengthsEdited = false;  // they belonged to the other document
  setDefaults();
}

void PerplexityInputs::setModel(std::int64_t trainedLength, bool addsBos, const std::string& hash) {
  m_trainedLength = trainedLength;
  m_addsBos = addsBos;
  m_curves.setModel(hash, m_factor);
  setDefaults();
}

void PerplexityInputs::setPlannedFactor(double factor) {
  if (factor == m_factor) return;
  m_factor = factor;
  m_curves.setFactor(factor);
  setDefaults();
}

void PerplexityInputs::addBook(MeasuredDocument book) {
  const bool known = std::any_of(m_books.begin(), m_books.end(),
                                 [&](const auto& each) { return each.path == book.path; });
  if (known) return;
  m_books.push_back(std::move(book));
  setDefaults();
}

void PerplexityInputs::removeBook(int index) {
  if (index < 0 || index >= static_cast<int>(m_books.size())) return;
  m_books.erase(m_books.begin() + index);
  setDefaults();
}

void PerplexityInputs::clearBooks() {
  if (m_books.empty()) return;
  m_books.clear();
  setDefaults();
}

// So that every default length has all documents: the shortest one's.
std::int64_t PerplexityInputs::defaultReach() const {
  std::optional<std::int64_t> shortest;
  const auto count = [&](const MeasuredDocument& document) {
    const auto tokens = static_cast<std::int64_t>(document.ids.size());
    const std::int64_t reach = std::min(tokens, longestLength(m_protocol, tokens, m_addsBos));
    if (tokens > 0) shortest = std::min(shortest.value_or(reach), reach);
  };
  count(m_document);
  for (const MeasuredDocument& book : m_books) count(book);
  return shortest.value_or(0);
}

std::vector<std::int64_t> PerplexityInputs::defaultLengthList() const {
  return m_protocol == Protocol::OnePass ? defaultLengths(defaultReach())
                                         : fewLengths(defaultReach());
}

void PerplexityInputs::setDefaults() {
  if (!m_curvesEdited) m_curves.setText(defaultCurves(m_factor));
  if (!m_lengthsEdited) m_lengthsText = lengthsWords(defaultLengthList());
  Q_EMIT changed();
}

void PerplexityInputs::editCurves(const QString& text) {
  if (text == m_curves.text() && m_curvesEdited) return;
  m_curvesEdited = !text.trimmed().isEmpty();  // emptied: back to the default
  if (m_curvesEdited) m_curves.setText(text);
  setDefaults();
}

void PerplexityInputs::editLengths(const QString& text) {
  if (text == m_lengthsText) return;
  m_lengthsEdited = !text.trimmed().isEmpty();
  m_lengthsText = text;
  setDefaults();
}

void PerplexityInputs::editStride(const QString& text) {
  if (text == m_strideText) return;
  m_strideText = text.trimmed();
  Q_EMIT changed();
}

void PerplexityInputs::setProtocol(Protocol protocol) {
  if (protocol == m_protocol) return;
  m_protocol = protocol;
  setDefaults();
}

QStringList PerplexityInputs::documentNames() const {
  QStringList names;
  if (!m_document.ids.empty()) names << m_document.name;
  for (const MeasuredDocument& book : m_books) names << book.name;
  return names;
}

QString PerplexityInputs::documentsText() const {
  const QStringList names = documentNames();
  if (names.size() < 2) return names.join(QString());
  return tr("%1 and %n more", nullptr, static_cast<int>(names.size()) - 1).arg(names.front());
}

Result<std::int64_t> PerplexityInputs::stride(const std::vector<std::int64_t>& lengths) const {
  if (m_strideText.isEmpty()) return usualStride(lengths);
  bool isNumber = false;
  const qlonglong tokens = m_strideText.toLongLong(&isNumber);
  if (isNumber) return std::int64_t{tokens};
  return Error{ErrorCode::InvalidArgument, "stride: '" + m_strideText.toStdString() +
                                               "' is no whole number of tokens; write for example "
                                               "256"};
}

QString PerplexityInputs::defaultStride() const {
  const auto lengths = parseLengths(m_lengthsText);
  return QString::number(usualStride(lengths ? *lengths : std::vector<std::int64_t>()));
}

PerplexityConfig PerplexityInputs::config() const {
  PerplexityConfig config{.lengths = {}, .protocol = m_protocol};
  if (auto lengths = parseLengths(m_lengthsText)) config.lengths = *std::move(lengths);
  if (const auto tokens = stride(config.lengths)) config.stride = *tokens;
  return config;
}

Result<PerplexityOrder> PerplexityInputs::order() const {
  if (!hasDocument()) {
    return Error{ErrorCode::InvalidArgument,
                 tr("Open a document first: its tokens are what is measured.").toStdString()};
  }
  auto lengths = parseLengths(m_lengthsText);
  if (!lengths) return lengths.error();
  const auto tokens = stride(*lengths);
  if (!tokens) return tokens.error();
  PerplexityOrder order{
      .config = {.lengths = *std::move(lengths), .protocol = m_protocol, .stride = *tokens}};
  for (const QString& curve : m_curves.text().split(u';', Qt::SkipEmptyParts)) {
    order.curves.push_back(curve.toStdString());
  }
  if (order.curves.empty()) {
    return Error{ErrorCode::InvalidArgument,
                 tr("No curve is in the list; add one under Set up.").toStdString()};
  }
  if (!m_document.ids.empty()) order.documents.push_back(m_document.ids);
  for (const MeasuredDocument& book : m_books) order.documents.push_back(book.ids);
  if (Status valid = validate(order.config); !valid) return valid.error();
  return order;
}

}  // namespace ropescope::ui
