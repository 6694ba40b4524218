#include "core/eval/published_curves.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "core/base/file_io.h"
#include "core/base/json_text.h"
#include "core/eval/wide_csv.h"

namespace ropescope {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

Error corrupt(const std::string& where, const std::string& what) {
  return Error{ErrorCode::CorruptFile, where + ": " + what};
}

Status checkKeys(const Json& object, const std::set<std::string>& known, const std::string& where) {
  for (const auto& [key, value] : object.items()) {
    if (known.contains(key)) continue;
    std::string names;
    for (const auto& name : known) names += (names.empty() ? "" : ", ") + name;
    return corrupt(where, "unknown key '" + key + "'; it has " + names);
  }
  return Done{};
}

Result<std::string> textAt(const Json& object, const char* key, const std::string& where) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string() || found->get<std::string>().empty()) {
    return corrupt(where, std::string(key) + " is " +
                              (found == object.end() ? "missing" : shortText(*found)) +
                              "; a text is wanted");
  }
  return found->get<std::string>();
}

// 7.2, or ">1000" where the source gives no number.
Result<PublishedPoint> pointOf(const std::string& key, const Json& value,
                               const std::string& where) {
  PublishedPoint point;
  const auto length = std::from_chars(key.data(), key.data() + key.size(), point.length);
  if (length.ec != std::errc() || length.ptr != key.data() + key.size() || point.length < 1) {
    return corrupt(where, "the length '" + key + "' is no token count");
  }
  if (value.is_string()) {
    const auto text = value.get<std::string>();
    const auto end = text.data() + text.size();
    point.above = !text.empty() && text.front() == '>';
    if (point.above) {
      const auto read = std::from_chars(text.data() + 1, end, point.perplexity);
      if (read.ec != std::errc() || read.ptr != end) point.perplexity = 0.0;
    }
  } else if (value.is_number()) {
    point.perplexity = value.get<double>();
  }
  if (std::isfinite(point.perplexity) && point.perplexity >= 1.0) return point;
  return corrupt(where, "the perplexity at " + key + " is " + shortText(value) +
                            "; a number of 1 or more, or a text such as \">1000\", is wanted");
}

Status readProtocol(const Json& json, const std::string& where, PublishedCurve& curve) {
  const auto protocol = textAt(json, "protocol", where);
  if (!protocol) return protocol.error();
  curve.protocol = findProtocol(*protocol);
  if (!curve.protocol && *protocol != "unknown") {
    return corrupt(where,
                   "protocol is '" + *protocol +
                       "'; one of one-pass, sliding, truncate, llama.cpp, unknown is wanted");
  }
  const bool sliding = curve.protocol == Protocol::Sliding;
  if (sliding != json.contains("stride")) {
    return corrupt(where, sliding ? "the sliding protocol needs a stride"
                                  : "a stride belongs to the sliding protocol");
  }
  if (!sliding) return Done{};
  if (!json["stride"].is_number_integer() || json["stride"].get<std::int64_t>() < 1) {
    return corrupt(where, "stride is " + shortText(json["stride"]) + "; 1 or more is wanted");
  }
  curve.stride = json["stride"].get<std::int64_t>();
  return Done{};
}

Result<PublishedCurve> curveOf(const Json& json, const std::string& source,
                               const std::string& file) {
  if (!json.is_object()) return corrupt(file, "a curve is " + shortText(json));
  PublishedCurve curve{.source = source};
  const auto name = textAt(json, "name", file);
  if (!name) return name.error();
  curve.name = *name;
  const std::string where = file + ", curve '" + curve.name + "'";
  const std::set<std::string> known = {"name",   "model",  "dataset", "protocol",
                                       "stride", "source", "note",    "points"};
  if (Status keys = checkKeys(json, known, where); !keys) return keys.error();
  for (const auto& [key, field] :
       {std::pair("model", &PublishedCurve::model), std::pair("dataset", &PublishedCurve::dataset),
        std::pair("source", &PublishedCurve::source), std::pair("note", &PublishedCurve::note)}) {
    const bool optional = std::string_view(key) == "note" || std::string_view(key) == "source";
    if (optional && !json.contains(key)) continue;
    auto text = textAt(json, key, where);
    if (!text) return text.error();
    curve.*field = std::string_view(key) == "source" ? source + " " + *text : *text;
  }
  if (Status protocol = readProtocol(json, where, curve); !protocol) return protocol.error();
  if (!json.contains("points") || !json["points"].is_object() || json["points"].empty()) {
    return corrupt(where, "points are missing; {\"2048\": 7.2} is wanted");
  }
  for (const auto& [key, value] : json["points"].items()) {
    const auto point = pointOf(key, value, where);
    if (!point) return point.error();
    curve.points.push_back(*point);
  }
  std::sort(curve.points.begin(), curve.points.end(),
            [](const auto& a, const auto& b) { return a.length < b.length; });
  return curve;
}

Status checkNames(const std::vector<PublishedCurve>& curves, const std::string& where) {
  std::set<std::string> names;
  for (const PublishedCurve& curve : curves) {
    if (!names.insert(curve.name).second) {
      return corrupt(where, "two curves have the name '" + curve.name + "'");
    }
  }
  return Done{};
}

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 4;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMost); ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  if (names.size() > kMost) text += " and " + std::to_string(names.size() - kMost) + " more";
  return text;
}

std::string firstWord(const std::string& name) {
  return name.substr(0, name.find('-'));
}

// The mean over documents of their first `length` tokens: one-pass and truncate agree in it.
bool readsOneWindow(const std::optional<Protocol>& protocol) {
  return protocol == Protocol::OnePass || protocol == Protocol::Truncate;
}

Result<std::vector<PublishedCurve>> fromWideCsv(const fs::path& file) {
  const auto text = readFile(file);
  if (!text) return text.error();
  const auto rows = readWideCsv(*text, file.string());
  if (!rows) return rows.error();
  std::vector<PublishedCurve> curves;
  for (const WideCurve& row : *rows) {
    PublishedCurve curve{
        .name = row.name, .model = row.name, .dataset = "not said", .source = file.string()};
    for (const WidePoint& point : row.points) {
      curve.points.push_back({.length = point.length, .perplexity = point.perplexity});
    }
    curves.push_back(std::move(curve));
  }
  return curves;
}

}  // namespace

Result<std::vector<PublishedCurve>> readPublishedCurves(const fs::path& file) {
  const auto text = readFile(file);
  if (!text) return text.error();
  const std::string name = file.filename().string();
  const auto json = parseJsonObject(*text, name);
  if (!json) return json.error();
  if (Status keys = checkKeys(*json, {"source", "curves"}, name); !keys) return keys.error();
  const auto source = textAt(*json, "source", name);
  if (!source) return source.error();
  if (!json->contains("curves") || !(*json)["curves"].is_array()) {
    return corrupt(name, "curves are missing; a list is wanted");
  }
  std::vector<PublishedCurve> curves;
  for (const Json& each : (*json)["curves"]) {
    auto curve = curveOf(each, *source, name);
    if (!curve) return curve.error();
    curves.push_back(*std::move(curve));
  }
  if (Status unique = checkNames(curves, name); !unique) return unique.error();
  return curves;
}

Result<std::vector<PublishedCurve>> readPublishedFolder(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  if (error || files.empty()) {
    return Error{ErrorCode::NotFound, folder.string() +
                                          " holds no published curves (*.json); "
                                          "restore the resources folder"};
  }
  std::sort(files.begin(), files.end());
  std::vector<PublishedCurve> curves;
  for (const fs::path& file : files) {
    auto more = readPublishedCurves(file);
    if (!more) return more.error();
    curves.insert(curves.end(), more->begin(), more->end());
  }
  if (Status unique = checkNames(curves, folder.string()); !unique) return unique.error();
  return curves;
}

Result<std::vector<PublishedCurve>> findPublished(const std::vector<PublishedCurve>& curves,
                                                  const std::string& name) {
  if (fs::path(name).extension() == ".csv") return fromWideCsv(name);
  std::vector<PublishedCurve> found;
  for (const PublishedCurve& curve : curves) {
    if (curve.name == name || curve.name.rfind(name + "-", 0) == 0) found.push_back(curve);
  }
  if (!found.empty()) return found;
  // Those that start with the same word; when none does, the words.
  std::set<std::string> words;
  std::vector<std::string> alike;
  for (const PublishedCurve& curve : curves) {
    words.insert(firstWord(curve.name) + "-…");
    if (firstWord(curve.name) == firstWord(name)) alike.push_back(curve.name);
  }
  if (alike.empty()) alike.assign(words.begin(), words.end());
  return Error{ErrorCode::NotFound, "there is no published curve '" + name + "'; there are " +
                                        listed(alike) +
                                        " (resources/published holds them with their names)"};
}

std::string publishedProtocolText(const PublishedCurve& curve) {
  if (!curve.protocol) return "protocol not said";
  switch (*curve.protocol) {
    case Protocol::OnePass:
      return "one pass per document";
    case Protocol::Sliding:
      return "sliding windows, stride " + std::to_string(curve.stride);
    case Protocol::Truncate:
      return "each document cut to the length, one window";
    case Protocol::LlamaCpp:
      return "llama.cpp chunks";
  }
  return "";
}

std::string protocolDifference(const PublishedCurve& curve, const PerplexityConfig& config) {
  const bool sliding = config.protocol == Protocol::Sliding;
  if (curve.protocol == config.protocol && (!sliding || curve.stride == config.stride)) return {};
  if (readsOneWindow(curve.protocol) && readsOneWindow(config.protocol)) return {};
  std::string own(protocolName(config.protocol));
  if (sliding) own += " with stride " + std::to_string(config.stride);
  return curve.name + " was published under another protocol (" + publishedProtocolText(curve) +
         ") than yours (" + own + "): read its shape, do not compare its values";
}

}  // namespace ropescope
