#include "core/base/file_io.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <system_error>

namespace ropescope {
namespace {

Error diskError(const std::filesystem::path& path, int error) {
  std::string message = path.string() + ": cannot be written (" + std::strerror(error) + ")";
  message += error == ENOSPC || error == EDQUOT
                 ? "; free some space and run again, the old file is untouched"
                 : "; choose another folder or change its permissions";
  return Error{ErrorCode::Device, message};
}

int writeAll(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(file) == 0 || errno == EINVAL ? 0 : errno;
}

// Devices and pipes (/dev/stdout, /dev/full) cannot be renamed over.
Status writeInPlace(const std::filesystem::path& path, std::string_view bytes) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0) return diskError(path, errno);
  int error = writeAll(file, bytes);
  if (::close(file) != 0 && error == 0) error = errno;
  if (error != 0) return diskError(path, error);
  return Done{};
}

}  // namespace

Result<std::string> readFile(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return Error{ErrorCode::InvalidArgument,
                 path.string() + " is a folder; a file is wanted here"};
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return Error{ErrorCode::NotFound, path.string() + ": cannot be opened (" +
                                          std::strerror(errno) + "); check the name"};
  }
  std::ostringstream content;
  content << file.rdbuf();
  if (file.bad()) return Error{ErrorCode::Device, path.string() + ": reading stopped halfway"};
  return std::move(content).str();
}

Status writeFileAtomically(const std::filesystem::path& path, std::string_view bytes) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored)) {
    return writeInPlace(path, bytes);
  }
  const std::filesystem::path partial = path.string() + ".partial";
  const int file = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return diskError(path, errno);
  int error = writeAll(file, bytes);
  if (::close(file) != 0 && error == 0) error = errno;
  if (error == 0 && std::rename(partial.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(partial.c_str());
    return diskError(path, error);
  }
  return Done{};
}

}  // namespace ropescope
