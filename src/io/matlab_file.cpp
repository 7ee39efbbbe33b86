// Reads arrays from MATLAB level 5 files.
#include <mlaan/core/error.h>
#include <mlaan/io/byte_file.h>
#include <mlaan/io/matlab_file.h>

#ifdef MLAAN_HAS_MATIO
#include <matio.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <optional>
#include <vector>
#endif

namespace mlaan {

namespace fs = std::filesystem;

#ifdef MLAAN_HAS_MATIO
namespace {

/// The highest compression ratio of zlib (zlib's technical notes).
constexpr std::int64_t most_matlab_expansion = 1032;
constexpr int most_matlab_dimensions = 8;

[[noreturn]] void reject(const fs::path& path, const std::string& what) {
  throw UserError(path.string() + " is damaged or not a MATLAB file of level 5: " + what);
}

/// Refuses other levels, which matio reads too, level 7.3 through HDF5: files are not trusted, so
/// fewer readers are exposed to them.
void check_header(const fs::path& path) {
  std::array<unsigned char, 128> header{};
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(header.data()), header.size());
  if (!file) reject(path, "it has fewer than the 128 bytes of a header");
  const bool little = header[126] == 'I' && header[127] == 'M';
  const bool big = header[126] == 'M' && header[127] == 'I';
  const int version = little ? header[125] : header[124];
  if (!little && !big) reject(path, "its header has no mark of the order of bytes");
  if (version != 1) {
    reject(path, "its header says version " + std::to_string(version) + ", not 1" +
                     (version == 2 ? " (save it by `save -v7`)" : ""));
  }
}

std::optional<torch::Dtype> dtype_of(matio_classes type) {
  switch (type) {
    case MAT_C_DOUBLE:
      return torch::kFloat64;
    case MAT_C_SINGLE:
      return torch::kFloat32;
    case MAT_C_INT8:
      return torch::kInt8;
    case MAT_C_UINT8:
      return torch::kUInt8;
    case MAT_C_INT16:
      return torch::kInt16;
    case MAT_C_INT32:
      return torch::kInt32;
    case MAT_C_INT64:
      return torch::kInt64;
    default:
      return std::nullopt;
  }
}

}  // namespace

bool can_read_matlab_files() {
  return true;
}

torch::Tensor read_matlab_array(const fs::path& path, const std::string& variable) {
  const std::int64_t most_bytes = file_bytes(path) * most_matlab_expansion;
  check_header(path);
  const std::unique_ptr<mat_t, decltype(&Mat_Close)> file(Mat_Open(path.c_str(), MAT_ACC_RDONLY),
                                                          Mat_Close);
  if (!file) reject(path, "it cannot be opened");
  const std::shared_ptr<matvar_t> info(Mat_VarReadInfo(file.get(), variable.c_str()), Mat_VarFree);
  const std::string array = "its variable '" + variable + "' ";
  if (!info) reject(path, "it has no variable '" + variable + "' that can be read");
  const auto type = dtype_of(info->class_type);
  if (!type || info->isComplex != 0) {
    reject(path, array + "is not an array of real numbers of a supported type");
  }
  if (info->rank < 1 || info->rank > most_matlab_dimensions || info->dims == nullptr) {
    reject(path, array + "has " + std::to_string(info->rank) + " dimensions, where 1 to " +
                     std::to_string(most_matlab_dimensions) + " are read");
  }
  std::vector<std::int64_t> sizes;
  auto bytes = static_cast<std::int64_t>(c10::elementSize(*type));
  for (int d = 0; d < info->rank; ++d) {
    const std::size_t size = info->dims[d];
    // Checked before the product can overflow and before memory is allocated.
    if (size == 0 || size > static_cast<std::size_t>(most_bytes / bytes)) {
      reject(path, array + "has a size of " + std::to_string(size) +
                       (size == 0 ? "" : ", which is more than the file can hold"));
    }
    sizes.push_back(static_cast<std::int64_t>(size));
    bytes *= sizes.back();
  }
  if (Mat_VarReadDataAll(file.get(), info.get()) != 0 || info->data == nullptr ||
      info->nbytes != static_cast<std::size_t>(bytes)) {
    reject(path, array + "cannot be read: it is cut short or its compressed data are damaged");
  }
  std::reverse(sizes.begin(), sizes.end());
  std::vector<std::int64_t> order(sizes.size());
  for (std::size_t d = 0; d < order.size(); ++d) {
    order[d] = static_cast<std::int64_t>(order.size() - 1 - d);
  }
  return torch::from_blob(
             info->data, sizes, [info](void*) {}, *type)
      .permute(order);
}

#else

bool can_read_matlab_files() {
  return false;
}

torch::Tensor read_matlab_array(const fs::path& path, const std::string&) {
  throw UserError("cannot read " + path.string() +
                  ": this build of mlaan has no matio; install it (libmatio-dev) and build with "
                  "-DMLAAN_WITH_MATIO=ON");
}

#endif

}  // namespace mlaan
