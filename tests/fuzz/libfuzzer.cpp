// One reader under libFuzzer: MLAAN_FUZZED_READER names it.
#include "fuzz/readers.h"

#include <cstdint>
#include <cstdlib>

namespace {

const mlaan::testing::FuzzedReader& reader() {
  static const auto readers = mlaan::testing::fuzzed_readers();
  for (const auto& each : readers) {
    if (each.name == MLAAN_FUZZED_READER) return each;
  }
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  reader().read(std::string(reinterpret_cast<const char*>(bytes), count));
  return 0;
}

/// Begins with the seeds: libFuzzer mutates what it is given here.
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* bytes, std::size_t count, std::size_t most);
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* bytes, std::size_t count,
                                               std::size_t most, unsigned seed) {
  const auto& seeds = reader().seeds;
  if (count < 2) {
    const std::string& first = seeds[seed % seeds.size()];
    count = first.size() < most ? first.size() : most;
    for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::uint8_t>(first[i]);
  }
  return LLVMFuzzerMutate(bytes, count, most);
}
