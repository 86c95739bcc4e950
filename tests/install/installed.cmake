# Installs into a folder of the build tree, then builds examples/embed against it, once with find_package and once with
# pkg-config, and compares what it prints.
#
# cmake -D BUILD_DIR= -D WORK_DIR= -D EXAMPLE_DIR= -D COMPILER= -D PKG_CONFIG= -D LIBDIR= -D FLAGS= -P installed.cmake
cmake_minimum_required(VERSION 3.25)

set(prefix ${WORK_DIR}/prefix)
file(REMOVE_RECURSE ${WORK_DIR})
file(MAKE_DIRECTORY ${WORK_DIR})
separate_arguments(flags UNIX_COMMAND "${FLAGS}")
file(READ ${EXAMPLE_DIR}/expected.txt expected)

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY COMMAND_ECHO STDOUT)
endfunction()

function(check_output program)
  execute_process(COMMAND ${program} OUTPUT_VARIABLE printed COMMAND_ERROR_IS_FATAL ANY)
  if(NOT printed STREQUAL expected)
    message(FATAL_ERROR "${program} printed\n${printed}expected\n${expected}")
  endif()
endfunction()

run(${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${prefix})

run(${CMAKE_COMMAND} -S ${EXAMPLE_DIR} -B ${WORK_DIR}/by_package -D CMAKE_PREFIX_PATH=${prefix}
    -D CMAKE_C_COMPILER=${COMPILER} "-DCMAKE_C_FLAGS=${FLAGS}")
run(${CMAKE_COMMAND} --build ${WORK_DIR}/by_package)
check_output(${WORK_DIR}/by_package/embed)

set(ENV{PKG_CONFIG_PATH} ${prefix}/${LIBDIR}/pkgconfig)
execute_process(COMMAND ${PKG_CONFIG} --cflags --libs faultline OUTPUT_VARIABLE words
                OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
separate_arguments(words UNIX_COMMAND "${words}")
run(${COMPILER} -std=c17 ${flags} ${EXAMPLE_DIR}/embed.c ${words} -Wl,-rpath,${prefix}/${LIBDIR}
    -o ${WORK_DIR}/by_pkg_config)
check_output(${WORK_DIR}/by_pkg_config)

foreach(file bin/faultline share/man/man1/faultline.1 share/bash-completion/completions/faultline
             share/faultline/workloads/first-malloc.json)
  if(NOT EXISTS ${prefix}/${file})
    message(FATAL_ERROR "${file} was not installed")
  endif()
endforeach()
