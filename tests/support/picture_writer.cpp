#include "support/picture_writer.h"

#include <torch/torch.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <vector>

#ifdef MLAAN_HAS_PICTURES
#include <jpeglib.h>
#include <png.h>
#endif
#ifdef MLAAN_HAS_WEBP
#include <webp/encode.h>
#endif

namespace mlaan::testing {

torch::Tensor wavy_picture(std::int64_t channels, std::int64_t height, std::int64_t width) {
  const auto y = torch::arange(height).to(torch::kFloat32).view({1, height, 1});
  const auto x = torch::arange(width).to(torch::kFloat32).view({1, 1, width});
  const auto c = torch::arange(channels).to(torch::kFloat32).view({channels, 1, 1});
  const auto waves = (x * (0.031 + 0.007 * c) + c).sin() * (y * (0.043 - 0.005 * c) - c).cos();
  const auto slope = x / static_cast<double>(width) - y / static_cast<double>(height);
  return (127 + 90 * waves + 30 * slope).clamp(0, 255).to(torch::kUInt8).contiguous();
}

std::string exif_with_orientation(int orientation) {
  std::string exif("Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0", 32);
  exif[25] = static_cast<char>(orientation);
  return exif;
}

#ifdef MLAAN_HAS_PICTURES

bool built_with_pictures() {
  return true;
}

std::string jpeg_file(const torch::Tensor& image, const JpegSettings& settings) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &bytes, &size);
  const auto channels = static_cast<int>(image.size(0));
  info.image_width = static_cast<JDIMENSION>(image.size(2));
  info.image_height = static_cast<JDIMENSION>(image.size(1));
  info.input_components = channels;
  info.in_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, settings.quality, TRUE);
  if (channels == 4) {
    if (settings.adobe) jpeg_set_colorspace(&info, JCS_YCCK);
    info.write_Adobe_marker = settings.adobe ? TRUE : FALSE;
  }
  if (channels == 3) {
    info.comp_info[0].h_samp_factor = settings.chroma_width;
    info.comp_info[0].v_samp_factor = settings.chroma_height;
  }
  if (settings.progressive) jpeg_simple_progression(&info);
  std::vector<jpeg_scan_info> scans;
  if (settings.many_scans) {
    scans.push_back({1, {0}, 0, 0, 0, 0});
    for (int coefficient = 1; coefficient < 64; ++coefficient) {
      for (int bit = 4; bit >= 0; --bit) {
        scans.push_back({1, {0}, coefficient, coefficient, bit == 4 ? 0 : bit + 1, bit});
      }
    }
    info.scan_info = scans.data();
    info.num_scans = static_cast<int>(scans.size());
  }
  jpeg_start_compress(&info, TRUE);
  if (settings.orientation > 0) {
    const std::string exif = exif_with_orientation(settings.orientation);
    jpeg_write_marker(&info, JPEG_APP0 + 1, reinterpret_cast<const JOCTET*>(exif.data()),
                      static_cast<unsigned>(exif.size()));
  }
  const auto rows = image.permute({1, 2, 0}).contiguous();
  while (info.next_scanline < info.image_height) {
    auto* row = rows[static_cast<std::int64_t>(info.next_scanline)].data_ptr<std::uint8_t>();
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::string file(reinterpret_cast<char*>(bytes), size);
  std::free(bytes);
  return file;
}

std::string png_file(const torch::Tensor& image, const PngSettings& settings) {
  std::string file;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &file,
      [](png_structp to, png_bytep data, std::size_t count) {
        static_cast<std::string*>(png_get_io_ptr(to))
            ->append(reinterpret_cast<const char*>(data), count);
      },
      [](png_structp) {});
  const std::array<int, 4> colours{PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA,
                                   PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
  const auto height = image.size(1);
  png_set_IHDR(png, info, static_cast<png_uint_32>(image.size(2)), static_cast<png_uint_32>(height),
               settings.bits,
               settings.palette ? PNG_COLOR_TYPE_PALETTE
                                : colours.at(static_cast<std::size_t>(image.size(0) - 1)),
               settings.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  std::vector<png_color> palette;
  for (int v = 0; settings.palette && v < 256; ++v) {
    palette.push_back(
        {static_cast<png_byte>(v), static_cast<png_byte>(255 - v), static_cast<png_byte>(v / 2)});
  }
  if (settings.palette) png_set_PLTE(png, info, palette.data(), 256);
  std::string exif = exif_with_orientation(settings.orientation).substr(6);
  if (settings.orientation > 0) {
    png_set_eXIf_1(png, info, static_cast<png_uint_32>(exif.size()),
                   reinterpret_cast<png_bytep>(exif.data()));
  }
  png_write_info(png, info);
  torch::Tensor rows = image.permute({1, 2, 0}).contiguous();
  if (settings.bits == 16) rows = rows.unsqueeze(3).expand({-1, -1, -1, 2}).contiguous();
  std::vector<png_bytep> pointers;
  for (std::int64_t y = 0; y < height; ++y) pointers.push_back(rows[y].data_ptr<std::uint8_t>());
  png_write_image(png, pointers.data());
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &info);
  return file;
}

#else

bool built_with_pictures() {
  return false;
}

std::string jpeg_file(const torch::Tensor&, const JpegSettings&) {
  throw std::runtime_error("built without pictures");
}
std::string png_file(const torch::Tensor&, const PngSettings&) {
  throw std::runtime_error("built without pictures");
}

#endif

std::string webp_file([[maybe_unused]] const torch::Tensor& image, [[maybe_unused]] float quality) {
#ifdef MLAAN_HAS_WEBP
  const auto rows = image.permute({1, 2, 0}).contiguous();
  const auto width = static_cast<int>(image.size(2));
  const auto height = static_cast<int>(image.size(1));
  std::uint8_t* bytes = nullptr;
  const auto* pixels = rows.data_ptr<std::uint8_t>();
  const std::size_t size = quality >= 100
                               ? WebPEncodeLosslessRGB(pixels, width, height, 3 * width, &bytes)
                               : WebPEncodeRGB(pixels, width, height, 3 * width, quality, &bytes);
  std::string file(reinterpret_cast<char*>(bytes), size);
  WebPFree(bytes);
  return file;
#else
  throw std::runtime_error("built without WebP");
#endif
}

}  // namespace mlaan::testing
