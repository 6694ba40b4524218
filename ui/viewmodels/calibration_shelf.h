// Calibration files by name: the bundled ones and any other that was named. GUI thread; reads
// headers only, each file once.
#pragma once

#include <QString>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/model/calibration_files.h"
#include "ui/text/curve_title.h"

namespace ropescope::ui {

class CalibrationShelf {
 public:
  // `folder` holds the bundled files, in folders by model; it may be missing.
  explicit CalibrationShelf(std::filesystem::path folder = {});

  // Bundled files that were trained for this model, method and factor.
  std::vector<CalibrationFile> fitting(const std::string& modelHash, const std::string& method,
                                       double factor);
  // What a file holds; nothing when it cannot be read.
  std::optional<CalibrationFile> file(const std::filesystem::path& path);
  CalibrationParts parts(const std::string& path);  // of no file: none

 private:
  void list();

  std::filesystem::path m_folder;
  bool m_listed = false;
  std::vector<CalibrationFile> m_bundled;
  std::map<std::filesystem::path, std::optional<CalibrationFile>> m_known;
};

// "LoRA + PSC (yarn-4x-psc-seed0)"
QString calibrationName(const CalibrationFile& file);

}  // namespace ropescope::ui
