#include "ui/plots/plot_export.h"

#include <QApplication>
#include <QBuffer>
#include <QClipboard>
#include <QFileInfo>
#include <QTemporaryDir>

#if __has_include(<QSvgGenerator>)
#include <QSvgGenerator>
#define ROPESCOPE_HAVE_SVG 1
#endif

#include "core/base/file_io.h"
#include "core/experiment/experiment.h"

namespace ropescope::ui {
namespace {

constexpr double kPngScale = 2.0;

Status writeBytes(const QString& path, const QByteArray& bytes) {
  return writeFileAtomically(path.toStdString(),
                             {bytes.constData(), static_cast<std::size_t>(bytes.size())});
}

QByteArray pngBytes(QCustomPlot* plot) {
  QByteArray bytes;
  QBuffer buffer(&bytes);
  buffer.open(QIODevice::WriteOnly);
  plot->toPixmap(plot->width(), plot->height(), kPngScale).save(&buffer, "PNG");
  return bytes;
}

// QCustomPlot only writes PDF to a path: a private folder keeps the write atomic for us.
QByteArray pdfBytes(QCustomPlot* plot) {
  const QTemporaryDir folder;
  const QString path = folder.filePath(QStringLiteral("plot.pdf"));
  plot->savePdf(path, plot->width(), plot->height(), QCP::epNoCosmetic);
  QFile file(path);
  return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

#ifdef ROPESCOPE_HAVE_SVG
QByteArray svgBytes(QCustomPlot* plot) {
  QByteArray bytes;
  QBuffer buffer(&bytes);
  QSvgGenerator generator;
  generator.setOutputDevice(&buffer);
  generator.setSize(plot->size());
  generator.setViewBox(QRect(QPoint(0, 0), plot->size()));
  QCPPainter painter(&generator);
  painter.setMode(QCPPainter::pmVectorized);
  painter.setMode(QCPPainter::pmNoCaching);
  plot->toPainter(&painter, plot->width(), plot->height());
  painter.end();
  return bytes;
}
#endif

}  // namespace

QStringList pictureFormats() {
  QStringList formats = {QStringLiteral("png"), QStringLiteral("pdf")};
#ifdef ROPESCOPE_HAVE_SVG
  formats << QStringLiteral("svg");
#endif
  return formats;
}

Status savePicture(QCustomPlot* plot, const QString& path) {
  const QString ending = QFileInfo(path).suffix().toLower();
  QByteArray bytes;
  if (ending == QStringLiteral("png")) {
    bytes = pngBytes(plot);
  } else if (ending == QStringLiteral("pdf")) {
    bytes = pdfBytes(plot);
#ifdef ROPESCOPE_HAVE_SVG
  } else if (ending == QStringLiteral("svg")) {
    bytes = svgBytes(plot);
#endif
  } else {
    return Error{ErrorCode::Unsupported,
                 std::string("'") + path.toStdString() + "': a picture ends in ." +
                     pictureFormats().join(QStringLiteral(" or .")).toStdString()};
  }
  if (bytes.isEmpty()) {
    return Error{ErrorCode::Device, std::string("'") + path.toStdString() +
                                        "': the picture came out empty; is there room in the "
                                        "temporary folder?"};
  }
  return writeBytes(path, bytes);
}

Status carryExperiment(const QString& path, const std::string& experiment) {
  const std::filesystem::path file = path.toStdString();
  const auto picture = readFile(file);
  if (!picture) return picture.error();
  const auto carrying = experiment::withExperiment(*picture, experiment);
  if (carrying) return writeFileAtomically(file, *carrying);
  return Error{
      carrying.error().code,
      path.toStdString() + " is saved, but without its experiment: " + carrying.error().message};
}

Status saveCsv(const PlotTable& table, const QString& path) {
  return writeBytes(path, toCsv(table).toUtf8());
}

void copyPicture(QCustomPlot* plot) {
  QApplication::clipboard()->setPixmap(plot->toPixmap(plot->width(), plot->height(), kPngScale));
}

}  // namespace ropescope::ui
