# `cmake --install` and `find_package(tenet)`.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_DATADIR}/cmake/tenet)

configure_package_config_file(cmake/tenet-config.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/tenet-config.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/tenet-config-version.cmake
  COMPATIBILITY SameMinorVersion
  ARCH_INDEPENDENT)

install(TARGETS tenet tenet_short_errors EXPORT tenet-targets FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT tenet-targets NAMESPACE tenet:: DESTINATION ${package_dir})
install(FILES
  ${CMAKE_CURRENT_BINARY_DIR}/tenet-config.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/tenet-config-version.cmake
  cmake/FindPCRE2.cmake
  cmake/FindRandom123.cmake
  DESTINATION ${package_dir})
