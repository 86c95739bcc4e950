# One program per file of tests/diff and tests/bench, linked with everything: build/<preset>/tests/<name>.
file(GLOB runners CONFIGURE_DEPENDS diff/*.c bench/*.c)
foreach(source IN LISTS runners)
  cmake_path(GET source STEM name)
  add_executable(${name} ${source})
  faultline_test_settings(${name})
  target_link_libraries(${name} PRIVATE faultline_test_support ${FAULTLINE_TOP_LAYER} PkgConfig::CJSON ZLIB::ZLIB
                                        PkgConfig::CMOCKA)
endforeach()
