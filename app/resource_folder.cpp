#include "app/resource_folder.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <system_error>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/file_io.h"

namespace ropescope {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBundledModel = "models/bookworm-11m";

Result<fs::path> existing(const fs::path& path, const char* what) {
  std::error_code ignored;
  if (fs::exists(path, ignored)) return path;
  return Error{ErrorCode::NotFound, path.string() + ": " + what +
                                        " is not there; restore it, or set ROPESCOPE_RESOURCES "
                                        "to a complete resources folder"};
}

// The first name in samples.json: [{"file": …}, …] or {"samples": [{"file": …}, …]}.
std::string firstListedSample(const fs::path& list) {
  const auto text = readFile(list);
  if (!text) return {};
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  const auto& samples = json.is_object() && json.contains("samples") ? json["samples"] : json;
  if (!samples.is_array() || samples.empty()) return {};
  const auto& first = samples.front();
  if (first.is_string()) return first.get<std::string>();
  if (first.is_object() && first.contains("file") && first["file"].is_string()) {
    return first["file"].get<std::string>();
  }
  return {};
}

}  // namespace

Result<fs::path> findResourceFolder() {
  std::error_code ignored;
  if (const char* named = std::getenv("ROPESCOPE_RESOURCES"); named != nullptr && *named != '\0') {
    if (fs::is_directory(named, ignored)) return fs::path(named);
    return Error{ErrorCode::NotFound, "ROPESCOPE_RESOURCES is '" + std::string(named) +
                                          "', which is no folder; name the folder that holds "
                                          "models/ and samples/, or unset it"};
  }
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  const std::vector<fs::path> candidates = {program / "resources",
                                            program / ".." / "share" / "ropescope" / "resources",
                                            fs::path(ROPESCOPE_RESOURCES_DIR)};
  std::string tried;
  for (const auto& candidate : candidates) {
    if (fs::is_directory(candidate / "models", ignored)) return candidate.lexically_normal();
    tried += (tried.empty() ? "" : ", ") + candidate.lexically_normal().string();
  }
  return Error{ErrorCode::NotFound,
               "no resources folder with the bundled model; looked at " + tried +
                   "; copy 'resources' beside the program or set ROPESCOPE_RESOURCES to it"};
}

Result<fs::path> findBundledModel() {
  auto folder = findResourceFolder();
  if (!folder) return folder;
  return existing(*folder / kBundledModel, "the bundled model");
}

Result<fs::path> findFirstSample() {
  auto folder = findResourceFolder();
  if (!folder) return folder;
  const fs::path samples = *folder / "samples";
  const std::string listed = firstListedSample(samples / "samples.json");
  if (!listed.empty()) return existing(samples / listed, "the first sample");
  std::vector<fs::path> texts;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(samples, ignored)) {
    if (entry.path().extension() == ".txt") texts.push_back(entry.path());
  }
  if (texts.empty()) return existing(samples / "samples.json", "the list of samples");
  return *std::min_element(texts.begin(), texts.end());
}

}  // namespace ropescope
