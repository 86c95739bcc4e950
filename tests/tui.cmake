# The visualizer: what is drawn, there and back, under random keys, and in a real terminal.
find_package(PkgConfig REQUIRED)
pkg_check_modules(VTERM IMPORTED_TARGET vterm)

function(faultline_tui_runner name source)
  add_executable(${name} ${source})
  faultline_test_settings(${name})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/sim/tui)
  target_link_libraries(${name} PRIVATE faultline_test_support ${FAULTLINE_TOP_LAYER})
endfunction()

faultline_tui_runner(tui_steps tui/steps.c)
faultline_tui_runner(tui_fuzz tui/fuzz.c)

file(GLOB lessons CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/workloads/*.json)
set(FAULTLINE_TUI_MOST 150 CACHE STRING "Events of each lesson that tui.there_and_back visits, 0: all")
foreach(path IN LISTS lessons)
  cmake_path(GET path STEM name)
  add_test(NAME tui.there_and_back.${name} COMMAND tui_steps --most ${FAULTLINE_TUI_MOST} ${path})
  set_tests_properties(tui.there_and_back.${name} PROPERTIES TIMEOUT 1200)
endforeach()
set(FAULTLINE_TUI_FUZZ_SECONDS 5 CACHE STRING "Seconds of random keys in tui.fuzz")
add_test(NAME tui.fuzz COMMAND tui_fuzz --seconds ${FAULTLINE_TUI_FUZZ_SECONDS} ${lessons})
set_tests_properties(tui.fuzz PROPERTIES TIMEOUT 1200)
faultline_script_test(tui.screens tui/screens.py $<TARGET_FILE:faultline_program> ${PROJECT_SOURCE_DIR})

# In a pseudo-terminal, drawn by libvterm.
if(TARGET PkgConfig::VTERM)
  add_executable(tui_terminal tui/terminal.c tui/session.c)
  faultline_test_settings(tui_terminal)
  target_link_libraries(tui_terminal PRIVATE PkgConfig::VTERM util)
  add_test(NAME tui.terminal COMMAND tui_terminal $<TARGET_FILE:faultline_program> ${PROJECT_SOURCE_DIR})
  set_tests_properties(tui.terminal PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE ${FAULTLINE_SKIPPED})
else()
  add_test(NAME tui.terminal COMMAND ${CMAKE_COMMAND} -E echo
           "SKIPPED: no libvterm, the program was NOT tried in a terminal")
  set_tests_properties(tui.terminal PROPERTIES SKIP_REGULAR_EXPRESSION "^SKIPPED")
endif()

# What is written about it is what it does.
faultline_script_test(docs.tui_keys tui/manual.py $<TARGET_FILE:faultline_program> ${PROJECT_SOURCE_DIR})
faultline_script_test(docs.tui_guide tui/guide.py $<TARGET_FILE:faultline_program> ${PROJECT_SOURCE_DIR})
