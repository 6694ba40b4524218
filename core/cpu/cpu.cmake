# bfloat16 attention for CPUs with AVX512-BF16, and AMX where there is that too. Only the *_blocks.cpp
# and amx/ are compiled for such CPUs, and they define nothing that other code could share; they run
# after the CPU has been asked. Where the compiler or the machine has no such instructions,
# attentionBf16Supported() and attentionTilesSupported() are false.
include(CheckCXXCompilerFlag)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  check_cxx_compiler_flag(-mavx512bf16 ROPESCOPE_COMPILER_HAS_AVX512_BF16)
endif()
if(ROPESCOPE_COMPILER_HAS_AVX512_BF16)
  # GCC 12 sees uninitialised values inside its own intrinsics (GCC bug 105593).
  set(avx512_options
    "-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mavx512bf16;$<$<CXX_COMPILER_ID:GNU>:-Wno-uninitialized;-Wno-maybe-uninitialized>")
  set(avx512 "${CMAKE_CURRENT_LIST_DIR}/avx512")
  set(avx512_blocks "${avx512}/pack_blocks.cpp" "${avx512}/forward_blocks.cpp"
    "${avx512}/backward_blocks.cpp")
  target_sources(ropescope_core PRIVATE ${avx512_blocks} "${avx512}/forward_pass.cpp"
    "${avx512}/backward_pass.cpp")
  set_source_files_properties(${avx512_blocks} PROPERTIES COMPILE_OPTIONS "${avx512_options}")
  set_property(SOURCE "${CMAKE_CURRENT_LIST_DIR}/attention_bf16.cpp"
    APPEND PROPERTY COMPILE_DEFINITIONS ROPESCOPE_AVX512_BF16)
  if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
    check_cxx_compiler_flag(-mamx-bf16 ROPESCOPE_COMPILER_HAS_AMX_BF16)
  endif()
endif()
if(ROPESCOPE_COMPILER_HAS_AMX_BF16)
  set(amx "${CMAKE_CURRENT_LIST_DIR}/amx")
  set(amx_blocks "${amx}/forward_blocks.cpp" "${amx}/backward_blocks.cpp" "${amx}/tile_shapes.cpp")
  target_sources(ropescope_core PRIVATE ${amx_blocks})
  set_source_files_properties(${amx_blocks} PROPERTIES
    COMPILE_OPTIONS "${avx512_options};-mamx-tile;-mamx-bf16")
  set_property(SOURCE "${CMAKE_CURRENT_LIST_DIR}/attention_bf16.cpp"
    APPEND PROPERTY COMPILE_DEFINITIONS ROPESCOPE_AMX_BF16)
endif()
