// Reads and writes safetensors files: a JSON header, then the tensors' bytes.
#include "core/byte_text.h"
#include "core/require_file.h"
#include "io/json_text.h"
#include "io/pytorch_file.h"

#include <mlaan/io/atomic_file.h>
#include <mlaan/io/safetensors.h>

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <tuple>

namespace mlaan {
namespace {

namespace fs = std::filesystem;

/// CRC-32 of header and tensors as eight hexadecimal digits, which are zeros while it is computed.
constexpr const char* checksum_key = "mlaan.checksum";
constexpr const char* no_checksum = "00000000";
/// CRC-32 of the tensors alone as a number, as in files of earlier versions.
constexpr const char* old_checksum_key = "mlaan.crc32";

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

/// crc32() takes lengths as unsigned int, so the bytes are processed in parts.
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

std::string checksum_text(uLong checksum) {
  std::array<char, 16> digits{};
  std::snprintf(digits.data(), digits.size(), "%08lx", checksum);
  return digits.data();
}

const char* name_of(torch::Dtype type) {
  for (const auto& known : type_names) {
    if (type == known.type) return known.name;
  }
  throw Error(std::string("safetensors has no name for tensors of the type ") +
              c10::toString(type));
}

/// A tensor's entry in the header.
struct Entry {
  std::string name;
  torch::Dtype type;
  std::vector<std::int64_t> shape;
  std::uint64_t begin;
  std::uint64_t end;
};

/// Number of bytes of a tensor; refuses sizes that are negative or overflow.
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

/// A whole number between 0 and the maximum of int64.
std::uint64_t whole_number(const nlohmann::json& value) {
  const bool is_one = value.is_number_unsigned() &&
                      value.get<std::uint64_t>() <= std::numeric_limits<std::int64_t>::max();
  if (!is_one) throw std::invalid_argument("not a whole number");
  return value.get<std::uint64_t>();
}

Entry parse_entry(const fs::path& path, const std::string& name, const nlohmann::json& value) {
  try {
    Entry entry{name, parse_type(path, name, value.at("dtype").get<std::string>()), {}, 0, 0};
    const auto& shape = value.at("shape").get_ref<const nlohmann::json::array_t&>();
    for (const auto& size : shape) {
      // A negative size is refused by byte_count().
      const bool is_negative = size.is_number_integer() && !size.is_number_unsigned();
      entry.shape.push_back(is_negative ? -1 : static_cast<std::int64_t>(whole_number(size)));
    }
    const auto& offsets = value.at("data_offsets").get_ref<const nlohmann::json::array_t&>();
    if (offsets.size() != 2) throw std::invalid_argument("not two offsets");
    entry.begin = whole_number(offsets[0]);
    entry.end = whole_number(offsets[1]);
    return entry;
  } catch (const UserError&) {
    throw;
  } catch (const std::exception&) {
    reject_safetensors(
        path, "its header says for tensor '" + name + "' no dtype, shape and data_offsets");
  }
}

/// The header as text. \param data_begin is set to the offset of the tensors' bytes.
std::string read_header(const fs::path& path, std::ifstream& file, std::uint64_t file_size,
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
  return text;
}

nlohmann::json parse_header(const fs::path& path, const std::string& text) {
  try {
    nlohmann::json header = parse_json(text);
    if (header.is_object()) return header;
  } catch (const UserError& error) {
    reject_safetensors(path, std::string("of its header, ") + error.what());
  } catch (const nlohmann::json::exception&) {
  }
  reject_safetensors(path, "its header is not a JSON object");
}

std::map<std::string, std::string> parse_metadata(const fs::path& path,
                                                  const nlohmann::json& value) {
  std::map<std::string, std::string> metadata;
  if (!value.is_object()) reject_safetensors(path, "its __metadata__ is not a JSON object");
  for (const auto& item : value.items()) {
    if (!item.value().is_string()) {
      reject_safetensors(path, "its metadata '" + item.key() + "' is not a text");
    }
    metadata[item.key()] = item.value().get<std::string>();
  }
  return metadata;
}

/// The offset of the checksum's digits in a header; npos if there is none.
std::size_t place_of_checksum(const std::string& header) {
  const std::string key = "\"" + std::string(checksum_key) + "\":\"";
  const std::size_t place = header.find(key);
  return place == std::string::npos ? place : place + key.size();
}

uLong checksum_of_header(std::string header) {
  const std::size_t place = place_of_checksum(header);
  const std::size_t digits = std::strlen(no_checksum);
  if (place != std::string::npos && place + digits <= header.size()) {
    header.replace(place, digits, no_checksum);
  }
  return checksum_of(crc32(0, nullptr, 0), header.data(), header.size());
}

/// The checksum's initial value, before the tensors: files of earlier versions omit the header.
uLong first_checksum(const std::map<std::string, std::string>& metadata,
                     const std::string& header) {
  return metadata.count(checksum_key) > 0 ? checksum_of_header(header) : crc32(0, nullptr, 0);
}

void check_checksum(const fs::path& path, const std::map<std::string, std::string>& metadata,
                    uLong checksum) {
  const auto is_other = [&](const char* key, const std::string& actual) {
    const auto written = metadata.find(key);
    return written != metadata.end() && written->second != actual;
  };
  const bool is_old = metadata.count(checksum_key) == 0;
  if (is_other(checksum_key, checksum_text(checksum)) ||
      (is_old && is_other(old_checksum_key, std::to_string(checksum)))) {
    reject_safetensors(path, "its bytes have changed since it was written (the checksum differs)");
  }
}

/// Reads tensors in the order of their offsets.
class TensorReader {
 public:
  TensorReader(const fs::path& path, std::ifstream& file, std::uint64_t data_bytes, uLong checksum)
      : path_(path), file_(file), data_bytes_(data_bytes), checksum_(checksum) {}

  torch::Tensor read(const Entry& entry) {
    const std::uint64_t bytes = byte_count(path_, entry);
    if (entry.begin != position_ || entry.end < entry.begin || entry.end - entry.begin != bytes) {
      reject_safetensors(path_, "the place of tensor '" + entry.name +
                                    "' does not fit its shape and its neighbours");
    }
    if (entry.end > data_bytes_) {
      reject_safetensors(path_,
                         "tensor '" + entry.name +
                             "' ends after the end of the file, which must have been cut short");
    }
    torch::Tensor tensor = allocate(entry);
    file_.read(static_cast<char*>(tensor.data_ptr()), static_cast<std::streamsize>(bytes));
    if (!file_) reject_safetensors(path_, "tensor '" + entry.name + "' cannot be read");
    checksum_ = checksum_of(checksum_, tensor.data_ptr(), bytes);
    position_ = entry.end;
    return tensor;
  }

  void finish(const std::map<std::string, std::string>& metadata) const {
    if (position_ != data_bytes_)
      reject_safetensors(path_, "it has bytes that belong to no tensor");
    check_checksum(path_, metadata, checksum_);
  }

 private:
  torch::Tensor allocate(const Entry& entry) const {
    try {
      return torch::empty(entry.shape, entry.type);
    } catch (const c10::Error&) {
      reject_safetensors(path_, "tensor '" + entry.name + "' has a shape that LibTorch refuses");
    }
  }

  const fs::path& path_;
  std::ifstream& file_;
  std::uint64_t data_bytes_;
  std::uint64_t position_ = 0;
  uLong checksum_;
};

std::string quoted_json(const std::string& text) {
  return nlohmann::json(utf8_of(text)).dump();
}

/// The header for tensors that follow one another; its checksum is filled in later. Written as
/// text, since nlohmann::ordered_json searches all keys for each new one.
std::string header_text(const TensorFile& content, const std::vector<torch::Tensor>& tensors) {
  std::string text = "{\"__metadata__\":{";
  for (const auto& [key, value] : content.metadata) {
    if (key == checksum_key || key == old_checksum_key) continue;
    text += quoted_json(key) + ":" + quoted_json(value) + ",";
  }
  text += quoted_json(checksum_key) + ":" + quoted_json(no_checksum) + "}";
  std::uint64_t position = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const std::uint64_t end = position + tensors[i].nbytes();
    const nlohmann::json shape = tensors[i].sizes().vec();
    text += "," + quoted_json(content.tensors[i].name) + ":{\"dtype\":\"" +
            name_of(tensors[i].scalar_type()) + "\",\"shape\":" + shape.dump() +
            ",\"data_offsets\":[" + std::to_string(position) + "," + std::to_string(end) + "]}";
    position = end;
  }
  text += "}";
  text.resize((text.size() + 7) / 8 * 8, ' ');  // aligns the data to 8 bytes
  return text;
}

}  // namespace

torch::Tensor TensorFile::find(const std::string& name) const {
  for (const auto& named : tensors) {
    if (named.name == name) return named.tensor;
  }
  return {};
}

TensorFile read_safetensors(const fs::path& path) {
  require_file(path);
  refuse_pytorch_file(path);
  if (path.extension() == ".onnx") {
    throw UserError(path.string() +
                    " is an ONNX model, where a safetensors file is read; mlaan export RUN --to "
                    "safetensors writes such a file of the run that it was made from");
  }
  std::error_code error;
  const std::uint64_t file_size = fs::file_size(path, error);
  std::ifstream file(path, std::ios::binary);
  if (!file || error) throw UserError("cannot read " + path.string());

  std::uint64_t data_begin = 0;
  const std::string text = read_header(path, file, file_size, data_begin);
  const nlohmann::json header = parse_header(path, text);
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
  TensorReader reader(path, file, file_size - data_begin, first_checksum(content.metadata, text));
  for (const auto& entry : entries) content.tensors.push_back({entry.name, reader.read(entry)});
  reader.finish(content.metadata);
  return content;
}

void write_safetensors(const fs::path& path, const TensorFile& content) {
  std::vector<torch::Tensor> tensors;
  for (const auto& named : content.tensors) {
    tensors.push_back(named.tensor.detach().to(torch::kCPU).contiguous());
  }
  std::string header = header_text(content, tensors);
  uLong checksum = checksum_of_header(header);
  for (const auto& tensor : tensors) {
    checksum = checksum_of(checksum, tensor.data_ptr(), tensor.nbytes());
  }
  header.replace(place_of_checksum(header), std::strlen(no_checksum), checksum_text(checksum));

  AtomicFile file(path);
  const auto length = to_little_endian(header.size());
  file.write(length.data(), length.size());
  file.write(header.data(), header.size());
  for (const auto& tensor : tensors) file.write(tensor.data_ptr(), tensor.nbytes());
  file.commit();
}

}  // namespace mlaan
