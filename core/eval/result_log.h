// Results that are worth keeping one by one: a JSON-lines file that only grows. The first line
// holds the settings, every later line is one finished record.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/result.h"

namespace ropescope {

using ResultJson = nlohmann::ordered_json;

struct ResultLogContent {
  ResultJson settings;              // null: not even the first line is whole
  std::vector<ResultJson> records;  // in the order they were written
  std::string notice;               // a torn last line was left out; empty: none
  std::int64_t wholeBytes = 0;      // up to the end of the last whole line
};

// What a log holds, to make tables from. A last line that was torn (a killed program, a power cut)
// is left out and named in `notice`; a broken line before it is CorruptFile with its number.
Result<ResultLogContent> readResultLog(const std::filesystem::path& path);

enum class LogStart {
  Fresh,   // the file must not hold anything yet
  Resume,  // go on with what is there; a file that is not there yet starts anew
};

// Move-only; one program at a time writes to a file.
class ResultLog {
 public:
  // Errors: InvalidArgument when a fresh file holds something already, when the settings of a
  // resumed one are not `settings` (what differs is named with both values), when another program
  // writes to it, or when it is no regular file; CorruptFile; Device.
  static Result<ResultLog> open(const std::filesystem::path& path, const ResultJson& settings,
                                LogStart start);
  ~ResultLog();
  ResultLog(ResultLog&& other) noexcept;
  ResultLog& operator=(ResultLog&& other) noexcept;

  // Those that were there when the file was opened.
  const std::vector<ResultJson>& records() const { return m_records; }
  const std::string& notice() const { return m_notice; }

  // Writes one line and flushes it to the disk: once this returns, the record survives a kill and a
  // power cut. On an error (a full disk) the file is as it was before.
  Status append(const ResultJson& record);

 private:
  ResultLog(std::filesystem::path path, int file);

  std::filesystem::path m_path;
  int m_file = -1;          // descriptor
  std::int64_t m_size = 0;  // bytes
  std::vector<ResultJson> m_records;
  std::string m_notice;
};

}  // namespace ropescope
