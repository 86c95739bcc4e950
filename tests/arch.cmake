# Rules of the tree that a compiler does not enforce: tests/arch/*.py.
find_package(Python3 COMPONENTS Interpreter)

# faultline_script_test(NAME SCRIPT ARGUMENT...): a test in Python. Without Python it is skipped and says so.
function(faultline_script_test name script)
  if(Python3_Interpreter_FOUND)
    add_test(NAME ${name} COMMAND Python3::Interpreter -B ${CMAKE_CURRENT_SOURCE_DIR}/${script} ${ARGN})
  else()
    add_test(NAME ${name} COMMAND ${CMAKE_COMMAND} -E echo "SKIPPED: no python3, ${name} was NOT run")
    set_tests_properties(${name} PROPERTIES SKIP_REGULAR_EXPRESSION "^SKIPPED")
  endif()
  set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE ${FAULTLINE_SKIPPED})
endfunction()

faultline_script_test(arch.include_directions arch/include_directions.py ${PROJECT_SOURCE_DIR})
faultline_script_test(arch.headers_alone arch/headers_alone.py ${PROJECT_SOURCE_DIR} ${CMAKE_C_COMPILER})
faultline_script_test(arch.size arch/size.py ${PROJECT_SOURCE_DIR})
faultline_script_test(arch.format arch/format.py ${PROJECT_SOURCE_DIR})
faultline_script_test(arch.links arch/links.py ${PROJECT_SOURCE_DIR})
faultline_script_test(arch.self_test arch/self_test.py ${CMAKE_C_COMPILER} ${CMAKE_NM})

# Sanitizers and coverage add variables of their own to every object.
if(NOT FAULTLINE_SANITIZERS AND NOT FAULTLINE_COVERAGE)
  set(objects "")
  foreach(layer IN LISTS FAULTLINE_LAYERS)
    list(APPEND objects $<TARGET_OBJECTS:faultline_${layer}_objects>)
  endforeach()
  if(TARGET faultline_program)
    list(APPEND objects $<TARGET_OBJECTS:faultline_program>)
  endif()
  set(object_list ${CMAKE_CURRENT_BINARY_DIR}/objects.txt)
  file(GENERATE OUTPUT ${object_list} CONTENT "$<JOIN:${objects},\n>\n")
  faultline_script_test(arch.writable_data arch/writable_data.py ${CMAKE_NM} ${object_list})
endif()
