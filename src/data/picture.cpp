// Reads pictures from JPEG, PNG and WebP files: upright, in RGB, and no larger than needed.
#include "data/picture_decoder.h"

#include <mlaan/data/picture.h>

#include <torch/types.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

namespace mlaan {
namespace {

struct PictureFormat {
  const char* name;
  bool (*is)(const Bytes& file);
  std::unique_ptr<PictureDecoder> (*open)(const Bytes& file);  ///< null if not built in
};

#ifdef MLAAN_HAS_PICTURES
constexpr auto jpeg = open_jpeg;
constexpr auto png = open_png;
#else
constexpr std::unique_ptr<PictureDecoder> (*jpeg)(const Bytes&) = nullptr;
constexpr std::unique_ptr<PictureDecoder> (*png)(const Bytes&) = nullptr;
#endif
#ifdef MLAAN_HAS_WEBP
constexpr auto webp = open_webp;
#else
constexpr std::unique_ptr<PictureDecoder> (*webp)(const Bytes&) = nullptr;
#endif

bool begins_with(const Bytes& file, const std::string& start, std::size_t position = 0) {
  return file.size >= position + start.size() &&
         std::equal(start.begin(), start.end(), file.data + position,
                    [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

bool is_jpeg(const Bytes& file) {
  return begins_with(file, "\xFF\xD8\xFF");
}
bool is_png(const Bytes& file) {
  return begins_with(file, "\x89PNG\r\n\x1A\n");
}
bool is_webp(const Bytes& file) {
  return begins_with(file, "RIFF") && begins_with(file, "WEBP", 8);
}

constexpr std::array<PictureFormat, 3> formats{
    {{"JPEG", is_jpeg, jpeg}, {"PNG", is_png, png}, {"WebP", is_webp, webp}}};

std::unique_ptr<PictureDecoder> open_decoder(const Bytes& file) {
  if (file.size == 0) throw DamagedPicture("the file is empty");
  for (const auto& format : formats) {
    if (!format.is(file)) continue;
    if (format.open != nullptr) return format.open(file);
    throw UserError(std::string("this mlaan was built without ") + format.name +
                    " pictures; see MLAAN_WITH_PICTURES in CMake");
  }
  throw DamagedPicture("no picture: its content is neither JPEG, PNG nor WebP");
}

/// An EXIF orientation as operations: rows and columns are exchanged first, then axes are flipped.
struct Turn {
  explicit Turn(int orientation)
      : exchanged(orientation >= 5),
        left_right(orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7),
        upside_down(orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8) {}

  bool exchanged;
  bool left_right;
  bool upside_down;
};

/// Converts a frame of the upright picture to one of the picture as it is stored.
Frame stored_frame(const Frame& upright, const Turn& turn, std::int64_t width,
                   std::int64_t height) {
  Frame frame = upright;
  Region& region = frame.region;
  if (turn.left_right) region.left = width - region.left - region.width;
  if (turn.upside_down) region.top = height - region.top - region.height;
  if (turn.exchanged) {
    std::swap(region.left, region.top);
    std::swap(region.width, region.height);
    std::swap(frame.width, frame.height);
  }
  return frame;
}

torch::Tensor turned(torch::Tensor image, const Turn& turn) {
  if (turn.exchanged) image = image.transpose(1, 2);
  std::vector<std::int64_t> axes;
  if (turn.upside_down) axes.push_back(1);
  if (turn.left_right) axes.push_back(2);
  return axes.empty() ? image : image.flip(axes);
}

/// Regular files only: reading a pipe would block, and a device may have no end.
void check_is_file(const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  switch (status.type()) {
    case std::filesystem::file_type::regular:
      return;
    case std::filesystem::file_type::directory:
      throw DamagedPicture("it is a folder");
    case std::filesystem::file_type::not_found:
      throw DamagedPicture("the file does not exist");
    case std::filesystem::file_type::none:
      throw DamagedPicture("the file cannot be opened: " + error.message());
    default:
      throw DamagedPicture("not a regular file, but a pipe, a socket or a device");
  }
}

std::vector<std::uint8_t> read_whole(const std::filesystem::path& path) {
  check_is_file(path);
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) throw DamagedPicture("the file cannot be opened");
  std::vector<std::uint8_t> bytes(
      static_cast<std::size_t>(std::max<std::streamoff>(0, file.tellg())));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file) throw DamagedPicture("the file cannot be read");
  return bytes;
}

}  // namespace

const std::vector<std::string>& picture_extensions() {
  static const std::vector<std::string> extensions{".jpg", ".jpeg", ".jpe", ".png", ".webp"};
  return extensions;
}

void check_pixels(std::int64_t width, std::int64_t height) {
  if (height == 0 || width <= most_pixels / height) return;
  throw DamagedPicture("too large: " + std::to_string(width) + "×" + std::to_string(height) +
                       " pixels would have to be decoded at once; the limit is " +
                       std::to_string(most_pixels / 1'000'000) + " million");
}

torch::Tensor decode_picture(const void* bytes, std::size_t size, const FrameChooser& choose) {
  const auto decoder = open_decoder({static_cast<const std::uint8_t*>(bytes), size});
  const Turn turn(decoder->orientation());
  std::int64_t width = decoder->width();
  std::int64_t height = decoder->height();
  if (turn.exchanged) std::swap(width, height);
  const Frame frame = stored_frame(choose(width, height), turn, width, height);
  const DecodedRegion decoded = decoder->decode(frame);
  const torch::Tensor image =
      turned(resize(decoded.pixels, decoded.region, frame.width, frame.height), turn);
  return image.expand({3, image.size(1), image.size(2)});
}

torch::Tensor read_picture(const std::filesystem::path& path, const FrameChooser& choose) {
  try {
    const auto bytes = read_whole(path);
    return decode_picture(bytes.data(), bytes.size(), choose);
  } catch (const DamagedPicture& error) {
    throw DamagedPicture(path.string() + ": " + error.what());
  }
}

}  // namespace mlaan
