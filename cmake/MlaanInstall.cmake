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

# Completion scripts and man pages, by the program that was built: only where it runs.
if(MLAAN_BUILD_CLI AND NOT CMAKE_CROSSCOMPILING)
  if(MLAAN_WITH_MAN_PAGES)
    find_program(HELP2MAN_PROGRAM help2man)
    mark_as_advanced(HELP2MAN_PROGRAM)
    if(NOT HELP2MAN_PROGRAM)
      message(STATUS "help2man not found: installs without man pages (install help2man)")
    endif()
  endif()
  install(CODE "
    set(MLAAN_PROGRAM \"$<TARGET_FILE:mlaan_program>\")
    set(MLAAN_VERSION ${PROJECT_VERSION})
    set(MLAAN_HELP2MAN \"$<$<BOOL:${HELP2MAN_PROGRAM}>:${HELP2MAN_PROGRAM}>\")
    set(MLAAN_DOCUMENTATION_DIR \"${PROJECT_BINARY_DIR}/documentation\")
    set(MLAAN_DATADIR \"${CMAKE_INSTALL_DATADIR}\")" COMPONENT program)
  install(SCRIPT ${PROJECT_SOURCE_DIR}/cmake/InstallDocumentation.cmake COMPONENT program)
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
