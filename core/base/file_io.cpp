#include "core/base/file_io.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ropescope {
namespace {

Error diskError(const std::filesystem::path& path, int error, const char* state) {
  std::string message = path.string() + ": cannot be written (" + std::strerror(error) + ")";
  message += error == ENOSPC || error == EDQUOT ? "; free some space and run again"
                                                : "; choose another folder or change permissions";
  return Error{ErrorCode::Device, message + state};
}

constexpr const char* kOldFileSafe = ", the old file is untouched";

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

// Devices, pipes and open descriptors (/dev/stdout, /dev/full) cannot be renamed over.
bool isInPlace(const std::filesystem::path& path) {
  std::error_code ignored;
  const std::string text = path.lexically_normal().string();
  const bool special = text.rfind("/dev/", 0) == 0 || text.rfind("/proc/", 0) == 0;
  return special || (std::filesystem::exists(path, ignored) &&
                     !std::filesystem::is_regular_file(path, ignored));
}

Status writeInPlace(const std::filesystem::path& path, std::string_view bytes) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0) return diskError(path, errno, "");
  int error = writeAll(file, bytes);
  if (::close(file) != 0 && error == 0) error = errno;
  if (error != 0) return diskError(path, error, "");
  return Done{};
}

// The process id keeps two programs from writing into one partial file.
std::string partialName(const std::filesystem::path& target) {
  return target.string() + "." + std::to_string(::getpid()) + ".partial";
}

// With the old file's permissions.
int openPartial(const std::filesystem::path& target, const std::string& partial) {
  struct stat old {};
  const mode_t mode = ::stat(target.c_str(), &old) == 0 ? old.st_mode & 0777 : 0644;
  return ::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
}

// Where a link leads, so that the link stays and the file behind it is replaced.
std::filesystem::path behindLinks(const std::filesystem::path& path) {
  std::error_code error;
  const auto real = std::filesystem::weakly_canonical(path, error);
  return error || !std::filesystem::is_symlink(path, error) ? path : real;
}

}  // namespace

Result<std::string> readFile(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return Error{ErrorCode::InvalidArgument, path.string() + " is a folder; a file is wanted here"};
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
  if (isInPlace(path)) return writeInPlace(path, bytes);
  const std::filesystem::path target = behindLinks(path);
  const std::string partial = partialName(target);
  const int file = openPartial(target, partial);
  if (file < 0) return diskError(path, errno, kOldFileSafe);
  int error = writeAll(file, bytes);
  if (::close(file) != 0 && error == 0) error = errno;
  if (error == 0 && std::rename(partial.c_str(), target.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(partial.c_str());
    return diskError(path, error, kOldFileSafe);
  }
  return Done{};
}

Status checkWritable(const std::filesystem::path& path) {
  if (isInPlace(path)) return writeInPlace(path, {});
  const std::filesystem::path target = behindLinks(path);
  const std::string partial = partialName(target);
  const int file = openPartial(target, partial);
  if (file < 0) return diskError(path, errno, "");
  ::close(file);
  ::unlink(partial.c_str());
  return Done{};
}

}  // namespace ropescope
