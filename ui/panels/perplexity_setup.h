// What the curves are measured of, beside the plot: curves, documents and protocol, and what others
// published.
#pragma once

#include <QWidget>
#include <functional>
#include <vector>

#include "core/eval/published_curves.h"

class QComboBox;
class QLabel;
class QLineEdit;
class QListWidget;
class QListWidgetItem;
class QPushButton;

namespace ropescope::ui {

class PerplexityViewModel;

class PerplexitySetup : public QWidget {
  Q_OBJECT

 public:
  // `published`: the folder of published curves; it may be missing.
  PerplexitySetup(PerplexityViewModel& model, const std::filesystem::path& published,
                  QWidget* parent = nullptr);
  // Lays all curves of a wide CSV over the measured ones.
  Status importWideCsv(const QString& path);
  void showPublished(const QString& name, bool shown);

 Q_SIGNALS:
  void booksWanted(const QStringList& paths);
  void errorOccurred(const QString& sentence);

 private:
  QWidget* makeCurves();
  QWidget* makeProtocol();
  QWidget* makePublished();
  void readPublished(const std::filesystem::path& folder);
  void addPublished(const PublishedCurve& curve, Qt::CheckState state);
  void browseBooks();
  void browseWideCsv();
  void filterPublished(const QString& words);
  void passPublished();
  void showInputs();

  PerplexityViewModel& m_model;
  std::vector<PublishedCurve> m_published;  // in the order of the list
  QComboBox* m_protocol;
  QLineEdit* m_stride;
  QLineEdit* m_lengths;
  QListWidget* m_documents;
  QPushButton* m_removeBook;
  QLabel* m_protocolText;
  QListWidget* m_publishedList;
};

}  // namespace ropescope::ui
