// Decodes JPEG pictures by libjpeg-turbo, and no more of them than a frame needs.
#include "data/exif_orientation.h"
#include "data/picture_decoder.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <vector>

// These two headers need <cstdio> before them.
#include <jpeglib.h>
// clang-format off
#include <jerror.h>
// clang-format on

namespace mlaan {
namespace {

constexpr int exif_marker = JPEG_APP0 + 1;
constexpr unsigned longest_marker = 0xFFFF;

/// Chroma upsampling reads neighbouring pixels, so the decoded window is larger by this margin.
constexpr std::int64_t margin = 4;
constexpr std::int64_t rows_at_a_time = 16;
/// Encoders write about ten scans. Each scan is a pass over the whole picture, so many take long.
constexpr int most_scans = 100;

/// libjpeg's error handler with members of our own. libjpeg passes pointers to the first member.
struct ErrorHandler {
  jpeg_error_mgr base{};
  std::jmp_buf on_error{};
  std::array<char, JMSG_LENGTH_MAX> message{};
};

ErrorHandler& handler_of(j_common_ptr info) {
  return *reinterpret_cast<ErrorHandler*>(info->err);
}

[[noreturn]] void give_up(j_common_ptr info) {
  ErrorHandler& handler = handler_of(info);
  info->err->format_message(info, handler.message.data());
  std::longjmp(handler.on_error, 1);
}

/// Treats warnings as errors if libjpeg would fill in pixels that the file does not contain.
void judge_warning(j_common_ptr info, int level) {
  constexpr int warning = -1;
  if (level != warning) return;
  switch (info->err->msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
      give_up(info);
    default:  // warnings that do not affect pixels
      break;
  }
}

void print_nothing(j_common_ptr /*info*/) {}

/// Called by libjpeg from time to time while it decodes.
void refuse_endless_scans(j_common_ptr info) {
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= most_scans) return;
  ErrorHandler& handler = handler_of(info);
  std::snprintf(handler.message.data(), handler.message.size(), "it has more than %d scans",
                most_scans);
  std::longjmp(handler.on_error, 1);
}

/// RAII wrapper of libjpeg's decompressor.
struct Decompression {
  Decompression() {
    info.err = jpeg_std_error(&handler.base);
    handler.base.error_exit = give_up;
    handler.base.emit_message = judge_warning;
    handler.base.output_message = print_nothing;
  }
  ~Decompression() { jpeg_destroy_decompress(&info); }
  Decompression(const Decompression&) = delete;
  Decompression& operator=(const Decompression&) = delete;

  ErrorHandler handler;
  jpeg_progress_mgr progress{};
  jpeg_decompress_struct info{};
};

/// A range of one axis.
struct Span {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

struct Window {
  Span columns;
  Span rows;
};

/// A scaled span, widened by the margin and cut at the picture's edges.
Span around(const Span& span, double scale, std::int64_t length) {
  const auto begin = std::floor(static_cast<double>(span.first) * scale);
  const auto end = std::ceil(static_cast<double>(span.first + span.count) * scale);
  Span result;
  result.first = std::max<std::int64_t>(0, static_cast<std::int64_t>(begin) - margin);
  result.count = std::min(static_cast<std::int64_t>(end) + margin, length) - result.first;
  return result;
}

/// The scale to decode at, in eighths: the smallest of the scales that libjpeg-turbo is fast at for
/// which the region is not smaller than the result.
int eighths_for(const Frame& frame) {
  const double across = static_cast<double>(frame.region.width) / static_cast<double>(frame.width);
  const double down = static_cast<double>(frame.region.height) / static_cast<double>(frame.height);
  const double reduction = std::min(across, down);
  for (const int eighths : {1, 2, 4}) {
    if (reduction * eighths >= 8) return eighths;
  }
  return 8;
}

/// \param planes the first value of a row in the first plane; planes are `step` bytes apart.
void split_colours(const std::uint8_t* row, std::int64_t count, std::uint8_t* planes,
                   std::int64_t step) {
  std::uint8_t* red = planes;
  std::uint8_t* green = planes + step;
  std::uint8_t* blue = planes + 2 * step;
  for (std::int64_t i = 0; i < count; ++i) {
    red[i] = row[4 * i];
    green[i] = row[4 * i + 1];
    blue[i] = row[4 * i + 2];
  }
}

/// The same for CMYK. \param inverted values are stored as 255 − ink, as Adobe's programs do.
void split_inks(const std::uint8_t* row, std::int64_t count, std::uint8_t* planes,
                std::int64_t step, bool inverted) {
  const int flip = inverted ? 0 : 255;
  for (std::int64_t i = 0; i < count; ++i) {
    const int light = row[4 * i + 3] ^ flip;
    for (std::int64_t c = 0; c < 3; ++c) {
      planes[c * step + i] =
          static_cast<std::uint8_t>(((row[4 * i + c] ^ flip) * light + 127) / 255);
    }
  }
}

class JpegDecoder final : public PictureDecoder {
 public:
  explicit JpegDecoder(const Bytes& file) {
    guarded([&] {
      jpeg_create_decompress(&info_);
      decompression_.progress.progress_monitor = refuse_endless_scans;
      info_.progress = &decompression_.progress;
      jpeg_mem_src(&info_, file.data, file.size);
      jpeg_save_markers(&info_, exif_marker, longest_marker);
      jpeg_read_header(&info_, TRUE);
    });
    width_ = info_.image_width;
    height_ = info_.image_height;
    for (const auto* marker = info_.marker_list; marker != nullptr; marker = marker->next) {
      if (marker->marker == exif_marker && marker->data_length > 6 &&
          std::memcmp(marker->data, "Exif", 5) == 0) {
        orientation_ = exif_orientation({marker->data, marker->data_length});
        break;
      }
    }
  }

  DecodedRegion decode(const Frame& frame) override {
    const int eighths = eighths_for(frame);
    const double scale = eighths / 8.0;
    set_output(eighths);
    const Region& region = frame.region;
    const Window exact{{region.left, region.width}, {region.top, region.height}};
    const Window decoded{around(exact.columns, scale, info_.output_width),
                         around(exact.rows, scale, info_.output_height)};
    // Files with several scans are decoded in memory as a whole.
    if (jpeg_has_multiple_scans(&info_) != 0) check_pixels(width_, height_);
    check_pixels(decoded.columns.count, decoded.rows.count);
    if (eighths == 8) {
      return {read(decoded, exact),
              {0, 0, static_cast<double>(region.width), static_cast<double>(region.height)}};
    }
    return {
        read(decoded, decoded),
        {static_cast<double>(region.left) * scale - static_cast<double>(decoded.columns.first),
         static_cast<double>(region.top) * scale - static_cast<double>(decoded.rows.first),
         static_cast<double>(region.width) * scale, static_cast<double>(region.height) * scale}};
  }

 private:
  /// Runs calls of libjpeg. On an error libjpeg leaves them by longjmp, which runs no destructors,
  /// so `calls` must have no variables with destructors.
  template <class Calls>
  void guarded(const Calls& calls) {
    if (setjmp(decompression_.handler.on_error) != 0) fail();
    calls();
  }

  [[noreturn]] void fail() const {
    throw DamagedPicture("damaged JPEG: " + std::string(decompression_.handler.message.data()));
  }

  void set_output(int eighths) {
    info_.scale_num = static_cast<unsigned>(eighths);
    info_.scale_denom = 8;
    switch (info_.jpeg_color_space) {
      case JCS_GRAYSCALE:
        info_.out_color_space = JCS_GRAYSCALE;
        break;
      case JCS_CMYK:
      case JCS_YCCK:
        info_.out_color_space = JCS_CMYK;
        break;
      default:
        info_.out_color_space = JCS_EXT_RGBX;
        break;
    }
    guarded([&] { jpeg_calc_output_dimensions(&info_); });
  }

  /// Decodes a window and returns the part of it that is to be kept.
  torch::Tensor read(const Window& decoded, const Window& kept) {
    auto first = static_cast<JDIMENSION>(decoded.columns.first);
    auto count = static_cast<JDIMENSION>(decoded.columns.count);
    guarded([&] {
      jpeg_start_decompress(&info_);
      // Widens the columns to whole blocks.
      if (count < info_.output_width) jpeg_crop_scanline(&info_, &first, &count);
      if (decoded.rows.first > 0) {
        jpeg_skip_scanlines(&info_, static_cast<JDIMENSION>(decoded.rows.first));
      }
    });
    const std::int64_t channels = info_.out_color_space == JCS_GRAYSCALE ? 1 : 3;
    const torch::Tensor pixels = picture_memory(channels, kept.rows.count, kept.columns.count);
    const std::int64_t row_size = static_cast<std::int64_t>(count) * info_.output_components;
    const torch::Tensor buffer = torch::empty({rows_at_a_time, row_size}, torch::kUInt8);
    std::array<JSAMPROW, rows_at_a_time> lines{};
    for (std::size_t i = 0; i < lines.size(); ++i) {
      lines.at(i) = buffer.data_ptr<std::uint8_t>() + static_cast<std::int64_t>(i) * row_size;
    }
    const std::int64_t skipped = (kept.columns.first - first) * info_.output_components;
    const std::int64_t end = kept.rows.first + kept.rows.count;
    for (std::int64_t row = decoded.rows.first; row < end;) {
      JDIMENSION got = 0;
      const auto wanted = static_cast<JDIMENSION>(std::min(rows_at_a_time, end - row));
      guarded([&] { got = jpeg_read_scanlines(&info_, lines.data(), wanted); });
      if (got == 0) fail();
      for (JDIMENSION i = 0; i < got; ++i, ++row) {
        if (row < kept.rows.first) continue;
        split(lines.at(i) + skipped, pixels.select(1, row - kept.rows.first));
      }
    }
    return pixels;
  }

  /// \param to uint8, channels × columns.
  void split(const std::uint8_t* row, const torch::Tensor& to) const {
    auto* planes = to.data_ptr<std::uint8_t>();
    const std::int64_t count = to.size(1);
    switch (info_.out_color_space) {
      case JCS_GRAYSCALE:
        std::copy_n(row, count, planes);
        break;
      case JCS_CMYK:
        split_inks(row, count, planes, to.stride(0), info_.saw_Adobe_marker != 0);
        break;
      default:
        split_colours(row, count, planes, to.stride(0));
        break;
    }
  }

  Decompression decompression_;
  jpeg_decompress_struct& info_ = decompression_.info;
};

}  // namespace

std::unique_ptr<PictureDecoder> open_jpeg(const Bytes& file) {
  return std::make_unique<JpegDecoder>(file);
}

}  // namespace mlaan
