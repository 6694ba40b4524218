# The checks themselves: a tree with one wrong line each must fail.
#   cmake -DROOT=… -DSCRATCH=… -P check_the_checks.cmake
cmake_minimum_required(VERSION 3.25)
function(expect_failure what check path text)
  file(REMOVE_RECURSE "${SCRATCH}")
  file(MAKE_DIRECTORY "${SCRATCH}")
  foreach(part IN ITEMS core ui app)
    file(COPY "${ROOT}/${part}" DESTINATION "${SCRATCH}")
  endforeach()
  get_filename_component(folder "${SCRATCH}/${path}" DIRECTORY)
  file(MAKE_DIRECTORY "${folder}")
  file(APPEND "${SCRATCH}/${path}" "\n${text}\n")
  execute_process(COMMAND "${CMAKE_COMMAND}" -DROOT=${SCRATCH}
    -P "${CMAKE_CURRENT_LIST_DIR}/${check}.cmake"
    RESULT_VARIABLE failed OUTPUT_QUIET ERROR_VARIABLE said)
  file(REMOVE_RECURSE "${SCRATCH}")
  if(NOT failed)
    message(FATAL_ERROR "${check} does not see ${what}")
  endif()
  if(NOT said MATCHES "${path}")
    message(FATAL_ERROR "${check} fails on ${what}, but does not name ${path}:\n${said}")
  endif()
endfunction()

expect_failure("Qt in core" check_includes core/engine/session.cpp "#include <QString>")
expect_failure("torch in a plain header" check_includes core/engine/engine.h
  "#include <ATen/ATen.h>")
expect_failure("torch through a plain header" check_includes core/engine/engine.h
  "#  include \"core/model/weights_torch.h\"")
expect_failure("torch in base" check_includes core/base/log.h "#include <c10/core/Device.h>")
expect_failure("an upward include" check_includes core/model/weights_torch.cpp
  "#include \"core/engine/engine.h\"")
expect_failure("a folder nobody knows" check_includes core/extra/new.h "#pragma once")
expect_failure("torch in ui" check_includes ui/text/error_text.cpp "#include <torch/torch.h>")
expect_failure("a torch header in ui" check_includes ui/text/error_text.cpp
  "#include \"core/engine/session_torch.h\"")
expect_failure("Qt in the command line" check_includes app/cli_main.cpp "#include <QtCore/QFile>")
expect_failure("a compared method" check_one_file_additions core/engine/engine.cpp
  "  if (plan.method == \"yarn\") return 1;")
expect_failure("a compared family" check_one_file_additions core/engine/engine.cpp
  "  if (\"llama\"sv != config.family) return 1;")
message(STATUS "every wrong line was seen")
