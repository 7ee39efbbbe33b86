// Recognises PyTorch files, which mlaan does not read.
#include "io/pytorch_file.h"

#include <mlaan/core/error.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace mlaan {
namespace {

namespace fs = std::filesystem;

constexpr std::streamoff longest_list = 1 << 16;

std::string read_part(std::ifstream& file, std::streamoff from, std::streamoff count) {
  std::string bytes(static_cast<std::size_t>(count), '\0');
  file.clear();
  file.seekg(from);
  file.read(bytes.data(), count);
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, file.gcount())));
  return bytes;
}

/// The path as a Python string literal.
std::string python_text(const std::string& path) {
  std::string text = "\"";
  for (const char letter : path) {
    if (letter == '"' || letter == '\\') text += '\\';
    text += letter;
  }
  return text + "\"";
}

}  // namespace

void refuse_pytorch_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = file.tellg();
  if (!file || size < 9) return;
  const std::string start = read_part(file, 0, 9);
  // A safetensors file begins with a length of eight bytes, which may be any, and a brace.
  if (start.substr(8) == "{") return;
  const bool is_archive = start.compare(0, 4, "PK\x03\x04") == 0;
  const auto list_size = is_archive ? std::min(size, longest_list) : 0;
  const std::string list = read_part(file, size - list_size, list_size);
  const bool is_script = list.find("/constants.pkl") != std::string::npos;
  const bool is_saved = list.find("/data.pkl") != std::string::npos ||
                        start.compare(0, 4, "\x80\x02\x8a\x0a") == 0;  // by PyTorch before 1.6
  if (!is_script && !is_saved) return;
  const std::string given = python_text(path.string());
  const std::string wanted = python_text(fs::path(path).replace_extension(".safetensors").string());
  const std::string load = is_script ? "torch.jit.load(" + given + ", \"cpu\").state_dict()"
                                     : "torch.load(" + given + ", \"cpu\", weights_only=True)";
  throw UserError(path.string() + " is a PyTorch file, written by " +
                  (is_script ? "torch.jit.save()" : "torch.save()") +
                  ", where a safetensors file is read; two lines of Python convert it: import "
                  "torch, safetensors.torch; weights = " +
                  load +
                  "; safetensors.torch.save_file({name.removeprefix(\"module.\"): "
                  "value.contiguous().clone() for name, value in weights.get(\"state_dict\", "
                  "weights).items()}, " +
                  wanted + ")");
}

}  // namespace mlaan
