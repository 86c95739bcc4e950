# Tests of the finished program: every shipped workload runs to its end under the checker, twice the same; golden cases
# print what they should; the completion and the manual know every command.
if(NOT TARGET faultline_program)
  return()
endif()

file(GLOB workloads CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/workloads/*.json)
foreach(path IN LISTS workloads)
  cmake_path(GET path STEM name)
  add_test(NAME workload.${name} COMMAND faultline_program run --check --quiet ${path})
  set_tests_properties(workload.${name} PROPERTIES TIMEOUT 300)
endforeach()

# All of them in the other paging modes, too; but for those whose machine code is for 64 bits, or whose pages have
# 1 GiB, and those that want transparent huge pages, which Linux does not have where an entry of level 2 maps 4 MiB.
set(for_64_bits code-in-the-heap code-calls-malloc gigantic-pages)
set(for_2_mib hugetlb thp-bloat thp-gain)
foreach(paging 32-bit pae 5-level)
  foreach(path IN LISTS workloads)
    cmake_path(GET path STEM name)
    if(name IN_LIST for_64_bits AND NOT paging STREQUAL "5-level")
      continue()
    endif()
    if(name IN_LIST for_2_mib AND paging STREQUAL "32-bit")
      continue()
    endif()
    add_test(NAME workload.${paging}.${name} COMMAND faultline_program run --check --quiet --set
                                                     machine.paging=${paging} ${path})
    set_tests_properties(workload.${paging}.${name} PROPERTIES TIMEOUT 300)
  endforeach()
endforeach()

# And on several CPUs.
foreach(path IN LISTS workloads)
  cmake_path(GET path STEM name)
  add_test(NAME workload.4-cpus.${name} COMMAND faultline_program run --check --quiet --set machine.cpus=4 ${path})
  set_tests_properties(workload.4-cpus.${name} PROPERTIES TIMEOUT 300)
endforeach()

# golden/<case>/ with a command and what it must print.
file(GLOB commands CONFIGURE_DEPENDS golden/*/command)
foreach(command IN LISTS commands)
  cmake_path(GET command PARENT_PATH case)
  cmake_path(GET case FILENAME name)
  faultline_script_test(golden.${name} golden/golden.py $<TARGET_FILE:faultline_program> ${PROJECT_SOURCE_DIR} ${case})
endforeach()

# The peer is the same program from another compiler; without one, the program is compared with itself.
set(FAULTLINE_PEER "" CACHE FILEPATH "A faultline built by another compiler, to compare events with")
if(FAULTLINE_PEER)
  faultline_script_test(determinism.compilers determinism.py $<TARGET_FILE:faultline_program> ${FAULTLINE_PEER}
                        ${workloads})
endif()
faultline_script_test(determinism.runs determinism.py $<TARGET_FILE:faultline_program>
                      $<TARGET_FILE:faultline_program> ${workloads})
faultline_script_test(docs.options options_documented.py $<TARGET_FILE:faultline_program> ${PROJECT_SOURCE_DIR})
faultline_script_test(program.convert convert.py $<TARGET_FILE:faultline_program> ${PROJECT_SOURCE_DIR})
faultline_script_test(program.diff diff.py $<TARGET_FILE:faultline_program> ${PROJECT_SOURCE_DIR})
faultline_script_test(program.report report_page.py $<TARGET_FILE:faultline_program> ${PROJECT_SOURCE_DIR} numbers)
faultline_script_test(program.report_in_a_browser report_page.py $<TARGET_FILE:faultline_program> ${PROJECT_SOURCE_DIR}
                      browser)
set_tests_properties(program.report program.report_in_a_browser PROPERTIES TIMEOUT 900)
faultline_script_test(program.outputs outputs.py $<TARGET_FILE:faultline_program> ${PROJECT_SOURCE_DIR})
foreach(case jobs like_run seeds traces slices database kill interrupt damage refusals failing progress bug outside full_disk parallel slurm)
  faultline_script_test(batch.${case} batch.py $<TARGET_FILE:faultline_program> ${PROJECT_SOURCE_DIR} ${case})
  set_tests_properties(batch.${case} PROPERTIES TIMEOUT 600)
endforeach()
