// Turns errors of LibTorch into one-line messages for users.
#include "core/libtorch_error.h"

#include "core/trimmed.h"

#include <mlaan/core/error.h>
#include <mlaan/core/quantity.h>

#include <cstdint>
#include <cstdlib>
#include <initializer_list>

namespace mlaan {
namespace {

bool has_any(const std::string& text, std::initializer_list<const char*> parts) {
  for (const char* part : parts) {
    if (text.find(part) != std::string::npos) return true;
  }
  return false;
}

/// " where 4.0 GiB more were asked for", if the text says so.
std::string bytes_asked_for(const std::string& text) {
  for (const char* before : {"you tried to allocate ", "Tried to allocate "}) {
    const auto found = text.find(before);
    if (found == std::string::npos) continue;
    const std::string rest = text.substr(found + std::string(before).size());
    char* end = nullptr;
    const double number = std::strtod(rest.c_str(), &end);
    const std::string unit = trimmed(end);
    const std::string amount = unit.compare(0, 5, "bytes") == 0
                                   ? format_bytes(static_cast<std::int64_t>(number))
                                   : rest.substr(0, rest.find_first_of("(.;\n", rest.find(' ')));
    return " where " + trimmed(amount) + " more were asked for";
  }
  return "";
}

}  // namespace

std::string first_line(const std::string& text) {
  std::string line = text;
  // In a TorchScript trace, the last line says what is wrong.
  const auto error = line.rfind("Error: ");
  if (error != std::string::npos) line = line.substr(error + 7);
  line = line.substr(line.find_first_not_of(" \n\t") == std::string::npos
                         ? line.size()
                         : line.find_first_not_of(" \n\t"));
  line = line.substr(0, line.find('\n'));
  if (line.compare(0, 13, "[enforce fail") == 0 && line.find("] . ") != std::string::npos) {
    line = line.substr(line.find("] . ") + 4);
  }
  return trimmed(line);
}

void throw_explained(const std::string& text, const std::string& context) {
  if (has_any(text, {"more than 1 value per channel"})) {
    throw UserError(context +
                    "batch normalisation cannot train on one value per channel, such as one sample "
                    "with 1×1 maps; expected a batch_size of at least 2, also after "
                    "engine.micro_batches and with few training images");
  }
  if (has_any(text, {"can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED",
                     "Storage size calculation overflowed", "integer multiplication overflow"})) {
    throw Error(context + "memory ran out" + bytes_asked_for(text) +
                "; try a smaller batch_size, more engine.micro_batches or engine.recompute = "
                "\"auto\", or ask `mlaan plan` what fits");
  }
  throw Error(context + "LibTorch says: " + first_line(text));
}

void throw_explained(const c10::Error& error, const std::string& context) {
  throw_explained(std::string(error.what_without_backtrace()), context);
}

}  // namespace mlaan
