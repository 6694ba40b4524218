#include "core/eval/markdown.h"

#include <cstdio>

#include "core/base/memory_size.h"

namespace ropescope {
namespace {

std::string lineOf(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& cell : cells) {
    line += " ";
    for (const char c : cell) line += c == '|' ? "\\|" : std::string(1, c);
    line += " |";
  }
  return line + "\n";
}

}  // namespace

MarkdownTable::MarkdownTable(std::vector<std::string> header) : m_header(std::move(header)) {}

void MarkdownTable::add(std::vector<std::string> row) {
  m_rows.push_back(std::move(row));
}

std::string MarkdownTable::text() const {
  std::string text = lineOf(m_header) + lineOf(std::vector<std::string>(m_header.size(), "---"));
  for (const auto& row : m_rows) text += lineOf(row);
  return text + "\n";
}

std::string fixedText(double number, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, number);
  return text;
}

std::string plusMinus(double value, const std::optional<double>& error, int digits) {
  return fixedText(value, digits) + (error ? " ± " + fixedText(*error, digits) : "");
}

std::string gainText(double share, const std::optional<double>& error) {
  const std::string number = fixedText(100.0 * share, 2);
  const std::string sign = number.front() == '-' ? "" : "+";
  return sign + number + " %" + (error ? " ± " + fixedText(100.0 * *error, 2) : "");
}

std::string countOf(std::int64_t number, const std::string& thing) {
  return countText(number) + " " + thing + (number == 1 ? "" : "s");
}

}  // namespace ropescope
