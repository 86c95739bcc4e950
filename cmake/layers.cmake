# One static library per folder of sim/, one for all of them together, and the program on top.
#
# faultline_layer(NAME [USES TARGET...]), called from the bottom layer upwards:
#   faultline_NAME_objects  the compiled files
#   faultline_NAME          the archive, linked with everything below it
# A layer sees the public headers and its own private ones, nothing else. A folder without sources is skipped.
set(FAULTLINE_LAYERS "")
set(FAULTLINE_LAYER_USES "")

function(faultline_compile_settings target)
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                                              $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_options(${target} PRIVATE ${FAULTLINE_WARNINGS})
  if(FAULTLINE_LTO)
    set_target_properties(${target} PROPERTIES INTERPROCEDURAL_OPTIMIZATION ON)
    target_compile_options(${target} PRIVATE -ffat-lto-objects)
  endif()
endfunction()

function(faultline_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 layer "" "" "USES")
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/sim/${name}/*.c)
  if(NOT sources)
    return()
  endif()
  add_library(faultline_${name}_objects OBJECT ${sources})
  faultline_compile_settings(faultline_${name}_objects)
  target_include_directories(faultline_${name}_objects PRIVATE ${PROJECT_SOURCE_DIR}/sim/${name})
  if(BUILD_SHARED_LIBS)
    set_target_properties(faultline_${name}_objects PROPERTIES POSITION_INDEPENDENT_CODE ON)
  endif()
  target_link_libraries(faultline_${name}_objects PRIVATE ${layer_USES})

  add_library(faultline_${name} STATIC $<TARGET_OBJECTS:faultline_${name}_objects>)
  faultline_compile_settings(faultline_${name})
  set_target_properties(faultline_${name} PROPERTIES LINKER_LANGUAGE C)
  target_link_libraries(faultline_${name} PUBLIC ${FAULTLINE_TOP_LAYER} PRIVATE ${layer_USES})

  list(APPEND FAULTLINE_LAYERS ${name})
  list(APPEND FAULTLINE_LAYER_USES ${layer_USES})
  list(REMOVE_DUPLICATES FAULTLINE_LAYER_USES)
  set(FAULTLINE_LAYERS ${FAULTLINE_LAYERS} PARENT_SCOPE)
  set(FAULTLINE_LAYER_USES ${FAULTLINE_LAYER_USES} PARENT_SCOPE)
  set(FAULTLINE_TOP_LAYER faultline_${name} PARENT_SCOPE)
endfunction()

# libfaultline: every layer in one archive (or shared object), the thing that is installed.
function(faultline_library)
  set(objects "")
  foreach(name IN LISTS FAULTLINE_LAYERS)
    list(APPEND objects $<TARGET_OBJECTS:faultline_${name}_objects>)
  endforeach()
  add_library(faultline ${objects})
  faultline_compile_settings(faultline)
  set_target_properties(faultline PROPERTIES LINKER_LANGUAGE C VERSION ${PROJECT_VERSION}
                                             SOVERSION ${PROJECT_VERSION_MAJOR})
  target_link_libraries(faultline PRIVATE ${FAULTLINE_LAYER_USES})
endfunction()

# The program is called like the library, so the target has another name.
function(faultline_program)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/sim/app/*.c)
  if(NOT sources)
    return()
  endif()
  add_executable(faultline_program ${sources})
  faultline_compile_settings(faultline_program)
  target_include_directories(faultline_program PRIVATE ${PROJECT_SOURCE_DIR}/sim/app)
  target_compile_definitions(faultline_program PRIVATE
    FAULTLINE_WORKLOAD_DIR="${CMAKE_INSTALL_FULL_DATADIR}/faultline/workloads")
  target_link_libraries(faultline_program PRIVATE ${FAULTLINE_TOP_LAYER} PkgConfig::SQLITE PkgConfig::CJSON)
  set_target_properties(faultline_program PROPERTIES OUTPUT_NAME faultline)
endfunction()
