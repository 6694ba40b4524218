// The settings that are compared, as a list: methods with factor and calibration. Read and written
// as one text, as --methods on the command line: "none;pi:factor=4;yarn:factor=4,calibration=FILE".
#pragma once

#include <QAbstractListModel>
#include <QString>
#include <optional>
#include <string>
#include <vector>

#include "core/eval/curve_text.h"
#include "ui/viewmodels/calibration_shelf.h"

namespace ropescope::ui {

class CurveListModel : public QAbstractListModel {
  Q_OBJECT

 public:
  enum Role { TextRole = Qt::UserRole + 1 };

  explicit CurveListModel(std::filesystem::path calibrations = {}, QObject* parent = nullptr);

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;

  void setText(const QString& text);  // no edited() follows
  QString text() const;
  // Why a row cannot be measured; empty: it can, as far as is known before the model is asked.
  QString problem(int row) const;
  // None for a row that cannot be read.
  std::optional<CurveDescription> curve(int row) const;
  QString title(int row) const;

  // What a user does. An emptied text asks for the default. A curve that cannot be written as text
  // is refused: its problem comes back.
  void editText(const QString& text);
  QString append(const CurveDescription& curve);
  QString replace(int row, const CurveDescription& curve);
  void remove(int row);

  // The model at hand, for the files that are offered; `factor` is what a new curve starts with.
  void setModel(const std::string& hash, double factor);
  void setFactor(double factor) { m_factor = factor; }
  double factor() const { return m_factor; }
  std::vector<CalibrationFile> calibrationsFor(const CurveDescription& curve);
  std::optional<CalibrationFile> calibration(const std::string& path) { return m_shelf.file(path); }
  // The method alone, then with each calibration that was trained for it at this factor; a single
  // curve when there is none.
  std::vector<CurveDescription> variants(const std::string& method);

 Q_SIGNALS:
  void edited();
  void defaultWanted();

 private:
  struct Row {
    QString text;
    std::optional<CurveDescription> curve;
    QString problem;
    QString title;
  };
  Row rowOf(const QString& text);
  double factorOf(const CurveDescription& curve) const;

  CalibrationShelf m_shelf;
  std::vector<Row> m_rows;
  std::string m_modelHash;
  double m_factor = 1.0;
};

}  // namespace ropescope::ui
