// Markdown tables and numbers for reports.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ropescope {

// "| a | b |" with a rule below the header; a bar in a cell is escaped.
class MarkdownTable {
 public:
  explicit MarkdownTable(std::vector<std::string> header);
  void add(std::vector<std::string> row);  // as many cells as the header
  bool empty() const { return m_rows.empty(); }
  std::string text() const;  // ends with an empty line

 private:
  std::vector<std::string> m_header;
  std::vector<std::vector<std::string>> m_rows;
};

std::string fixedText(double number, int digits);                                     // "3.14"
std::string plusMinus(double value, const std::optional<double>& error, int digits);  // "3.1 ± 0.2"
// A share as percent with its sign: "+3.10 % ± 0.20".
std::string gainText(double share, const std::optional<double>& error);
// "3 books", "1 book".
std::string countOf(std::int64_t number, const std::string& thing);

}  // namespace ropescope
