// Decodes PNG pictures by libpng.
#include "data/exif_orientation.h"
#include "data/picture_decoder.h"
#include "data/png_exif.h"

#include <png.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>
#include <vector>

namespace mlaan {
namespace {

class PngDecoder final : public PictureDecoder {
 public:
  explicit PngDecoder(const Bytes& file) : rest_(file) {
    handles_.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, give_up, ignore_warning);
    if (handles_.png == nullptr) throw Error("libpng cannot be used");
    guarded([&] {
      handles_.info = png_create_info_struct(handles_.png);
      png_set_read_fn(handles_.png, this, read);
      pass_over_texts();
      png_read_info(handles_.png, handles_.info);
    });
    width_ = png_get_image_width(handles_.png, handles_.info);
    height_ = png_get_image_height(handles_.png, handles_.info);
    const auto exif = png_exif(file);
    if (!exif.empty()) orientation_ = exif_orientation({exif.data(), exif.size()});
  }

  DecodedRegion decode(const Frame& frame) override {
    check_pixels(width_, height_);
    int passes = 1;
    guarded([&] {
      set_output();
      passes = png_set_interlace_handling(handles_.png);
      png_read_update_info(handles_.png, handles_.info);
    });
    const Region& region = frame.region;
    const std::int64_t channels = png_get_channels(handles_.png, handles_.info);
    const torch::Tensor pixels = picture_memory(channels, region.height, region.width);
    // An interlaced picture is completed pass by pass, so all its rows are kept in memory.
    const std::int64_t rows_kept = passes > 1 ? height_ : 1;
    const torch::Tensor buffer = torch::zeros(
        {rows_kept, static_cast<std::int64_t>(png_get_rowbytes(handles_.png, handles_.info))},
        torch::kUInt8);
    const auto line = [&](std::int64_t row) {
      return buffer.select(0, std::min(row, rows_kept - 1)).data_ptr<std::uint8_t>();
    };
    for (int pass = 0; pass + 1 < passes; ++pass) {
      for (std::int64_t row = 0; row < height_; ++row) read_row(line(row));
    }
    for (std::int64_t row = 0; row < region.top + region.height; ++row) {
      read_row(line(row));
      if (row >= region.top) {
        split(line(row) + region.left * channels, pixels.select(1, row - region.top));
      }
    }
    return {pixels, {0, 0, static_cast<double>(region.width), static_cast<double>(region.height)}};
  }

 private:
  /// RAII wrapper of libpng's structures.
  struct Handles {
    Handles() = default;
    ~Handles() { png_destroy_read_struct(&png, &info, nullptr); }
    Handles(const Handles&) = delete;
    Handles& operator=(const Handles&) = delete;

    png_structp png = nullptr;
    png_infop info = nullptr;
  };

  /// Runs calls of libpng. On an error libpng leaves them by longjmp, which runs no destructors, so
  /// `calls` must have no variables with destructors.
  template <class Calls>
  void guarded(const Calls& calls) {
    if (setjmp(on_error_) != 0) {
      throw DamagedPicture("damaged PNG: " + std::string(message_.data()));
    }
    calls();
  }

  /// Chunks that do not affect pixels are not unpacked.
  void pass_over_texts() {
    constexpr std::array<png_byte, 30> chunks{'t', 'E', 'X', 't', 0, 'z', 'T', 'X', 't', 0,
                                              'i', 'T', 'X', 't', 0, 'i', 'C', 'C', 'P', 0,
                                              's', 'P', 'L', 'T', 0, 'e', 'X', 'I', 'f', 0};
    png_set_keep_unknown_chunks(handles_.png, PNG_HANDLE_CHUNK_NEVER, chunks.data(),
                                static_cast<int>(chunks.size() / 5));
  }

  [[noreturn]] static void give_up(png_structp png, png_const_charp message) {
    auto& decoder = *static_cast<PngDecoder*>(png_get_error_ptr(png));
    std::strncpy(decoder.message_.data(), message, decoder.message_.size() - 1);
    std::longjmp(decoder.on_error_, 1);
  }

  static void ignore_warning(png_structp /*png*/, png_const_charp /*message*/) {}

  static void read(png_structp png, png_bytep to, std::size_t count) {
    Bytes& rest = static_cast<PngDecoder*>(png_get_io_ptr(png))->rest_;
    if (count > rest.size) png_error(png, "the file ends early");
    std::copy_n(rest.data, count, to);
    rest.data += count;
    rest.size -= count;
  }

  /// Converts whatever is stored to 8 bits of grey or RGB.
  void set_output() {
    const auto png = handles_.png;
    const int colours = png_get_color_type(png, handles_.info);
    if (png_get_bit_depth(png, handles_.info) == 16) png_set_scale_16(png);
    if (colours == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
    if ((colours & PNG_COLOR_MASK_COLOR) == 0) png_set_expand_gray_1_2_4_to_8(png);
    png_set_strip_alpha(png);
  }

  void read_row(std::uint8_t* to) {
    guarded([&] { png_read_row(handles_.png, to, nullptr); });
  }

  /// \param to uint8, channels × columns.
  static void split(const std::uint8_t* row, const torch::Tensor& to) {
    const std::int64_t channels = to.size(0);
    for (std::int64_t c = 0; c < channels; ++c) {
      auto* plane = to.select(0, c).data_ptr<std::uint8_t>();
      for (std::int64_t i = 0; i < to.size(1); ++i) plane[i] = row[channels * i + c];
    }
  }

  Bytes rest_;
  std::jmp_buf on_error_{};
  std::array<char, 200> message_{};
  Handles handles_;
};

}  // namespace

std::unique_ptr<PictureDecoder> open_png(const Bytes& file) {
  return std::make_unique<PngDecoder>(file);
}

}  // namespace mlaan
