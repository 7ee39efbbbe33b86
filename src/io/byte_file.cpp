// Reads files as byte tensors.
#include "core/require_file.h"

#include <mlaan/core/error.h>
#include <mlaan/io/byte_file.h>

#include <c10/util/Exception.h>

#include <fstream>

namespace mlaan {

namespace fs = std::filesystem;

std::int64_t file_bytes(const fs::path& path) {
  require_file(path);
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) throw UserError("cannot read " + path.string() + ": " + error.message());
  return static_cast<std::int64_t>(size);
}

torch::Tensor allocate_for(const fs::path& path, const std::vector<std::int64_t>& sizes) {
  try {
    return torch::empty(sizes, torch::kUInt8);
  } catch (const c10::Error&) {
    throw UserError("the content of " + path.string() + " needs more memory than is available");
  }
}

torch::Tensor read_bytes(const fs::path& path) {
  const std::int64_t size = file_bytes(path);
  std::ifstream file(path, std::ios::binary);
  if (!file) throw UserError("cannot read " + path.string());
  torch::Tensor bytes = allocate_for(path, {size});
  file.read(static_cast<char*>(bytes.data_ptr()), static_cast<std::streamsize>(size));
  if (!file) throw UserError("cannot read all of " + path.string());
  return bytes;
}

}  // namespace mlaan
