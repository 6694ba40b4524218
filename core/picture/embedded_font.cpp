#include "core/picture/embedded_font.h"

// ROPESCOPE_FONT_PATH and ROPESCOPE_BOLD_FONT_PATH come from picture.cmake. The assembler copies
// the whole file into the read-only data of the program.
#define ROPESCOPE_EMBED(symbol, path)                                                       \
  __asm__(                                                                                  \
      ".pushsection .rodata\n"                                                              \
      ".global " #symbol "\n.hidden " #symbol "\n.balign 16\n" #symbol ":\n.incbin \"" path \
      "\"\n"                                                                                \
      ".global " #symbol "_end\n.hidden " #symbol "_end\n" #symbol                          \
      "_end:\n.byte 0\n.popsection\n");                                                     \
  extern "C" const unsigned char symbol[];                                                  \
  extern "C" const unsigned char symbol##_end[]

#ifdef ROPESCOPE_FONT_PATH
ROPESCOPE_EMBED(ropescope_regular_font, ROPESCOPE_FONT_PATH);
#endif
#ifdef ROPESCOPE_BOLD_FONT_PATH
ROPESCOPE_EMBED(ropescope_bold_font, ROPESCOPE_BOLD_FONT_PATH);
#endif

namespace ropescope::picture {

std::span<const unsigned char> embeddedFont([[maybe_unused]] FontWeight weight) {
#ifdef ROPESCOPE_BOLD_FONT_PATH
  if (weight == FontWeight::Bold) return {ropescope_bold_font, ropescope_bold_font_end};
#endif
#ifdef ROPESCOPE_FONT_PATH
  return {ropescope_regular_font, ropescope_regular_font_end};
#else
  return {};
#endif
}

}  // namespace ropescope::picture
