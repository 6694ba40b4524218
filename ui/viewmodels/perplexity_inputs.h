// What perplexity curves are measured of: curves, lengths, documents and protocol, with defaults
// for what the user left alone.
#pragma once

#include <QObject>
#include <QString>
#include <QStringList>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/eval/perplexity.h"
#include "ui/viewmodels/curve_list_model.h"

namespace ropescope::ui {

struct PerplexityOrder {
  std::vector<std::string> curves = {};  // as on the command line: "yarn:factor=4"
  std::vector<std::vector<std::int32_t>> documents = {};
  PerplexityConfig config = {};
};

// Tokens without BOS.
struct MeasuredDocument {
  QString name;
  QString path;
  std::vector<std::int32_t> ids;
};

class PerplexityInputs : public QObject {
  Q_OBJECT

 public:
  explicit PerplexityInputs(std::filesystem::path calibrations = {}, QObject* parent = nullptr);

  // The open document; empty ids: none. Its own lengths come back to their default.
  void setDocument(std::vector<std::int32_t> ids, const QString& name);
  void setModel(std::int64_t trainedLength, bool addsBos, const std::string& hash = {});
  void setPlannedFactor(double factor);

  // Further documents: standard errors are over documents. The same path twice counts once.
  void addBook(MeasuredDocument book);
  void removeBook(int index);
  void clearBooks();
  const std::vector<MeasuredDocument>& books() const { return m_books; }

  void editCurves(const QString& text);   // "none;pi;yarn:factor=4"; empty: the default
  void editLengths(const QString& text);  // "1024, 2048, 4096"; empty: the default
  void editStride(const QString& text);   // tokens, of sliding windows; empty: the default
  void setProtocol(Protocol protocol);
  QString curvesText() const { return m_curves.text(); }
  const QString& lengthsText() const { return m_lengthsText; }
  const QString& strideText() const { return m_strideText; }  // empty: the default
  QString defaultStride() const;
  Protocol protocol() const { return m_protocol; }
  CurveListModel& curves() { return m_curves; }

  bool hasDocument() const { return !m_document.ids.empty() || !m_books.empty(); }
  QStringList documentNames() const;  // open document first
  QString documentsText() const;      // "book.txt", "book.txt and 3 more"
  std::int64_t trainedLength() const { return m_trainedLength; }
  bool addsBos() const { return m_addsBos; }
  std::vector<std::int64_t> defaultLengthList() const;
  PerplexityConfig config() const;  // as far as the texts can be read
  // Errors: InvalidArgument with the word that is wrong, or what is missing.
  Result<PerplexityOrder> order() const;

 Q_SIGNALS:
  void changed();

 private:
  void setDefaults();
  std::int64_t defaultReach() const;
  Result<std::int64_t> stride(const std::vector<std::int64_t>& lengths) const;

  MeasuredDocument m_document;
  std::vector<MeasuredDocument> m_books;
  CurveListModel m_curves;
  QString m_lengthsText;
  QString m_strideText;
  bool m_curvesEdited = false;
  bool m_lengthsEdited = false;
  Protocol m_protocol = Protocol::OnePass;
  std::int64_t m_trainedLength = 0;
  bool m_addsBos = false;
  double m_factor = 1.0;
};

// Powers of two and one or three lengths between each, from 256 tokens to `tokens`, which ends the
// list unless the last step would be tiny.
std::vector<std::int64_t> defaultLengths(std::int64_t tokens);
// Powers of two alone: under the other protocols every length is a reading of its own.
std::vector<std::int64_t> fewLengths(std::int64_t tokens);
// "none;pi:factor=4;yarn:factor=4"
QString defaultCurves(double factor);
// Errors: InvalidArgument with the word that is no length.
Result<std::vector<std::int64_t>> parseLengths(const QString& text);
QString protocolTitle(Protocol protocol);  // for people: "one pass"

}  // namespace ropescope::ui
