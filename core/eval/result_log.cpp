#include "core/eval/result_log.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/base/file_io.h"
#include "core/base/json_text.h"

namespace ropescope {
namespace {

constexpr const char* kFormatKey = "ropescope_results";
constexpr int kFormatVersion = 1;

Error diskError(const std::filesystem::path& path, int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  return Error{ErrorCode::Device, path.string() + ": cannot be written (" + std::strerror(error) +
                                      ")" +
                                      (full ? "; free some space, what is in it is kept"
                                            : "; choose another folder or change permissions")};
}

// The settings in the first line.
Result<ResultJson> settingsOf(const ResultJson& header, const std::filesystem::path& path) {
  const auto version = header.is_object() ? header.find(kFormatKey) : header.end();
  if (!header.is_object() || version == header.end() || *version != kFormatVersion ||
      !header.contains("settings") || !header["settings"].is_object()) {
    return Error{ErrorCode::CorruptFile,
                 path.string() +
                     ": the first line is not the head of a result file (an object "
                     "with \"" +
                     kFormatKey + "\": " + std::to_string(kFormatVersion) +
                     " and \"settings\"); name another file"};
  }
  return header["settings"];
}

Status addLine(ResultLogContent& content, bool first, ResultJson line,
               const std::filesystem::path& path) {
  if (!first) {
    content.records.push_back(std::move(line));
    return Done{};
  }
  auto settings = settingsOf(line, path);
  if (!settings) return settings.error();
  content.settings = *std::move(settings);
  return Done{};
}

// For messages: whole when short.
std::string valueText(const nlohmann::json* value) {
  constexpr std::size_t kLongest = 100;
  if (value == nullptr) return "nothing";
  std::string text = value->dump(-1, ' ', true);  // ASCII: can be cut anywhere
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "…";
  return text;
}

// In nlohmann::json, where the order of an object's fields is no difference.
void addDifferences(const std::string& name, const nlohmann::json* before,
                    const nlohmann::json* now, std::vector<std::string>& differences) {
  if (before != nullptr && now != nullptr && *before == *now) return;
  const bool objects =
      before != nullptr && now != nullptr && before->is_object() && now->is_object();
  if (!objects) {
    differences.push_back("'" + name + "' " + valueText(before) + " where this call has " +
                          valueText(now));
    return;
  }
  std::set<std::string> keys;
  for (const auto* object : {before, now}) {
    for (const auto& [key, value] : object->items()) keys.insert(key);
  }
  for (const std::string& key : keys) {
    const auto field = [&](const nlohmann::json& object) {
      const auto found = object.find(key);
      return found == object.end() ? nullptr : &*found;
    };
    addDifferences(name.empty() ? key : name + "." + key, field(*before), field(*now), differences);
  }
}

// dump() escapes line ends, so this is one line; bytes that are no UTF-8 become U+FFFD.
std::string lineText(const ResultJson& json) {
  return json.dump(-1, ' ', false, ResultJson::error_handler_t::replace);
}

Status checkSettings(const nlohmann::json& before, const ResultJson& settings,
                     const std::filesystem::path& path) {
  const auto now = nlohmann::json::parse(lineText(settings));  // as the file would give it back
  std::vector<std::string> differences;
  addDifferences("", &before, &now, differences);
  if (differences.empty()) return Done{};
  constexpr std::size_t kMostNamed = 2;
  std::string text;
  for (std::size_t i = 0; i < std::min(kMostNamed, differences.size()); ++i) {
    text += (i > 0 ? ", and " : "") + differences[i];
  }
  if (differences.size() > kMostNamed) {
    text += ", and " + std::to_string(differences.size() - kMostNamed) + " more";
  }
  return Error{ErrorCode::InvalidArgument,
               path.string() + " was begun with other settings: " + text +
                   "; repeat the call that began it, or name another file"};
}

Status checkRegular(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored) || std::filesystem::is_regular_file(path, ignored)) {
    return Done{};
  }
  return Error{ErrorCode::InvalidArgument,
               path.string() +
                   " is a folder or a device; results that can be resumed need a "
                   "regular file"};
}

// 0 or errno.
int writeWhole(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fdatasync(file) == 0 ? 0 : errno;
}

}  // namespace

Result<ResultLogContent> readResultLog(const std::filesystem::path& path) {
  const auto text = readFile(path);
  if (!text) return text.error();
  ResultLogContent content;
  std::size_t begin = 0;
  for (std::int64_t number = 1; begin < text->size(); ++number) {
    const std::size_t end = text->find('\n', begin);
    const bool last = end == std::string::npos || end + 1 == text->size();
    const std::string name = path.string() + " line " + std::to_string(number);
    const auto line = parseJson(std::string_view(*text).substr(begin, end - begin), name);
    if (end == std::string::npos || (!line && last)) {
      content.notice = name + " was cut off while it was written and is left out";
      break;
    }
    if (!line) return line.error();
    // Once more for the order of the fields; parseJson has made sure that it can be done.
    auto ordered = ResultJson::parse(std::string_view(*text).substr(begin, end - begin));
    if (Status added = addLine(content, number == 1, std::move(ordered), path); !added) {
      return added.error();
    }
    begin = end + 1;
  }
  content.wholeBytes = static_cast<std::int64_t>(begin);
  return content;
}

ResultLog::ResultLog(std::filesystem::path path, int file)
    : m_path(std::move(path)),
      m_file(file) {}

ResultLog::~ResultLog() {
  if (m_file >= 0) ::close(m_file);
}

ResultLog::ResultLog(ResultLog&& other) noexcept
    : m_path(std::move(other.m_path)),
      m_file(std::exchange(other.m_file, -1)),
      m_size(other.m_size),
      m_records(std::move(other.m_records)),
      m_notice(std::move(other.m_notice)) {}

ResultLog& ResultLog::operator=(ResultLog&& other) noexcept {
  std::swap(m_path, other.m_path);
  std::swap(m_file, other.m_file);
  std::swap(m_size, other.m_size);
  std::swap(m_records, other.m_records);
  std::swap(m_notice, other.m_notice);
  return *this;
}

Result<ResultLog> ResultLog::open(const std::filesystem::path& path, const ResultJson& settings,
                                  LogStart start) {
  if (Status regular = checkRegular(path); !regular) return regular.error();
  ResultLog log(path, ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (log.m_file < 0) return diskError(path, errno);
  // The system lets go of the lock when the program ends, however it ends.
  if (::flock(log.m_file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return Error{ErrorCode::InvalidArgument,
                 path.string() +
                     " is being written by another program; wait for it or name "
                     "another file"};
  }
  auto content = readResultLog(path);
  if (!content) return content.error();
  const bool begun = !content->settings.is_null();
  if (begun && start == LogStart::Fresh) {
    return Error{ErrorCode::InvalidArgument,
                 path.string() + " holds " + std::to_string(content->records.size()) +
                     " results already; add --resume to go on with them, or name another file"};
  }
  if (begun) {
    if (Status same = checkSettings(nlohmann::json(content->settings), settings, path); !same) {
      return same.error();
    }
  }
  if (::ftruncate(log.m_file, content->wholeBytes) != 0) return diskError(path, errno);
  log.m_size = content->wholeBytes;
  log.m_records = std::move(content->records);
  log.m_notice = std::move(content->notice);
  if (!begun) {
    Status written = log.append({{kFormatKey, kFormatVersion}, {"settings", settings}});
    if (!written) return written.error();
  }
  return log;
}

Status ResultLog::append(const ResultJson& record) {
  const std::string line = lineText(record) + "\n";
  if (const int error = writeWhole(m_file, line); error != 0) {
    // Half a line must not stand before the next record.
    if (::ftruncate(m_file, m_size) != 0) return diskError(m_path, errno);
    return diskError(m_path, error);
  }
  m_size += static_cast<std::int64_t>(line.size());
  return Done{};
}

}  // namespace ropescope
