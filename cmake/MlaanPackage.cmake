# Debian packages, by `cmake --build build --target package`: the program, and what others build with.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME mlaan)
set(CPACK_PACKAGE_VENDOR "The mlaan contributors")
set(CPACK_PACKAGE_CONTACT "The mlaan contributors <mlaan@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
# Where Debian's programs lie; `cmake --install` has a prefix of its own.
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL development)
if(MLAAN_BUILD_CLI)
  list(APPEND CPACK_COMPONENTS_ALL program)
endif()
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)

set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME mlaan)
# What the program links, by the names that its libraries have in the release of Debian at hand.
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
# Debian's default BLAS is many times slower.
set(CPACK_DEBIAN_PROGRAM_PACKAGE_RECOMMENDS "libopenblas0-openmp, ca-certificates")
set(CPACK_COMPONENT_PROGRAM_DESCRIPTION "The program that trains, tests, compares and plans.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libmlaan-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS libtorch-dev)
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "The library: headers, archives, CMake package.")
include(CPack)
