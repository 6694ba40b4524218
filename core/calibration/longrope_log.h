// Every evaluation of a search as a line of JSON, written at once: a killed search loses at most the
// evaluation that was running.
#pragma once

#include <filesystem>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/result.h"
#include "core/calibration/longrope_search.h"

namespace ropescope::calibration {

// First line {"longrope_search": 1, "settings": {…}}, then one line per evaluation:
//   {"evaluation": 4, "origin": "mutation of 2", "factors": […], "unscaled_tokens": 0, "loss": 3.2}
// loss null: no finite number. Movable, confined to one thread; the file is locked against a second
// search while it is open.
class SearchLog {
 public:
  // `settings` is an object of all that decides candidates and losses. With `resume` an existing log
  // must have been made with the same; a line that was cut by a kill is dropped, a missing file is a
  // new search.
  // Errors: InvalidArgument when the file exists and `resume` is false, or when a setting differs
  // (both values named); CorruptFile names the line; Device when it cannot be written or is in use.
  static Result<SearchLog> open(const std::filesystem::path& path,
                                const nlohmann::ordered_json& settings, bool resume);
  ~SearchLog();
  SearchLog(SearchLog&& other) noexcept;
  SearchLog& operator=(SearchLog&&) = delete;
  SearchLog(const SearchLog&) = delete;

  const std::vector<Evaluation>& known() const { return m_known; }
  // Error: Device, on a full disk say; the file then ends after the line before.
  Status append(const Evaluation& evaluation);

 private:
  SearchLog(std::filesystem::path path, int file);
  Status read(const nlohmann::ordered_json& settings);
  Status writeLine(const nlohmann::ordered_json& line);

  std::filesystem::path m_path;
  int m_file = -1;
  std::int64_t m_bytes = 0;  // whole lines
  std::vector<Evaluation> m_known;
};

}  // namespace ropescope::calibration
