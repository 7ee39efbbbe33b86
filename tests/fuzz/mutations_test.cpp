// Every reader takes files that were changed at random: it reads or refuses them, and nothing else.
#include "fuzz/readers.h"

#include <mlaan/core/random.h>

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdlib>

namespace mlaan::testing {
namespace {

std::size_t place(RandomStream& random, std::size_t count) {
  return count == 0 ? 0 : static_cast<std::size_t>(random.below(count));
}

/// One change: a bit, a byte, a number, a piece left out, doubled or made up, or the end cut off.
void mutate(std::string& bytes, RandomStream& random) {
  const std::size_t at = place(random, bytes.size());
  const std::size_t length = std::min(place(random, 16) + 1, bytes.size() - at);
  switch (random.below(8)) {
    case 0:
      if (!bytes.empty()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
      break;
    case 1:
      if (!bytes.empty()) bytes[at] = static_cast<char>(random.below(256));
      break;
    case 2: {
      constexpr std::array<std::uint32_t, 8> numbers{
          0, 1, 0xffffffff, 0x7fffffff, 0x80000000, 0x00ffffff, 0xffff, 0x01000000};
      const std::uint32_t number = numbers.at(place(random, numbers.size()));
      for (std::size_t i = 0; i < 4 && at + i < bytes.size(); ++i) {
        bytes[at + i] = static_cast<char>(number >> (8 * i) & 255);
      }
      break;
    }
    case 3:
      bytes.erase(at, length);
      break;
    case 4:
      bytes.insert(at, bytes.substr(place(random, bytes.size()), length));
      break;
    case 5:
      for (std::size_t i = 0; i < length; ++i) bytes[at + i] = static_cast<char>(random.below(256));
      break;
    case 6: {  // a digit, which is what texts say sizes with
      const std::size_t digit = bytes.find_first_of("0123456789", at);
      if (digit != std::string::npos) bytes[digit] = static_cast<char>('0' + random.below(10));
      break;
    }
    default:
      bytes.resize(at);
      break;
  }
}

/// Seconds for each reader; 0: a fixed number of files.
double seconds_asked_for() {
  const char* text = std::getenv("MLAAN_FUZZ_SECONDS");
  return text == nullptr ? 0 : std::strtod(text, nullptr);
}

TEST(Mutations, AreReadOrRefused) {
  for (const auto& reader : fuzzed_readers()) {
    SCOPED_TRACE(reader.name);
    for (const auto& seed : reader.seeds) EXPECT_TRUE(reader.read(seed)) << seed;
    RandomStream random(random_key({random_key("mutations"), random_key(reader.name)}));
    const auto start = std::chrono::steady_clock::now();
    const auto more = [&, seconds = seconds_asked_for()](int i) {
      if (seconds <= 0) return i < reader.files;
      return std::chrono::steady_clock::now() - start < std::chrono::duration<double>(seconds);
    };
    int done = 0;
    for (; more(done); ++done) {
      std::string bytes = reader.seeds.at(place(random, reader.seeds.size()));
      const std::uint64_t changes = 1 + random.below(4);
      for (std::uint64_t c = 0; c < changes; ++c) mutate(bytes, random);
      try {
        reader.read(bytes);
      } catch (const std::exception& error) {
        ADD_FAILURE() << reader.name << ", file " << done << ": " << error.what();
        break;
      }
    }
    RecordProperty(reader.name, done);
    if (seconds_asked_for() > 0) std::printf("%s: %d files\n", reader.name.c_str(), done);
  }
}

}  // namespace
}  // namespace mlaan::testing
