# faultline_test_support: helpers for any test. flat_user.c takes the place of sim/libc/user.c, so it stays outside and
# comes with a libc that lacks that one file.
file(GLOB support CONFIGURE_DEPENDS support/*.c)
list(FILTER support EXCLUDE REGEX "/flat_user\\.c$")

if(support)
  add_library(faultline_test_support STATIC ${support})
else()
  add_library(faultline_test_support INTERFACE)
endif()
if(support)
  faultline_test_settings(faultline_test_support)
  target_include_directories(faultline_test_support PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/support)
  target_link_libraries(faultline_test_support PRIVATE PkgConfig::CMOCKA PkgConfig::CJSON ZLIB::ZLIB)
endif()

if(TARGET faultline_libc AND EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/support/flat_user.c)
  file(GLOB libc_core CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/sim/libc/*.c)
  list(FILTER libc_core EXCLUDE REGEX "/user\\.c$")
  add_library(faultline_libc_flat STATIC ${libc_core} support/flat_user.c)
  faultline_test_settings(faultline_libc_flat)
  target_include_directories(faultline_libc_flat PRIVATE ${PROJECT_SOURCE_DIR}/sim/libc)
  target_link_libraries(faultline_libc_flat PUBLIC faultline_kernel)
endif()
