// The bytes of the fonts compiled into the program; empty when it was built without them.
#pragma once

#include <span>

#include "core/picture/paint.h"

namespace ropescope::picture {

std::span<const unsigned char> embeddedFont(FontWeight weight);

}  // namespace ropescope::picture
