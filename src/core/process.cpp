// Process-wide settings that make training on the CPU faster.
#include <mlaan/core/process.h>

#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include <dlfcn.h>
#include <malloc.h>
#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>

namespace mlaan {
namespace {

/// Path of the library that provides the process's matrix products, with links resolved.
std::string blas_file() {
  void* const product = dlsym(RTLD_DEFAULT, "sgemm_");
  Dl_info info{};
  if (product == nullptr || dladdr(product, &info) == 0 || info.dli_fname == nullptr) return "";
  const std::unique_ptr<char, decltype(&std::free)> resolved(realpath(info.dli_fname, nullptr),
                                                             &std::free);
  return resolved ? resolved.get() : info.dli_fname;
}

bool is_known_to_be_fast(const std::string& blas) {
  const auto contains = [&blas](const char* name) { return blas.find(name) != std::string::npos; };
  return contains("openblas") || contains("mkl") || contains("blis") || contains("libtorch");
}

/// OpenBLAS built on plain threads has a thread pool of its own, which competes with LibTorch's for
/// the processors: a training step with small linear layers takes up to twice as long.
void keep_openblas_from_fighting() {
  constexpr int own_thread_pool = 1;
  const auto parallel = reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "openblas_get_parallel"));
  const auto set_threads =
      reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads"));
  if (parallel != nullptr && set_threads != nullptr && parallel() == own_thread_pool) {
    set_threads(1);
  }
}

}  // namespace

int available_processors() {
  // OpenMP is asked first: where it binds threads, this thread's mask holds a single processor.
  if (const auto known_to_openmp =
          reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "omp_get_num_procs"))) {
    return std::max(1, known_to_openmp());
  }
  cpu_set_t processors;
  CPU_ZERO(&processors);
  if (sched_getaffinity(0, sizeof(processors), &processors) == 0) {
    return std::max(1, CPU_COUNT(&processors));
  }
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

std::string processor_set() {
  cpu_set_t processors;
  CPU_ZERO(&processors);
  sched_getaffinity(0, sizeof(processors), &processors);
  std::string numbers;
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &processors)) numbers += (numbers.empty() ? "" : ",") + std::to_string(i);
  }
  return numbers;
}

ProcessReport prepare_process(int threads) {
  // By default malloc maps blocks above at most 32 MiB anew each time, and the kernel zeroes them.
  constexpr int none = 0;
  mallopt(M_MMAP_MAX, none);
  constexpr int never = -1;  // INT_MAX would return memory after steps of more than 2 GiB
  mallopt(M_TRIM_THRESHOLD, never);

  ProcessReport report;
  report.threads = threads > 0 ? threads : available_processors();
  at::set_num_threads(report.threads);
  if (at::hasMKL()) {
    report.blas = "MKL";
    return report;
  }
  report.blas = blas_file();
  if (!report.blas.empty() && !is_known_to_be_fast(report.blas)) {
    report.blas_hint = "matrix products come from " + report.blas +
                       ", which is about 15 times slower than OpenBLAS; install "
                       "libopenblas0-openmp";
  }
  keep_openblas_from_fighting();
  return report;
}

}  // namespace mlaan
