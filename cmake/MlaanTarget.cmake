# What all targets of the project have in common: warnings, sanitizers, precompiled headers.

set(MLAAN_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast
  -Wcast-qual -Wunused -Woverloaded-virtual -Wconversion
  # False alarms about std::string and std::vector, of GCC 12 in C++20 and of GCC 14.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict> $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-free-nonheap-object>)
if(CMAKE_UNITY_BUILD)
  # GCC takes the files that are compiled together for headers, and what is local to them for public.
  list(APPEND MLAAN_WARNINGS $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endif()

# mlaan_settings(target): applies them.
function(mlaan_settings target)
  target_compile_options(${target} PRIVATE ${MLAAN_WARNINGS})
  # LibTorch is built with NDEBUG, and its headers lay out a class that mlaan reads (RecordFunction)
  # differently without.
  target_compile_definitions(${target} PRIVATE $<$<NOT:$<CONFIG:Release>>:NDEBUG>)
  if(MLAAN_WARNINGS_AS_ERRORS)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(MLAAN_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${MLAAN_SANITIZE} -fno-omit-frame-pointer)
    target_link_options(${target} PRIVATE -fsanitize=${MLAAN_SANITIZE})
  endif()
  if(MLAAN_BUILD_FUZZERS)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
  set_target_properties(${target} PROPERTIES
    POSITION_INDEPENDENT_CODE ON
    CXX_EXTENSIONS OFF
    INSTALL_RPATH_USE_LINK_PATH ON)
endfunction()

# mlaan_precompile(target header …): precompiles headers, where that is wanted.
function(mlaan_precompile target)
  if(MLAAN_PRECOMPILE_HEADERS)
    list(TRANSFORM ARGN REPLACE "(.+)" "<\\1>" OUTPUT_VARIABLE headers)
    target_precompile_headers(${target} PRIVATE ${headers})
    if(CCACHE_PROGRAM)
      # ccache takes precompiled headers only if it may trust their time stamps.
      set_target_properties(${target} PROPERTIES CXX_COMPILER_LAUNCHER
        "${CMAKE_COMMAND};-E;env;CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime;${CCACHE_PROGRAM}")
      target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
    endif()
  endif()
endfunction()

# mlaan_library(name source …): the library mlaan_<name>, known to others as mlaan::<name>.
function(mlaan_library name)
  add_library(mlaan_${name} ${ARGN})
  add_library(mlaan::${name} ALIAS mlaan_${name})
  set_target_properties(mlaan_${name} PROPERTIES EXPORT_NAME ${name})
  target_include_directories(mlaan_${name}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
           $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_compile_features(mlaan_${name} PUBLIC cxx_std_17)
  mlaan_settings(mlaan_${name})
endfunction()
