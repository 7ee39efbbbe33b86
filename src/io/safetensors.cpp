// Reads and writes safetensors files: named tensors behind a JSON header.
#include "io/pytorch_file.h"

#include <mlaan/io/atomic_file.h>
#include <mlaan/io/safetensors.h>

#include <nlohmann/json.hpp>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <limits>
#include <tuple>

namespace mlaan {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr const char* checksum_key = "mlaan.crc32";

struct TypeName {
  const char* name;
  torch::Dtype type;
};

constexpr std::array<TypeName, 10> type_names{{{"F64", torch::kFloat64},
                                               {"F32", torch::kFloat32},
                                               {"F16", torch::kFloat16},
                                               {"BF16", torch::kBFloat16},
                                               {"I64", torch::kInt64},
                                               {"I32", torch::kInt32},
                                               {"I16", torch::kInt16},
                                               {"I8", torch::kInt8},
                                               {"U8", torch::kUInt8},
                                               {"BOOL", torch::kBool}}};

[[noreturn]] void reject_safetensors(const fs::path& path, const std::string& why) {
  throw UserError(path.string() + " is not a whole safetensors file: " + why);
}

std::uint64_t from_little_endian(const std::array<unsigned char, 8>& bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | bytes.at(i);
  return value;
}

std::array<unsigned char, 8> to_little_endian(std::uint64_t value) {
  std::array<unsigned char, 8> bytes{};
  for (auto& byte : bytes) {
    byte = static_cast<unsigned char>(value & 0xff);
    value >>= 8;
  }
  return bytes;
}

/// crc32() counts in unsigned int, so long data goes in parts.
uLong checksum_of(uLong checksum, const void* bytes, std::size_t count) {
  const auto* next = static_cast<const Bytef*>(bytes);
  while (count > 0) {
    const auto part = static_cast<uInt>(std::min<std::size_t>(count, 1U << 30));
    checksum = crc32(checksum, next, part);
    next += part;
    count -= part;
  }
  return checksum;
}

torch::Dtype parse_type(const fs::path& path, const std::string& tensor, const std::string& name) {
  for (const auto& known : type_names) {
    if (name == known.name) return known.type;
  }
  reject_safetensors(path, "tensor '" + tensor + "' is of the unknown type '" + name + "'");
}

const char* name_of(torch::Dtype type) {
  for (const auto& known : type_names) {
    if (type == known.type) return known.name;
  }
  throw Error(std::string("safetensors has no name for tensors of the type ") +
              c10::toString(type));
}

/// Where a tensor is, as the header says.
struct Entry {
  std::string name;
  torch::Dtype type;
  std::vector<std::int64_t> shape;
  std::uint64_t begin;
  std::uint64_t end;
};

/// Number of bytes of such a tensor; refuses sizes that are negative or overflow.
std::uint64_t byte_count(const fs::path& path, const Entry& entry) {
  std::uint64_t bytes = c10::elementSize(entry.type);
  for (const auto size : entry.shape) {
    const auto factor = static_cast<std::uint64_t>(size);
    if (size < 0 || (factor != 0 && bytes > std::numeric_limits<std::int64_t>::max() / factor)) {
      reject_safetensors(path, "tensor '" + entry.name + "' has an impossible shape");
    }
    bytes *= factor;
  }
  return bytes;
}

Entry parse_entry(const fs::path& path, const std::string& name, const ordered_json& value) {
  try {
    const auto& offsets = value.at("data_offsets");
    return {name, parse_type(path, name, value.at("dtype").get<std::string>()),
            value.at("shape").get<std::vector<std::int64_t>>(), offsets.at(0).get<std::uint64_t>(),
            offsets.at(1).get<std::uint64_t>()};
  } catch (const ordered_json::exception&) {
    reject_safetensors(
        path, "its header says for tensor '" + name + "' no dtype, shape and data_offsets");
  }
}

ordered_json read_header(const fs::path& path, std::ifstream& file, std::uint64_t file_size,
                         std::uint64_t& data_begin) {
  std::array<unsigned char, 8> length_bytes{};
  file.read(reinterpret_cast<char*>(length_bytes.data()), length_bytes.size());
  if (!file) reject_safetensors(path, "it has fewer than 8 bytes");
  const std::uint64_t length = from_little_endian(length_bytes);
  if (length > file_size - length_bytes.size()) {
    reject_safetensors(path, "its header should have " + std::to_string(length) +
                                 " bytes, but the file has only " + std::to_string(file_size));
  }
  std::string text(length, '\0');
  file.read(text.data(), static_cast<std::streamsize>(length));
  if (!file) reject_safetensors(path, "its header cannot be read");
  data_begin = length_bytes.size() + length;
  ordered_json header = ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!header.is_object()) reject_safetensors(path, "its header is no JSON object");
  return header;
}

std::map<std::string, std::string> parse_metadata(const fs::path& path, const ordered_json& value) {
  std::map<std::string, std::string> metadata;
  if (!value.is_object()) reject_safetensors(path, "its __metadata__ is no JSON object");
  for (const auto& item : value.items()) {
    if (!item.value().is_string()) {
      reject_safetensors(path, "its metadata '" + item.key() + "' is no text");
    }
    metadata[item.key()] = item.value().get<std::string>();
  }
  return metadata;
}

void check_checksum(const fs::path& path, const std::map<std::string, std::string>& metadata,
                    uLong checksum) {
  const auto written = metadata.find(checksum_key);
  if (written != metadata.end() && written->second != std::to_string(checksum)) {
    reject_safetensors(path, "its bytes have changed since it was written (the checksum differs)");
  }
}

}  // namespace

torch::Tensor TensorFile::find(const std::string& name) const {
  for (const auto& named : tensors) {
    if (named.name == name) return named.tensor;
  }
  return {};
}

TensorFile read_safetensors(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) throw UserError("there is no file " + path.string());
  refuse_pytorch_file(path);
  const std::uint64_t file_size = fs::file_size(path, error);
  std::ifstream file(path, std::ios::binary);
  if (!file || error) throw UserError("cannot read " + path.string());

  std::uint64_t data_begin = 0;
  const ordered_json header = read_header(path, file, file_size, data_begin);
  TensorFile content;
  std::vector<Entry> entries;
  for (const auto& item : header.items()) {
    if (item.key() == "__metadata__") {
      content.metadata = parse_metadata(path, item.value());
    } else {
      entries.push_back(parse_entry(path, item.key(), item.value()));
    }
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& left, const Entry& right) {
    return std::tie(left.begin, left.end) < std::tie(right.begin, right.end);
  });

  std::uint64_t position = 0;
  uLong checksum = crc32(0, nullptr, 0);
  for (const auto& entry : entries) {
    const std::uint64_t bytes = byte_count(path, entry);
    if (entry.begin != position || entry.end < entry.begin || entry.end - entry.begin != bytes) {
      reject_safetensors(path, "the place of tensor '" + entry.name +
                                   "' does not fit its shape and its neighbours");
    }
    if (entry.end > file_size - data_begin) {
      reject_safetensors(path, "tensor '" + entry.name +
                                   "' ends behind the end of the file, which must have been "
                                   "cut short");
    }
    torch::Tensor tensor = torch::empty(entry.shape, entry.type);
    file.read(static_cast<char*>(tensor.data_ptr()), static_cast<std::streamsize>(bytes));
    if (!file) reject_safetensors(path, "tensor '" + entry.name + "' cannot be read");
    checksum = checksum_of(checksum, tensor.data_ptr(), bytes);
    content.tensors.push_back({entry.name, std::move(tensor)});
    position = entry.end;
  }
  if (position != file_size - data_begin) {
    reject_safetensors(path, "it has bytes that belong to no tensor");
  }
  check_checksum(path, content.metadata, checksum);
  return content;
}

void write_safetensors(const fs::path& path, const TensorFile& content) {
  ordered_json header;
  std::vector<torch::Tensor> tensors;
  std::uint64_t position = 0;
  uLong checksum = crc32(0, nullptr, 0);
  ordered_json metadata = content.metadata;
  header["__metadata__"] = metadata;
  for (const auto& named : content.tensors) {
    tensors.push_back(named.tensor.detach().to(torch::kCPU).contiguous());
    const auto& tensor = tensors.back();
    const std::uint64_t end = position + tensor.nbytes();
    header[named.name] = {{"dtype", name_of(tensor.scalar_type())},
                          {"shape", tensor.sizes().vec()},
                          {"data_offsets", {position, end}}};
    position = end;
    checksum = checksum_of(checksum, tensor.data_ptr(), tensor.nbytes());
  }
  header["__metadata__"][checksum_key] = std::to_string(checksum);
  std::string text = header.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the data begins at a multiple of 8

  AtomicFile file(path);
  const auto length = to_little_endian(text.size());
  file.write(length.data(), length.size());
  file.write(text.data(), text.size());
  for (const auto& tensor : tensors) file.write(tensor.data_ptr(), tensor.nbytes());
  file.commit();
}

}  // namespace mlaan
