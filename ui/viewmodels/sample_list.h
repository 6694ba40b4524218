// The bundled texts and the questions that are known to have an answer in them.
#pragma once

#include <QString>
#include <QStringList>
#include <filesystem>
#include <vector>

#include "core/base/result.h"

namespace ropescope::ui {

struct Sample {
  std::filesystem::path file;
  QString title;
  QStringList questions;
};

// `folder`/samples.json. Errors: NotFound, CorruptFile.
Result<std::vector<Sample>> readSamples(const std::filesystem::path& folder);

// Questions of the sample that lies at `path`; none for any other document.
QStringList questionsFor(const std::vector<Sample>& samples, const std::filesystem::path& path);

}  // namespace ropescope::ui
