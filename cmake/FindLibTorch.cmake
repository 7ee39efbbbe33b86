# Finds LibTorch and defines the imported target LibTorch::LibTorch.
#
# A LibTorch that stands in a folder of its own - a pip-installed `torch`, or the archive from
# pytorch.org - is taken from CMAKE_PREFIX_PATH, Torch_ROOT or Torch_DIR and linked as it lies there. Its own
# TorchConfig.cmake is not run: that would ask for the CUDA toolkit of a CUDA build, which mlaan
# does not compile with, and would link a LibTorch of the system in place of its own if there is one.
# Otherwise the system's LibTorch (Debian's libtorch-dev) is found through find_package(Torch).
#
# Sets LibTorch_VERSION, LibTorch_LIBRARY_DIR and LibTorch_WITH_CUDA.

set(_libtorch_hints ${Torch_ROOT} $ENV{Torch_ROOT} ${CMAKE_PREFIX_PATH})
if(DEFINED ENV{CMAKE_PREFIX_PATH})
  string(REPLACE ":" ";" _libtorch_environment "$ENV{CMAKE_PREFIX_PATH}")
  list(APPEND _libtorch_hints ${_libtorch_environment})
endif()
find_path(LibTorch_CONFIG_DIR TorchConfig.cmake
  HINTS ${Torch_DIR} ${_libtorch_hints}
  PATH_SUFFIXES Torch share/cmake/Torch torch/share/cmake/Torch
  NO_DEFAULT_PATH)
mark_as_advanced(LibTorch_CONFIG_DIR)

set(LibTorch_WITH_CUDA OFF)
get_filename_component(_libtorch_prefix "${LibTorch_CONFIG_DIR}/../../.." ABSOLUTE)
if(LibTorch_CONFIG_DIR AND EXISTS "${_libtorch_prefix}/lib/libtorch.so")
  set(LibTorch_INCLUDE_DIRS
    "${_libtorch_prefix}/include" "${_libtorch_prefix}/include/torch/csrc/api/include")
  set(LibTorch_LIBRARY_DIR "${_libtorch_prefix}/lib")
  set(_libtorch_names c10 torch_cpu torch)
  if(EXISTS "${LibTorch_LIBRARY_DIR}/libtorch_cuda.so")
    list(APPEND _libtorch_names c10_cuda torch_cuda)
    set(LibTorch_WITH_CUDA ON)
  endif()
  if(NOT TARGET LibTorch::LibTorch)
    add_library(LibTorch::LibTorch INTERFACE IMPORTED GLOBAL)
    # Nothing calls into libtorch_cuda by name, but its kernels must be there.
    target_link_options(LibTorch::LibTorch INTERFACE "LINKER:--no-as-needed")
    foreach(_libtorch_name IN LISTS _libtorch_names)
      add_library(LibTorch::${_libtorch_name} SHARED IMPORTED GLOBAL)
      set_target_properties(LibTorch::${_libtorch_name} PROPERTIES
        IMPORTED_LOCATION "${LibTorch_LIBRARY_DIR}/lib${_libtorch_name}.so")
      target_link_libraries(LibTorch::LibTorch INTERFACE LibTorch::${_libtorch_name})
    endforeach()
    target_include_directories(LibTorch::LibTorch SYSTEM INTERFACE ${LibTorch_INCLUDE_DIRS})
    # Older builds of LibTorch were made for the C++ library's old ABI, and say so.
    file(STRINGS "${LibTorch_CONFIG_DIR}/TorchConfig.cmake" _libtorch_abi
      REGEX "_GLIBCXX_USE_CXX11_ABI=0")
    if(_libtorch_abi)
      target_compile_definitions(LibTorch::LibTorch INTERFACE _GLIBCXX_USE_CXX11_ABI=0)
    endif()
    file(STRINGS "${_libtorch_prefix}/include/ATen/ATen.h" _libtorch_cxx20 REGEX "error C\\+\\+20")
    if(_libtorch_cxx20)
      target_compile_features(LibTorch::LibTorch INTERFACE cxx_std_20)
    else()
      target_compile_features(LibTorch::LibTorch INTERFACE cxx_std_17)
    endif()
  endif()
else()
  # A project that has mlaan below it links its targets from further up.
  set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)
  find_package(Torch QUIET)
  unset(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL)
  if(Torch_FOUND)
    get_target_property(LibTorch_INCLUDE_DIRS torch INTERFACE_INCLUDE_DIRECTORIES)
    get_filename_component(LibTorch_LIBRARY_DIR "${TORCH_LIBRARY}" DIRECTORY)
    if(TORCH_CUDA_LIBRARIES)
      set(LibTorch_WITH_CUDA ON)
    endif()
    if(NOT TARGET LibTorch::LibTorch)
      add_library(LibTorch::LibTorch INTERFACE IMPORTED GLOBAL)
      target_link_libraries(LibTorch::LibTorch INTERFACE torch ${TORCH_LIBRARIES})
      target_compile_features(LibTorch::LibTorch INTERFACE cxx_std_17)
    endif()
  endif()
endif()

set(LibTorch_VERSION "")
foreach(_libtorch_directory IN LISTS LibTorch_INCLUDE_DIRS)
  foreach(_libtorch_header IN ITEMS torch/headeronly/version.h torch/version.h)
    if(NOT LibTorch_VERSION AND EXISTS "${_libtorch_directory}/${_libtorch_header}")
      file(STRINGS "${_libtorch_directory}/${_libtorch_header}" _libtorch_lines
        REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
      string(REGEX REPLACE "[^0-9;]" "" _libtorch_numbers "${_libtorch_lines}")
      string(REPLACE ";" "." LibTorch_VERSION "${_libtorch_numbers}")
    endif()
  endforeach()
endforeach()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS LibTorch_LIBRARY_DIR LibTorch_INCLUDE_DIRS
  VERSION_VAR LibTorch_VERSION
  REASON_FAILURE_MESSAGE
    "install libtorch-dev, or put a pip-installed torch on CMAKE_PREFIX_PATH (see README.md)")
