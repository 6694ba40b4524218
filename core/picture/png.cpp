#include "core/picture/png.h"

#include "core/base/file_io.h"

#ifdef ROPESCOPE_HAVE_STB
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#include <stb/stb_image_write.h>
#endif

namespace ropescope::picture {

Result<std::string> encodePng([[maybe_unused]] const Canvas& canvas) {
#ifdef ROPESCOPE_HAVE_STB
  constexpr int kChannels = 3;
  std::string bytes;
  const auto append = [](void* target, void* data, int size) {
    static_cast<std::string*>(target)->append(static_cast<const char*>(data),
                                              static_cast<std::size_t>(size));
  };
  const int written =
      stbi_write_png_to_func(append, &bytes, canvas.pixelWidth(), canvas.pixelHeight(), kChannels,
                             canvas.pixels().data(), canvas.pixelWidth() * kChannels);
  if (written == 0) {
    return Error{ErrorCode::OutOfMemory, "PNG: not enough memory to compress a picture of " +
                                             std::to_string(canvas.pixelWidth()) + " x " +
                                             std::to_string(canvas.pixelHeight()) + " pixels"};
  }
  return bytes;
#else
  return picturesUnsupported();
#endif
}

Status writePng(const Canvas& canvas, const std::filesystem::path& path) {
  const auto bytes = encodePng(canvas);
  if (!bytes) return bytes.error();
  return writeFileAtomically(path, *bytes);
}

}  // namespace ropescope::picture
