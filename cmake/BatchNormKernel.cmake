# Whether LibTorch's kernels of batch normalisation can be called with results and statistics that
# we hand in, so that one may overwrite the gradient. Their dispatcher takes one argument for each
# instruction set that LibTorch was built for, which its headers only know by macros.
# Sets MLAAN_BATCH_NORM_KERNEL_DEFINITIONS, empty where the kernel cannot be called.
include(CheckCXXSourceCompiles)

set(MLAAN_BATCH_NORM_KERNEL_DEFINITIONS "")

# The trial links LibTorch's files, not its target: a trial's project knows imported targets only,
# and LibTorch 2's package puts others behind them. What those files need in turn (CUDA's libraries)
# is not looked for.
function(_find_batch_norm_kernel)
  set(CMAKE_REQUIRED_QUIET ON)
  set(CMAKE_REQUIRED_INCLUDES ${LibTorch_INCLUDE_DIRS})
  set(CMAKE_REQUIRED_LIBRARIES
    "${LibTorch_LIBRARY_DIR}/libtorch_cpu.so" "${LibTorch_LIBRARY_DIR}/libc10.so")
  set(CMAKE_REQUIRED_LINK_OPTIONS "LINKER:--allow-shlib-undefined")
  get_target_property(features LibTorch::LibTorch INTERFACE_COMPILE_FEATURES)
  if("cxx_std_20" IN_LIST features)
    set(CMAKE_CXX_STANDARD 20)
  endif()
  get_target_property(abi LibTorch::LibTorch INTERFACE_COMPILE_DEFINITIONS)
  if(abi)
    list(TRANSFORM abi PREPEND "-D")
  else()
    set(abi "")
  endif()

  foreach(sets "HAVE_AVX512_CPU_DEFINITION;HAVE_AVX2_CPU_DEFINITION" "MLAAN_NO_INSTRUCTION_SETS")
    string(MAKE_C_IDENTIFIER "MLAAN_BATCH_NORM_KERNEL_${sets}" result)
    list(TRANSFORM sets PREPEND "-D" OUTPUT_VARIABLE CMAKE_REQUIRED_DEFINITIONS)
    list(APPEND CMAKE_REQUIRED_DEFINITIONS ${abi})
    check_cxx_source_compiles("
      #include <ATen/native/batch_norm.h>
      int main() {
        at::Tensor t;
        at::native::batch_norm_cpu_backward_stub(at::kCPU, t, t, t, t, t, t, t, t, t, t, true, 0.0);
        at::native::batch_norm_cpu_collect_stats_stub(at::kCPU, t, t, t);
        at::native::batch_norm_cpu_stub(at::kCPU, t, t, t, t, t, t, t, t, true, 0.0);
      }" ${result})
    if(${result})
      set(MLAAN_BATCH_NORM_KERNEL_DEFINITIONS ${sets} MLAAN_HAS_BATCH_NORM_KERNEL PARENT_SCOPE)
      return()
    endif()
  endforeach()
endfunction()

_find_batch_norm_kernel()
