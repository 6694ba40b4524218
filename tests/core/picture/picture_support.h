// Shared by the picture tests.
#pragma once

#include <gtest/gtest.h>

#include "core/picture/font.h"

namespace ropescope::picture {

// Programs may be built without a font; then every picture answers Unsupported and there is nothing
// to look at.
inline bool havePictures() {
  return static_cast<bool>(Font::embedded(FontWeight::Regular));
}

}  // namespace ropescope::picture

#define SKIP_WITHOUT_PICTURES()                                                  \
  if (!::ropescope::picture::havePictures()) {                                   \
    GTEST_SKIP() << "built without the stb headers or a font: no pictures here"; \
  }                                                                              \
  static_assert(true)
