#include "ui/viewmodels/perplexity_view_model.h"

#include <QLocale>
#include <QPointer>
#include <QRegularExpression>
#include <algorithm>
#include <limits>

#include "core/rope/rope_method.h"

namespace ropescope::ui {
namespace {

constexpr std::int64_t kShortest = 256;   // tokens; below it one rare word moves the mean
constexpr std::int64_t kQuarters = 2048;  // from here on an octave takes long: four points, not two
constexpr double kLeastStep = 1.1;        // between the last two default lengths

// "YaRN × 4, beta_fast=16 + PSC"
QString curveTitle(const PerplexityCurve& curve) {
  const auto method = rope::findMethod(curve.settings.rope.id);
  QString title = QString::fromStdString(method ? method->info().title : curve.settings.rope.id);
  if (curve.settings.factorFollowsLength) {
    title += QObject::tr(" × length");
  } else if (curve.factor != 1.0 && method && method->info().takesFactor) {
    title += QStringLiteral(" × %1").arg(QLocale().toString(curve.factor, 'g', 4));
  }
  for (const auto& [name, value] : curve.settings.rope.values) {
    if (std::holds_alternative<std::vector<double>>(value)) continue;  // a list is too long
    title += QStringLiteral(", %1=%2").arg(QString::fromStdString(name),
                                           QString::fromStdString(rope::valueText(value)));
  }
  if (curve.settings.calibration) title += QObject::tr(" + PSC");
  return title;
}

TableColumn numbers(const QString& title) {
  return {.title = title};
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
  if (lengths.empty()) return tokens >= 2 ? std::vector{tokens} : lengths;
  if (static_cast<double>(tokens) > kLeastStep * static_cast<double>(lengths.back())) {
    lengths.push_back(tokens);
  }
  return lengths;
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

PerplexityViewModel::PerplexityViewModel(QObject* parent) : QObject(parent) {
  setDefaults();
}

void PerplexityViewModel::setStarter(Starter start, std::function<void()> stop) {
  m_start = std::move(start);
  m_stop = std::move(stop);
}

void PerplexityViewModel::setDocument(std::vector<std::int32_t> ids, const QString& name) {
  m_ids = std::move(ids);
  m_documentName = name;
  m_lengthsEdited = false;  // they belonged to the other document
  setDefaults();
  Q_EMIT stateChanged();
  if (m_curves.empty()) Q_EMIT curvesChanged();
}

void PerplexityViewModel::setModel(std::int64_t trainedLength, bool addsBos) {
  m_trainedLength = trainedLength;
  m_addsBos = addsBos;
  Q_EMIT curvesChanged();
}

void PerplexityViewModel::setPlannedFactor(double factor) {
  if (factor == m_factor) return;
  m_factor = factor;
  setDefaults();
}

void PerplexityViewModel::setDefaults() {
  if (!m_curvesEdited) m_curvesText = defaultCurves(m_factor);
  if (!m_lengthsEdited) {
    QStringList words;
    for (const std::int64_t length : defaultLengths(static_cast<std::int64_t>(m_ids.size()))) {
      words << QString::number(length);
    }
    m_lengthsText = words.join(QStringLiteral(", "));
  }
  Q_EMIT inputsChanged();
}

void PerplexityViewModel::clearCurves() {
  m_curves.clear();
  setStatus({}, false);
  Q_EMIT curvesChanged();
}

void PerplexityViewModel::editCurves(const QString& text) {
  if (text == m_curvesText) return;
  m_curvesEdited = !text.trimmed().isEmpty();  // emptied: back to the default
  m_curvesText = text;
  if (!m_curvesEdited) setDefaults();
}

void PerplexityViewModel::editLengths(const QString& text) {
  if (text == m_lengthsText) return;
  m_lengthsEdited = !text.trimmed().isEmpty();
  m_lengthsText = text;
  if (!m_lengthsEdited) setDefaults();
}

void PerplexityViewModel::start() {
  if (m_state != State::Idle || !m_start) return;
  if (m_ids.empty()) {
    setStatus(tr("Open a document first: its tokens are what is measured."), true);
    return;
  }
  const auto lengths = parseLengths(m_lengthsText);
  if (!lengths) {
    setStatus(QString::fromStdString(lengths.error().message), true);
    return;
  }
  PerplexityOrder order{.documents = {m_ids}, .config = {.lengths = *lengths}};
  for (const QString& curve : m_curvesText.split(u';', Qt::SkipEmptyParts)) {
    order.curves.push_back(curve.trimmed().toStdString());
  }
  if (const Status valid = validate(order.config); !valid) {
    setStatus(QString::fromStdString(valid.error().message), true);
    return;
  }
  m_config = order.config;
  m_measuredName = m_documentName;
  m_ordered = order.curves.size();
  m_curves.clear();
  m_state = State::Running;
  setStatus(tr("Waiting for the engine …"), false);
  Q_EMIT curvesChanged();
  const QPointer<PerplexityViewModel> alive(this);
  m_start(order, {.onCurve =
                      [alive](std::size_t index, const PerplexityCurve& curve) {
                        if (alive) alive->acceptCurve(index, curve);
                      },
                  .onDone =
                      [alive](const Status& status) {
                        if (alive) alive->finish(status);
                      }});
}

void PerplexityViewModel::stop() {
  if (m_state != State::Running) return;
  m_state = State::Stopping;
  setStatus(tr("Stopping …"), false);
  if (m_stop) m_stop();
}

void PerplexityViewModel::setProgress(const Progress& progress) {
  if (m_state != State::Running || progress.total <= 0) return;
  const QLocale locale;
  setStatus(tr("Curve %1 of %2: %3 of %4 tokens")
                .arg(std::max<std::size_t>(1, m_curves.size()))
                .arg(m_ordered)
                .arg(locale.toString(static_cast<qlonglong>(progress.done)),
                     locale.toString(static_cast<qlonglong>(progress.total))),
            false);
}

void PerplexityViewModel::acceptCurve(std::size_t index, const PerplexityCurve& curve) {
  if (m_curves.size() <= index) m_curves.resize(index + 1);
  m_curves[index] = curve;
  Q_EMIT curvesChanged();
}

void PerplexityViewModel::finish(const Status& status) {
  m_state = State::Idle;
  if (status) {
    setStatus(tr("Done: %1 of %2 curves.").arg(m_curves.size()).arg(m_ordered), false);
  } else if (status.error().code == ErrorCode::Cancelled) {
    setStatus(tr("Stopped. The points so far stand."), false);
  } else {
    setStatus(QString::fromStdString(status.error().message), true);
  }
}

void PerplexityViewModel::showRecorded(std::vector<PerplexityCurve> curves,
                                       std::vector<std::int64_t> lengths,
                                       const QString& protocol) {
  m_curves = std::move(curves);
  m_config.lengths = std::move(lengths);
  m_recordedProtocol = protocol;
  Q_EMIT curvesChanged();
}

void PerplexityViewModel::setStatus(const QString& text, bool failed) {
  m_status = text;
  m_failed = failed;
  Q_EMIT stateChanged();
}

QString PerplexityViewModel::protocolText() const {
  if (m_curves.empty()) return {};
  if (!m_recordedProtocol.isEmpty()) return m_recordedProtocol;
  const QString protocol = QString::fromStdString(ropescope::protocolText(m_config, m_addsBos));
  return m_measuredName.isEmpty() ? protocol : tr("%1: %2").arg(m_measuredName, protocol);
}

std::vector<std::int64_t> PerplexityViewModel::shownLengths() const {
  return m_curves.empty() && m_state == State::Idle
             ? defaultLengths(static_cast<std::int64_t>(m_ids.size()))
             : m_config.lengths;
}

double PerplexityViewModel::shortestLength() const {
  const auto lengths = shownLengths();
  return lengths.empty() ? 0.0 : static_cast<double>(lengths.front());
}

double PerplexityViewModel::longestLength() const {
  const auto lengths = shownLengths();
  return lengths.empty() ? 0.0 : static_cast<double>(lengths.back());
}

std::vector<PerplexityLine> PerplexityViewModel::lines() const {
  std::vector<PerplexityLine> lines;
  for (const PerplexityCurve& curve : m_curves) {
    PerplexityLine line{.title = curveTitle(curve)};
    for (const PerplexityPoint& point : curve.points) {
      line.lengths << static_cast<double>(point.length);
      line.perplexities << point.perplexity;
      line.errors << point.standardError.value_or(0.0);
      line.hasErrors = line.hasErrors || point.standardError.has_value();
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

PlotTable PerplexityViewModel::table() const {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  TableColumn method{.title = tr("method")};
  TableColumn length = numbers(tr("length [tokens]"));
  TableColumn perplexity = numbers(tr("perplexity"));
  TableColumn error = numbers(tr("standard error"));
  TableColumn meanTo = numbers(tr("mean loss to length [nats]"));
  TableColumn bin = numbers(tr("mean loss in bin [nats]"));
  TableColumn scored = numbers(tr("scored tokens"));
  TableColumn documents = numbers(tr("documents"));
  for (const PerplexityCurve& curve : m_curves) {
    for (const PerplexityPoint& point : curve.points) {
      method.texts << QString::fromStdString(curve.settings.label);
      length.numbers.push_back(static_cast<double>(point.length));
      perplexity.numbers.push_back(point.perplexity);
      error.numbers.push_back(point.standardError.value_or(kNone));
      meanTo.numbers.push_back(point.nllMeanTo);
      bin.numbers.push_back(point.nllBin.value_or(kNone));
      scored.numbers.push_back(static_cast<double>(point.scoredTokens));
      documents.numbers.push_back(point.documents);
    }
  }
  return {{method, length, perplexity, error, meanTo, bin, scored, documents}};
}

}  // namespace ropescope::ui
