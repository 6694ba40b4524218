#include "core/eval/wide_csv.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

namespace ropescope {
namespace {

struct Place {
  const std::string& file;
  std::size_t line = 0;  // from 1
};

Error corrupt(const Place& place, const std::string& what) {
  return Error{ErrorCode::CorruptFile,
               place.file + ", line " + std::to_string(place.line) + ": " + what};
}

// Fields of one line; a quoted one may hold commas and doubled quotes.
Result<std::vector<std::string>> fieldsOf(std::string_view line, const Place& place) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted) {
      const bool doubled = c == '"' && i + 1 < line.size() && line[i + 1] == '"';
      if (c == '"' && !doubled) {
        quoted = false;
      } else {
        fields.back() += c;
        i += doubled ? 1 : 0;
      }
    } else if (c == '"' && fields.back().empty()) {
      quoted = true;
    } else if (c == ',') {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  if (quoted) return corrupt(place, "a quote is opened and not closed");
  return fields;
}

template <class Number>
bool readNumber(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

Result<std::vector<std::int64_t>> lengthsOf(const std::vector<std::string>& header,
                                            const Place& place) {
  if (header.size() < 2 || !header.front().empty()) {
    return corrupt(place,
                   "the header is no ',LENGTH,LENGTH,…' (its first field is empty); is this "
                   "a wide CSV of perplexities?");
  }
  std::vector<std::int64_t> lengths;
  for (std::size_t i = 1; i < header.size(); ++i) {
    std::int64_t length = 0;
    if (!readNumber(header[i], length) || length < 1 ||
        (!lengths.empty() && length <= lengths.back())) {
      return corrupt(place, "field " + std::to_string(i + 1) + " is '" + header[i] +
                                "'; rising token counts are wanted");
    }
    lengths.push_back(length);
  }
  return lengths;
}

Result<WideCurve> curveOf(const std::vector<std::string>& fields,
                          const std::vector<std::int64_t>& lengths, const Place& place) {
  if (fields.size() > lengths.size() + 1) {
    return corrupt(place, std::to_string(fields.size() - 1) + " values stand under " +
                              std::to_string(lengths.size()) + " lengths");
  }
  WideCurve curve{.name = fields.front(), .points = {}};
  for (std::size_t i = 1; i < fields.size(); ++i) {
    if (fields[i].empty()) continue;
    double value = 0.0;
    if (!readNumber(fields[i], value) || !std::isfinite(value) || value <= 0.0) {
      return corrupt(place, "field " + std::to_string(i + 1) + " is '" + fields[i] +
                                "'; a perplexity above 0 or nothing is wanted");
    }
    curve.points.push_back({lengths[i - 1], value});
  }
  return curve;
}

std::string quotedName(const std::string& name) {
  if (name.find_first_of(",\"\n\r") == std::string::npos) return name;
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

// Shortest text that reads back the same.
std::string numberText(double number) {
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof text, number);
  return {text, end};
}

}  // namespace

Result<std::vector<WideCurve>> readWideCsv(std::string_view text, const std::string& name) {
  std::vector<WideCurve> curves;
  std::vector<std::int64_t> lengths;
  Place place{.file = name};
  while (!text.empty()) {
    ++place.line;
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? "" : text.substr(end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty()) continue;
    const auto fields = fieldsOf(line, place);
    if (!fields) return fields.error();
    if (lengths.empty()) {
      auto header = lengthsOf(*fields, place);
      if (!header) return header.error();
      lengths = *std::move(header);
      continue;
    }
    auto curve = curveOf(*fields, lengths, place);
    if (!curve) return curve.error();
    curves.push_back(*std::move(curve));
  }
  if (!curves.empty()) return curves;
  return Error{ErrorCode::CorruptFile, name +
                                           " holds no curve; a header of lengths and one line a "
                                           "model are wanted"};
}

std::string wideCsv(const std::vector<WideCurve>& curves) {
  std::set<std::int64_t> lengths;
  for (const WideCurve& curve : curves) {
    for (const WidePoint& point : curve.points) lengths.insert(point.length);
  }
  std::string csv;
  for (const std::int64_t length : lengths) csv += "," + std::to_string(length);
  csv += "\n";
  for (const WideCurve& curve : curves) {
    csv += quotedName(curve.name);
    for (const std::int64_t length : lengths) {
      const auto found =
          std::find_if(curve.points.begin(), curve.points.end(),
                       [&](const WidePoint& point) { return point.length == length; });
      csv += "," + (found == curve.points.end() ? "" : numberText(found->perplexity));
    }
    csv += "\n";
  }
  return csv;
}

}  // namespace ropescope
