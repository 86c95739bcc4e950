# One program per file of tests/diff, linked with everything: build/<preset>/tests/<name>. Those about translation need
# no more than the machine.
file(GLOB runners CONFIGURE_DEPENDS diff/*.c)
foreach(source IN LISTS runners)
  cmake_path(GET source STEM name)
  add_executable(${name} ${source})
  faultline_test_settings(${name})
  set(under_test ${FAULTLINE_TOP_LAYER})
  if(name MATCHES "^(mmu|privileged|code)_")
    set(under_test faultline_machine)
  endif()
  target_link_libraries(${name} PRIVATE faultline_test_support ${under_test} PkgConfig::CJSON ZLIB::ZLIB
                                        PkgConfig::CMOCKA)
endforeach()

# All of tests/bench is one program, bench. It measures and is no test.
file(GLOB bench CONFIGURE_DEPENDS bench/*.c)
if(bench)
  add_executable(bench ${bench})
  target_compile_definitions(bench PRIVATE FAULTLINE_SOURCE_DIR="${PROJECT_SOURCE_DIR}" FAULTLINE_VECTORS="${FAULTLINE_VECTORS}")
  faultline_test_settings(bench)
  target_link_libraries(bench PRIVATE faultline_test_support ${FAULTLINE_TOP_LAYER})
endif()

# faultline_vectors_test(NAME RUNNER PATTERN...): runs a program of tests/diff on recordings, given as patterns below
# FAULTLINE_VECTORS. Where there are none the test is skipped and says so.
function(faultline_vectors_test name runner)
  if(NOT TARGET ${runner})
    return()
  endif()
  list(TRANSFORM ARGN PREPEND ${FAULTLINE_VECTORS}/ OUTPUT_VARIABLE patterns)
  set(files "")
  if(FAULTLINE_VECTORS)
    file(GLOB files ${patterns})
  endif()
  if(files)
    add_test(NAME ${name} COMMAND ${runner} ${files})
    set_tests_properties(${name} PROPERTIES TIMEOUT 600)
  else()
    add_test(NAME ${name} COMMAND ${CMAKE_COMMAND} -E echo
             "SKIPPED: no recordings ${ARGN} in FAULTLINE_VECTORS '${FAULTLINE_VECTORS}', ${name} was NOT run")
    set_tests_properties(${name} PROPERTIES SKIP_REGULAR_EXPRESSION "^SKIPPED")
  endif()
endfunction()

faultline_vectors_test(diff.mmu_4level mmu_vectors mmu/4level.jsonl.gz)

# A runner with wishes of its own brings a file beside it.
file(GLOB extras CONFIGURE_DEPENDS diff/*.cmake bench/*.cmake)
foreach(extra IN LISTS extras)
  include(${extra})
endforeach()
