#include "app/cli/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "core/base/memory_size.h"

namespace ropescope::cli {
namespace {

template <class... Values>
std::string formatted(const char* format, Values... values) {
  std::array<char, 128> buffer{};
  std::snprintf(buffer.data(), buffer.size(), format, values...);
  return buffer.data();
}

// Columns on a screen: every UTF-8 character counts one.
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) >> 6U) != 2U;
  }));
}

// Insertions, deletions, substitutions and swaps of neighbours that turn one name into the other.
std::size_t editDistance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> rows(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        rows[i][j] = i + j;
        continue;
      }
      const std::size_t different = a[i - 1] == b[j - 1] ? 0 : 1;
      rows[i][j] =
          std::min({rows[i - 1][j - 1] + different, rows[i - 1][j] + 1, rows[i][j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        rows[i][j] = std::min(rows[i][j], rows[i - 2][j - 2] + 1);
      }
    }
  }
  return rows[a.size()][b.size()];
}

}  // namespace

std::string fixed(double number, int digits) {
  return formatted("%.*f", digits, number);
}

std::string compact(double number, int digits) {
  return formatted("%.*g", digits, number);
}

std::string tokensText(std::int64_t count) {
  return countText(count) + (count == 1 ? " token" : " tokens");
}

std::string secondsText(double seconds) {
  if (seconds < 0.1) return fixed(seconds * 1000.0, 1) + " ms";
  if (seconds < 60.0) return fixed(seconds, seconds < 10.0 ? 2 : 1) + " s";
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  return formatted("%lld min %02lld s", static_cast<long long>(whole / 60),
                   static_cast<long long>(whole % 60));
}

std::string exactNumber(double number) {
  std::array<char, 64> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
  return error == std::errc() ? std::string(buffer.data(), end) : std::string("nan");
}

std::string csvField(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

Table::Table(std::vector<std::string> header, std::size_t leftColumns)
    : m_leftColumns(leftColumns) {
  m_rows.push_back(std::move(header));
}

void Table::add(std::vector<std::string> row) {
  m_rows.push_back(std::move(row));
}

std::string Table::text(const std::string& indent) const {
  std::vector<std::size_t> widths;
  for (const auto& row : m_rows) {
    widths.resize(std::max(widths.size(), row.size()), 0);
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
  }
  std::string text;
  for (const auto& row : m_rows) {
    std::string line = indent;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string blanks(widths[i] - columns(row[i]), ' ');
      const bool left = i == 0 || i + m_leftColumns > row.size();
      line += (i == 0 ? "" : "  ") + (left ? row[i] + blanks : blanks + row[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
  std::string out;
  std::size_t column = 0;
  while (!text.empty()) {
    const auto blank = text.find(' ');
    const std::string_view word = text.substr(0, blank);
    if (column > 0 && column + 1 + columns(word) > width) {
      out += "\n" + std::string(indent, ' ');
      column = 0;
    }
    if (column > 0) out += ' ', ++column;
    out += word;
    column += columns(word);
    text = blank == std::string_view::npos ? std::string_view() : text.substr(blank + 1);
  }
  return out;
}

std::optional<std::string> nearest(std::string_view found, const std::vector<std::string>& names) {
  std::optional<std::string> best;
  std::size_t bestDistance = std::max<std::size_t>(1, found.size() / 3) + 1;
  for (const auto& name : names) {
    const std::size_t distance = editDistance(found, name);
    if (distance < bestDistance) {
      bestDistance = distance;
      best = name;
    }
  }
  if (best) return best;
  for (const auto& name : names) {  // "tok" for "tokenize"
    if (found.size() >= 3 && name.compare(0, found.size(), found) == 0) return name;
  }
  return std::nullopt;
}

}  // namespace ropescope::cli
