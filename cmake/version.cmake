# The version is written once, in the public header.
function(faultline_read_version out)
  file(STRINGS "${CMAKE_CURRENT_SOURCE_DIR}/include/faultline/version.h" line REGEX "^#define FAULTLINE_VERSION ")
  if(NOT line MATCHES "\"([0-9]+\\.[0-9]+\\.[0-9]+)\"")
    message(FATAL_ERROR "include/faultline/version.h defines no FAULTLINE_VERSION of the form \"1.2.3\"")
  endif()
  set(${out} "${CMAKE_MATCH_1}" PARENT_SCOPE)
endfunction()
