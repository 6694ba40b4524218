# Libraries the core stands on. find_package(Torch) of the wheel does not configure with every
# CMake and nvcc, so LibTorch gets imported targets of our own.

if(NOT EXISTS "${ROPESCOPE_LIBTORCH}/lib/libtorch_cpu.so")
  message(FATAL_ERROR
    "LibTorch: no lib/libtorch_cpu.so in '${ROPESCOPE_LIBTORCH}'. Run ./app/run, which installs "
    "LibTorch 2.11.0, or name your own folder with -DROPESCOPE_LIBTORCH=DIR (the one that holds "
    "include/ and lib/).")
endif()

add_library(ropescope_torch INTERFACE)
target_include_directories(ropescope_torch SYSTEM INTERFACE
  "${ROPESCOPE_LIBTORCH}/include" "${ROPESCOPE_LIBTORCH}/include/torch/csrc/api/include")
target_link_libraries(ropescope_torch INTERFACE
  "${ROPESCOPE_LIBTORCH}/lib/libtorch_cpu.so" "${ROPESCOPE_LIBTORCH}/lib/libc10.so")
# libtorch_cpu.so finds its own neighbours at run time; the linker need not resolve them.
target_link_options(ropescope_torch INTERFACE -Wl,--allow-shlib-undefined)
set(CMAKE_BUILD_RPATH "${ROPESCOPE_LIBTORCH}/lib;$ORIGIN")
set(CMAKE_INSTALL_RPATH "$ORIGIN;${ROPESCOPE_LIBTORCH}/lib")

add_library(ropescope_sentencepiece INTERFACE)
if(ROPESCOPE_SENTENCEPIECE)
  find_library(ROPESCOPE_SENTENCEPIECE_LIBRARY sentencepiece REQUIRED
    HINTS "${ROPESCOPE_SENTENCEPIECE}/lib" "${ROPESCOPE_SENTENCEPIECE}/lib64"
          "${ROPESCOPE_SENTENCEPIECE}/lib/${CMAKE_LIBRARY_ARCHITECTURE}" NO_DEFAULT_PATH)
  target_include_directories(ropescope_sentencepiece SYSTEM INTERFACE
    "${ROPESCOPE_SENTENCEPIECE}/include")
  target_link_libraries(ropescope_sentencepiece INTERFACE "${ROPESCOPE_SENTENCEPIECE_LIBRARY}")
else()
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(SENTENCEPIECE REQUIRED IMPORTED_TARGET sentencepiece)
  target_link_libraries(ropescope_sentencepiece INTERFACE PkgConfig::SENTENCEPIECE)
endif()

find_path(ROPESCOPE_JSON_INCLUDE nlohmann/json.hpp REQUIRED)
find_path(ROPESCOPE_STB_INCLUDE stb/stb_truetype.h)

find_package(Threads REQUIRED)
