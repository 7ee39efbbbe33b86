# The installed package: libraries, headers, program, and what find_package(mlaan) reads.
include(CMakePackageConfigHelpers)

set(_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/mlaan)
set(_targets mlaan_core)
if(MLAAN_BUILD_CLI)
  list(APPEND _targets mlaan_train)
  install(TARGETS mlaan_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
endif()
install(TARGETS ${_targets} EXPORT mlaanTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
install(EXPORT mlaanTargets NAMESPACE mlaan:: DESTINATION ${_package_dir} COMPONENT development)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/mlaan DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  COMPONENT development FILES_MATCHING PATTERN "*.h")
# Of each package one, as Debian wants it.
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/libmlaan-dev RENAME copyright
  COMPONENT development)
if(MLAAN_BUILD_CLI)
  install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/mlaan RENAME copyright
    COMPONENT program)
endif()

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/mlaanConfig.cmake.in
  ${PROJECT_BINARY_DIR}/mlaanConfig.cmake INSTALL_DESTINATION ${_package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/mlaanConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/mlaanConfig.cmake
  ${PROJECT_BINARY_DIR}/mlaanConfigVersion.cmake
  ${PROJECT_SOURCE_DIR}/cmake/FindLibTorch.cmake
  DESTINATION ${_package_dir} COMPONENT development)
