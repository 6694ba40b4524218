// Numbers, tables and near misses as text for people.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ropescope::cli {

std::string fixed(double number, int digits);        // 4.00
std::string compact(double number, int digits = 4);  // 0.0001234, 1.2e+06
std::string tokensText(std::int64_t count);           // 1 token, 4,096 tokens
std::string secondsText(double seconds);             // 0.45 s, 2 min 05 s
std::string exactNumber(double number);              // shortest that reads back the same

// CSV: a field with a comma or a quote stands in quotes, quotes doubled.
std::string csvField(const std::string& text);

// Columns padded to their widest cell: the first and the last `leftColumns` - 1 to the left,
// numbers between to the right.
class Table {
 public:
  explicit Table(std::vector<std::string> header, std::size_t leftColumns = 1);
  void add(std::vector<std::string> row);
  std::string text(const std::string& indent = "  ") const;

 private:
  std::size_t m_leftColumns;
  std::vector<std::vector<std::string>> m_rows;
};

// `text` broken at blanks to lines of at most `width` columns after `indent` blanks.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width);

// The name that `found` is most likely a slip of; none when nothing is near.
std::optional<std::string> nearest(std::string_view found, const std::vector<std::string>& names);

}  // namespace ropescope::cli
