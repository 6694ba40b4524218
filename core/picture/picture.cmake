# What the picture files need: the stb headers, and a font compiled into the program so that a copy
# on another machine draws the same picture. Without them the files still build and every picture
# function answers with an Unsupported error. Sets ROPESCOPE_PICTURES to ON or OFF.
set(ROPESCOPE_PICTURES ON)
if(NOT ROPESCOPE_STB_INCLUDE)
  message(STATUS "Pictures: off, no stb/stb_truetype.h (Debian: libstb-dev)")
  set(ROPESCOPE_PICTURES OFF)
elseif(NOT EXISTS "${ROPESCOPE_FONT}")
  message(STATUS "Pictures: off, no font at '${ROPESCOPE_FONT}' (Debian: fonts-dejavu-core)")
  set(ROPESCOPE_PICTURES OFF)
endif()

if(ROPESCOPE_PICTURES)
  target_include_directories(ropescope_core SYSTEM PRIVATE "${ROPESCOPE_STB_INCLUDE}")
  set_property(SOURCE "${CMAKE_CURRENT_LIST_DIR}/png.cpp" "${CMAKE_CURRENT_LIST_DIR}/font.cpp"
    APPEND PROPERTY COMPILE_DEFINITIONS ROPESCOPE_HAVE_STB)

  # The bold face lies beside the regular one in every DejaVu package; without it titles are drawn
  # in the regular face.
  set(picture_font_files "${ROPESCOPE_FONT}")
  set(picture_font_definitions "ROPESCOPE_FONT_PATH=\"${ROPESCOPE_FONT}\"")
  string(REGEX REPLACE "\\.ttf$" "-Bold.ttf" picture_bold_font "${ROPESCOPE_FONT}")
  if(NOT picture_bold_font STREQUAL ROPESCOPE_FONT AND EXISTS "${picture_bold_font}")
    list(APPEND picture_font_files "${picture_bold_font}")
    list(APPEND picture_font_definitions "ROPESCOPE_BOLD_FONT_PATH=\"${picture_bold_font}\"")
  endif()
  set_source_files_properties("${CMAKE_CURRENT_LIST_DIR}/embedded_font.cpp" PROPERTIES
    COMPILE_DEFINITIONS "${picture_font_definitions}"
    OBJECT_DEPENDS "${picture_font_files}")
endif()
