# The installed library serves a program that knows nothing of this tree.
if(TARGET faultline_workload AND TARGET faultline_program)
  set(flags "")
  if(FAULTLINE_SANITIZERS)
    string(APPEND flags " -fsanitize=${FAULTLINE_SANITIZERS}")
  endif()
  if(FAULTLINE_COVERAGE)
    string(APPEND flags " --coverage")
  endif()
  add_test(NAME install.embed
           COMMAND ${CMAKE_COMMAND} -D BUILD_DIR=${CMAKE_BINARY_DIR} -D WORK_DIR=${CMAKE_CURRENT_BINARY_DIR}/install
                   -D EXAMPLE_DIR=${PROJECT_SOURCE_DIR}/examples/embed -D COMPILER=${CMAKE_C_COMPILER}
                   -D PKG_CONFIG=${PKG_CONFIG_EXECUTABLE} -D LIBDIR=${CMAKE_INSTALL_LIBDIR} "-DFLAGS=${flags}"
                   -P ${CMAKE_CURRENT_SOURCE_DIR}/install/installed.cmake)
endif()
