#include "core/calibration/longrope_log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "core/base/file_io.h"
#include "core/base/json_text.h"

namespace ropescope::calibration {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "longrope_search";
constexpr int kVersion = 1;

Error deviceError(const std::filesystem::path& path, const std::string& what,
                  const std::string& cure) {
  return Error{ErrorCode::Device, path.string() + ": " + what + "; " + cure};
}

Error writeError(const std::filesystem::path& path, int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  return deviceError(path, std::string("cannot be written (") + std::strerror(error) + ")",
                     full ? "free some space and go on with --resume"
                          : "choose another folder or change permissions");
}

Json lineOf(const Evaluation& evaluation) {
  return {{"evaluation", evaluation.number},
          {"origin", evaluation.origin},
          {"factors", evaluation.candidate.factors},
          {"unscaled_tokens", evaluation.candidate.unscaledTokens},
          {"loss", std::isfinite(evaluation.loss) ? Json(evaluation.loss) : Json(nullptr)}};
}

// Throws nlohmann's exceptions on fields of a wrong kind; the caller names the line.
Evaluation evaluationOf(const nlohmann::json& line) {
  Evaluation evaluation;
  evaluation.number = line.at("evaluation").get<std::int64_t>();
  evaluation.origin = line.at("origin").get<std::string>();
  evaluation.candidate.factors = line.at("factors").get<std::vector<double>>();
  evaluation.candidate.unscaledTokens = line.at("unscaled_tokens").get<std::int64_t>();
  const auto& loss = line.at("loss");
  evaluation.loss = loss.is_null() ? std::numeric_limits<double>::infinity() : loss.get<double>();
  return evaluation;
}

std::string valueText(const nlohmann::json& settings, const std::string& name) {
  constexpr std::size_t kMost = 120;
  if (!settings.contains(name)) return "nothing";
  const std::string text = settings[name].dump();
  return text.size() <= kMost ? text : text.substr(0, kMost) + "…";
}

// The first setting in which the two differ.
Status compareSettings(const nlohmann::json& found, const Json& wanted,
                       const std::filesystem::path& path) {
  const nlohmann::json now = nlohmann::json::parse(wanted.dump());
  nlohmann::json names = found;
  names.update(now);
  for (const auto& [name, value] : names.items()) {
    if (found.contains(name) && now.contains(name) && found[name] == now[name]) continue;
    return Error{ErrorCode::InvalidArgument,
                 path.string() + " was made with " + name + " " + valueText(found, name) +
                     ", this call has " + valueText(now, name) +
                     "; resume with the same settings, or start a new search with another --out"};
  }
  return Done{};
}

}  // namespace

SearchLog::SearchLog(std::filesystem::path path, int file)
    : m_path(std::move(path)), m_file(file) {}

SearchLog::SearchLog(SearchLog&& other) noexcept
    : m_path(std::move(other.m_path)),
      m_file(std::exchange(other.m_file, -1)),
      m_bytes(other.m_bytes),
      m_known(std::move(other.m_known)) {}

SearchLog::~SearchLog() {
  if (m_file >= 0) ::close(m_file);
}

Result<SearchLog> SearchLog::open(const std::filesystem::path& path, const Json& settings,
                                  bool resume) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) return writeError(path, errno);
  SearchLog log(path, file);
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    return deviceError(path, "another search is writing to it",
                       "wait for it or choose another --out");
  }
  const off_t size = ::lseek(file, 0, SEEK_END);
  if (size > 0 && !resume) {
    return Error{ErrorCode::InvalidArgument,
                 path.string() + " holds an earlier search; go on with it by --resume, or choose "
                                 "another --out"};
  }
  if (Status read = log.read(settings); !read) return read.error();
  if (log.m_bytes == 0) {
    const Json header{{kFormat, kVersion}, {"settings", settings}};
    if (Status written = log.writeLine(header); !written) return written.error();
  }
  return log;
}

Status SearchLog::read(const Json& settings) {
  const auto text = readFile(m_path);
  if (!text) return text.error();
  std::int64_t number = 0;
  for (std::size_t begin = 0; begin < text->size();) {
    const auto end = text->find('\n', begin);
    if (end == std::string::npos) break;  // cut by a kill
    ++number;
    const std::string name = m_path.string() + ", line " + std::to_string(number);
    const auto line = parseJsonObject(std::string_view(*text).substr(begin, end - begin), name);
    if (!line) return line.error();
    if (number == 1) {
      if (!line->contains(kFormat) || (*line)[kFormat] != kVersion || !line->contains("settings")) {
        return Error{ErrorCode::CorruptFile,
                     m_path.string() + " is no log of a factor search of this version; choose "
                                       "another --out"};
      }
      if (Status same = compareSettings((*line)["settings"], settings, m_path); !same) return same;
    } else {
      try {
        m_known.push_back(evaluationOf(*line));
      } catch (const nlohmann::json::exception&) {
        return Error{ErrorCode::CorruptFile,
                     name + " is no evaluation (evaluation, origin, factors, unscaled_tokens, "
                            "loss); choose another --out"};
      }
    }
    begin = end + 1;
    m_bytes = static_cast<std::int64_t>(begin);
  }
  if (::ftruncate(m_file, m_bytes) != 0) return writeError(m_path, errno);
  return Done{};
}

Status SearchLog::writeLine(const Json& line) {
  const std::string text = line.dump() + "\n";
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t written = ::write(m_file, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int error = errno;
      // A half line must not stand before later ones; should this fail too, reading drops it.
      [[maybe_unused]] const int cut = ::ftruncate(m_file, m_bytes);
      return writeError(m_path, error);
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  m_bytes += static_cast<std::int64_t>(text.size());
  return Done{};
}

Status SearchLog::append(const Evaluation& evaluation) {
  return writeLine(lineOf(evaluation));
}

}  // namespace ropescope::calibration
