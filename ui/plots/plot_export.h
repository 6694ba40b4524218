// A plot as a file or on the clipboard.
#pragma once

#include <QString>
#include <QStringList>
#include <string>

#include <qcustomplot.h>

#include "core/base/result.h"
#include "ui/plots/plot_table.h"

namespace ropescope::ui {

// "png", "pdf" and, when the program was built with Qt SVG, "svg".
QStringList pictureFormats();

// The plot as it is on the screen, twice as fine for PNG. The file's ending names the format.
// Errors: Unsupported (ending), Device (disk).
Status savePicture(QCustomPlot* plot, const QString& path);
// Puts an experiment's text into a picture that is there, so that the picture can be opened as one.
// Errors: those of reading and writing; the picture is unchanged then.
Status carryExperiment(const QString& path, const std::string& experiment);
Status saveCsv(const PlotTable& table, const QString& path);
void copyPicture(QCustomPlot* plot);

}  // namespace ropescope::ui
