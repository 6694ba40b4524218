#include "ui/viewmodels/sample_list.h"

#include <nlohmann/json.hpp>
#include <string>
#include <system_error>

#include "core/base/file_io.h"

namespace ropescope::ui {
namespace {

using nlohmann::json;

QString textOf(const json& object, const char* name) {
  const auto field = object.find(name);
  if (field == object.end() || !field->is_string()) return {};
  return QString::fromStdString(field->get<std::string>());
}

}  // namespace

Result<std::vector<Sample>> readSamples(const std::filesystem::path& folder) {
  const auto path = folder / "samples.json";
  const auto text = readFile(path);
  if (!text) return text.error();
  const json list = json::parse(*text, nullptr, false);
  if (!list.is_object() || !list.contains("samples") || !list["samples"].is_array()) {
    return Error{ErrorCode::CorruptFile,
                 path.string() + " has no list 'samples'; restore it from the program's resources"};
  }
  std::vector<Sample> samples;
  for (const json& entry : list["samples"]) {
    if (!entry.is_object()) continue;
    Sample sample{.file = folder / textOf(entry, "file").toStdString(),
                  .title = textOf(entry, "title"),
                  .questions = {}};
    for (const json& fact : entry.value("facts", json::array())) {
      const QString question = fact.is_object() ? textOf(fact, "question") : QString();
      if (!question.isEmpty()) sample.questions << question;
    }
    samples.push_back(std::move(sample));
  }
  return samples;
}

QStringList questionsFor(const std::vector<Sample>& samples, const std::filesystem::path& path) {
  for (const Sample& sample : samples) {
    std::error_code ignored;
    if (std::filesystem::equivalent(sample.file, path, ignored)) return sample.questions;
  }
  return {};
}

}  // namespace ropescope::ui
