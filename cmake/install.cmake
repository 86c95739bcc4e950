# What `cmake --install` puts where: the program, libfaultline with its headers, a CMake package and a pkg-config file,
# the workloads, the manual page and the completion.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/faultline)
set(pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(TARGETS faultline EXPORT faultline)
install(DIRECTORY include/faultline DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(EXPORT faultline NAMESPACE faultline:: FILE faultlineTargets.cmake DESTINATION ${package_dir})

configure_package_config_file(cmake/faultlineConfig.cmake.in ${CMAKE_BINARY_DIR}/faultlineConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/faultlineConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/faultlineConfig.cmake ${CMAKE_BINARY_DIR}/faultlineConfigVersion.cmake
        DESTINATION ${package_dir})

# An archive needs its libraries named to whoever links it; a shared object knows them itself.
set(pkgconfig_requires "Requires")
set(pkgconfig_libs "-lZydis -lm -pthread")
if(BUILD_SHARED_LIBS)
  set(pkgconfig_requires "Requires.private")
  set(pkgconfig_libs "")
endif()
# The prefix is found from the place of the file, so that an installed tree can be moved.
file(RELATIVE_PATH pkgconfig_to_prefix /prefix/${pkgconfig_dir} /prefix)
string(REGEX REPLACE "/$" "" pkgconfig_to_prefix ${pkgconfig_to_prefix})
configure_file(cmake/faultline.pc.in ${CMAKE_BINARY_DIR}/faultline.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/faultline.pc DESTINATION ${pkgconfig_dir})

if(TARGET faultline_program)
  install(TARGETS faultline_program)
endif()
if(EXISTS ${PROJECT_SOURCE_DIR}/workloads)
  install(DIRECTORY workloads DESTINATION ${CMAKE_INSTALL_DATADIR}/faultline FILES_MATCHING PATTERN "*.json")
endif()
install(FILES man/faultline.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES completions/faultline.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
        RENAME faultline)
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
