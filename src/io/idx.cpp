// Reads IDX files, the format of MNIST: a header with the sizes, then an array of bytes.
#include <mlaan/core/error.h>
#include <mlaan/io/byte_file.h>
#include <mlaan/io/idx.h>

#include <zlib.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

namespace mlaan {
namespace {

namespace fs = std::filesystem;

constexpr unsigned char type_unsigned_byte = 0x08;
constexpr int most_dimensions = 8;
/// The highest compression ratio of gzip (zlib's technical notes).
constexpr std::int64_t most_idx_expansion = 1032;

[[noreturn]] void reject_idx(const fs::path& path, const std::string& what) {
  throw UserError(path.string() + " is damaged or not an IDX file: " + what);
}

/// A file that may be compressed by gzip.
class PlainOrGzipFile {
 public:
  explicit PlainOrGzipFile(const fs::path& path)
      : path_(path), file_(gzopen(path.c_str(), "rb"), gzclose) {
    if (!file_) throw UserError("cannot read " + path.string());
  }

  /// \return the number of bytes read; less than `count` only at the end of the file.
  std::int64_t read(unsigned char* to, std::int64_t count) {
    constexpr std::int64_t most_at_once = 1 << 30;
    std::int64_t done = 0;
    while (done < count) {
      const auto part = static_cast<unsigned>(std::min(count - done, most_at_once));
      const int got = gzread(file_.get(), to + done, part);
      int code = Z_OK;
      const char* message = gzerror(file_.get(), &code);
      if (got < 0 || (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)) {
        reject_idx(path_, std::string("its gzip data cannot be read (") + message + ")");
      }
      if (got == 0) break;
      done += got;
    }
    return done;
  }

 private:
  fs::path path_;
  std::unique_ptr<gzFile_s, int (*)(gzFile)> file_;
};

std::string listed(const std::vector<std::int64_t>& sizes) {
  std::string text;
  for (const auto size : sizes) text += (text.empty() ? "" : "×") + std::to_string(size);
  return text;
}

std::vector<std::int64_t> read_header(const fs::path& path, PlainOrGzipFile& file) {
  std::array<unsigned char, 4> magic{};
  if (file.read(magic.data(), magic.size()) < 4) reject_idx(path, "it has fewer than 4 bytes");
  if (magic[0] != 0 || magic[1] != 0) {
    reject_idx(path, "its magic number does not begin with two zero bytes");
  }
  if (magic[2] != type_unsigned_byte) {
    reject_idx(path, "its magic number says type " + std::to_string(magic[2]) +
                         ", where unsigned bytes (8) are read");
  }
  if (magic[3] < 1 || magic[3] > most_dimensions) {
    reject_idx(path, "its magic number says " + std::to_string(magic[3]) +
                         " dimensions, where 1 to " + std::to_string(most_dimensions) +
                         " are read");
  }
  std::vector<std::int64_t> sizes;
  for (int d = 0; d < magic[3]; ++d) {
    std::array<unsigned char, 4> bytes{};
    if (file.read(bytes.data(), bytes.size()) < 4) reject_idx(path, "it is cut short in its sizes");
    std::int64_t size = 0;
    for (const auto byte : bytes) size = size * 256 + byte;
    sizes.push_back(size);
  }
  return sizes;
}

}  // namespace

torch::Tensor read_idx(const fs::path& path) {
  const std::int64_t most_bytes = file_bytes(path) * most_idx_expansion;
  PlainOrGzipFile file(path);
  const std::vector<std::int64_t> sizes = read_header(path, file);
  std::int64_t count = 1;
  for (const auto size : sizes) {
    if (size == 0) reject_idx(path, "its sizes " + listed(sizes) + " are of an empty array");
    // Checked before the product can overflow and before memory is allocated.
    if (count > most_bytes / size) {
      reject_idx(path, "its sizes " + listed(sizes) + " are of more bytes than it can hold");
    }
    count *= size;
  }
  torch::Tensor array = allocate_for(path, sizes);
  const std::int64_t got = file.read(array.data_ptr<std::uint8_t>(), count);
  if (got < count) {
    reject_idx(path, "it is cut short: its sizes " + listed(sizes) + " need " +
                         std::to_string(count) + " bytes, and it has " + std::to_string(got));
  }
  unsigned char more = 0;
  if (file.read(&more, 1) > 0) {
    reject_idx(path, "it has more than the " + std::to_string(count) + " bytes of its sizes " +
                         listed(sizes));
  }
  return array;
}

}  // namespace mlaan
