# Whether LibTorch's kernels of batch normalisation can be called with results and statistics that
# we hand in, so that one may overwrite the gradient. Their dispatcher takes one argument for each
# instruction set that LibTorch was built for, which its headers only know by macros.
# Sets MLAAN_BATCH_NORM_KERNEL_DEFINITIONS, empty where the kernel cannot be called.
include(CheckCXXSourceCompiles)

set(MLAAN_BATCH_NORM_KERNEL_DEFINITIONS "")
foreach(sets "HAVE_AVX512_CPU_DEFINITION;HAVE_AVX2_CPU_DEFINITION" "MLAAN_NO_INSTRUCTION_SETS")
  string(MAKE_C_IDENTIFIER "MLAAN_BATCH_NORM_KERNEL_${sets}" result)
  list(TRANSFORM sets PREPEND "-D" OUTPUT_VARIABLE CMAKE_REQUIRED_DEFINITIONS)
  set(CMAKE_REQUIRED_LIBRARIES LibTorch::LibTorch)
  set(CMAKE_REQUIRED_QUIET ON)
  check_cxx_source_compiles("
    #include <ATen/native/batch_norm.h>
    int main() {
      at::Tensor t;
      at::native::batch_norm_cpu_backward_stub(at::kCPU, t, t, t, t, t, t, t, t, t, t, true, 0.0);
      at::native::batch_norm_cpu_collect_stats_stub(at::kCPU, t, t, t);
      at::native::batch_norm_cpu_stub(at::kCPU, t, t, t, t, t, t, t, t, true, 0.0);
    }" ${result})
  unset(CMAKE_REQUIRED_DEFINITIONS)
  unset(CMAKE_REQUIRED_LIBRARIES)
  if(${result})
    set(MLAAN_BATCH_NORM_KERNEL_DEFINITIONS ${sets} MLAAN_HAS_BATCH_NORM_KERNEL)
    break()
  endif()
endforeach()
