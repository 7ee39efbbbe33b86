# Finds Python and the torch that it imports, so that LibTorch is that one's.
#
# Sets PythonTorch_LIBRARY (libtorch_python) and PYBIND11_INCLUDE_DIR, and puts the folder of a
# pip-installed torch on CMAKE_PREFIX_PATH.

find_package(Python 3.9 REQUIRED COMPONENTS Interpreter Development.Module)

# Without PYTHONPATH: pip, where it builds in isolation, hides the torch that is installed by that.
execute_process(
  COMMAND ${CMAKE_COMMAND} -E env --unset=PYTHONPATH ${Python_EXECUTABLE} -c
    "import os, torch; print(os.path.realpath(torch.__file__), torch.__version__, torch.utils.cmake_prefix_path, sep='\\n')"
  OUTPUT_VARIABLE _python_torch RESULT_VARIABLE _python_torch_failed ERROR_VARIABLE _python_torch_error
  OUTPUT_STRIP_TRAILING_WHITESPACE)
if(_python_torch_failed)
  message(FATAL_ERROR "MLAAN_BUILD_PYTHON: ${Python_EXECUTABLE} cannot import torch; install "
    "python3-torch, or pip install torch\n${_python_torch_error}")
endif()
string(REPLACE "\n" ";" _python_torch "${_python_torch}")
# What was found of another torch, in the same build folder, is not this one's.
if(DEFINED MLAAN_TORCH_OF_PYTHON AND NOT MLAAN_TORCH_OF_PYTHON STREQUAL _python_torch)
  get_cmake_property(_cached CACHE_VARIABLES)
  list(FILTER _cached INCLUDE REGEX
    "^(PythonTorch_|LibTorch_|PYBIND11_INCLUDE_DIR|Torch_DIR|Caffe2_DIR|TORCH_LIBRARY|MLAAN_BATCH_NORM_KERNEL)")
  foreach(_name IN LISTS _cached)
    unset(${_name} CACHE)
  endforeach()
endif()
set(MLAAN_TORCH_OF_PYTHON "${_python_torch}" CACHE INTERNAL "The torch that the cache is about")
list(GET _python_torch 0 _python_torch_file)
list(GET _python_torch 1 PythonTorch_VERSION)
list(GET _python_torch 2 _python_torch_prefix)
get_filename_component(_python_torch_folder "${_python_torch_file}" DIRECTORY)
if(EXISTS "${_python_torch_prefix}/Torch/TorchConfig.cmake")
  list(PREPEND CMAKE_PREFIX_PATH "${_python_torch_prefix}")
endif()

find_library(PythonTorch_LIBRARY torch_python HINTS "${_python_torch_folder}/lib" NO_DEFAULT_PATH)
find_library(PythonTorch_LIBRARY torch_python REQUIRED)

# Of LibTorch's own headers where they bring it, else Debian's or PyPI's package.
execute_process(COMMAND ${Python_EXECUTABLE} -c "import pybind11; print(pybind11.get_include())"
  OUTPUT_VARIABLE _python_pybind11 ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
find_path(PYBIND11_INCLUDE_DIR pybind11/pybind11.h
  HINTS "${_python_torch_folder}/include" /usr/include ${_python_pybind11} REQUIRED)
mark_as_advanced(PythonTorch_LIBRARY PYBIND11_INCLUDE_DIR)
message(STATUS "Python ${Python_VERSION} with torch ${PythonTorch_VERSION}")
