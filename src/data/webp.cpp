// Decodes WebP pictures by libwebp.
#include "data/exif_orientation.h"
#include "data/picture_decoder.h"

#include <webp/decode.h>
#include <webp/demux.h>

#include <algorithm>
#include <cstring>

namespace mlaan {
namespace {

struct DeleteDemuxer {
  void operator()(WebPDemuxer* demuxer) const { WebPDemuxDelete(demuxer); }
};

struct DeleteAnimation {
  void operator()(WebPAnimDecoder* animation) const { WebPAnimDecoderDelete(animation); }
};

int stored_orientation(const Bytes& file) {
  const WebPData data{file.data, file.size};
  const std::unique_ptr<WebPDemuxer, DeleteDemuxer> demuxer(WebPDemux(&data));
  if (!demuxer) return 1;
  WebPChunkIterator chunk;
  if (WebPDemuxGetChunk(demuxer.get(), "EXIF", 1, &chunk) == 0) return 1;
  const int orientation = exif_orientation({chunk.chunk.bytes, chunk.chunk.size});
  WebPDemuxReleaseChunkIterator(&chunk);
  return orientation;
}

[[noreturn]] void fail(VP8StatusCode status) {
  switch (status) {
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
      throw DamagedPicture("damaged WebP: the file ends early");
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      throw DamagedPicture("WebP with a feature that cannot be read");
    case VP8_STATUS_OUT_OF_MEMORY:
      throw Error("no memory is left to read a WebP picture");
    default:
      throw DamagedPicture("damaged WebP");
  }
}

/// How often a length fits into another, but at least 1.
std::int64_t times(std::int64_t length, std::int64_t into) {
  return std::max<std::int64_t>(1, into / length);
}

class WebpDecoder final : public PictureDecoder {
 public:
  explicit WebpDecoder(const Bytes& file) : file_(file) {
    WebPBitstreamFeatures features;
    const VP8StatusCode status = WebPGetFeatures(file.data, file.size, &features);
    if (status != VP8_STATUS_OK) fail(status);
    is_moving_ = features.has_animation != 0;
    width_ = features.width;
    height_ = features.height;
    orientation_ = stored_orientation(file);
  }

  DecodedRegion decode(const Frame& frame) override {
    const Region& region = frame.region;
    check_pixels(width_, height_);
    if (is_moving_) return first_of_moving(region);
    // libwebp crops at even positions only.
    const std::int64_t more_left = region.left % 2;
    const std::int64_t more_above = region.top % 2;
    const std::int64_t reduction =
        std::min(times(frame.width, region.width), times(frame.height, region.height));
    const std::int64_t cut_width = region.width + more_left;
    const std::int64_t cut_height = region.height + more_above;
    const std::int64_t width = (cut_width + reduction - 1) / reduction;
    const std::int64_t height = (cut_height + reduction - 1) / reduction;

    const torch::Tensor buffer = torch::empty({height, width, 3}, torch::kUInt8);
    WebPDecoderConfig config;
    if (WebPInitDecoderConfig(&config) == 0) throw Error("libwebp is of another version");
    config.options.use_cropping = 1;
    config.options.crop_left = static_cast<int>(region.left - more_left);
    config.options.crop_top = static_cast<int>(region.top - more_above);
    config.options.crop_width = static_cast<int>(cut_width);
    config.options.crop_height = static_cast<int>(cut_height);
    config.options.use_scaling = reduction > 1 ? 1 : 0;
    config.options.scaled_width = static_cast<int>(width);
    config.options.scaled_height = static_cast<int>(height);
    config.output.colorspace = MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = buffer.data_ptr<std::uint8_t>();
    config.output.u.RGBA.stride = static_cast<int>(3 * width);
    config.output.u.RGBA.size = static_cast<std::size_t>(buffer.numel());
    const VP8StatusCode status = WebPDecode(file_.data, file_.size, &config);
    if (status != VP8_STATUS_OK) fail(status);

    const double across = static_cast<double>(width) / static_cast<double>(cut_width);
    const double down = static_cast<double>(height) / static_cast<double>(cut_height);
    const torch::Tensor pixels = buffer.permute({2, 0, 1});
    return {
        pixels,
        {static_cast<double>(more_left) * across, static_cast<double>(more_above) * down,
         static_cast<double>(region.width) * across, static_cast<double>(region.height) * down}};
  }

 private:
  /// The first picture of an animation.
  DecodedRegion first_of_moving(const Region& region) const {
    WebPAnimDecoderOptions options;
    if (WebPAnimDecoderOptionsInit(&options) == 0) throw Error("libwebp is of another version");
    options.color_mode = MODE_RGBA;
    const WebPData data{file_.data, file_.size};
    const std::unique_ptr<WebPAnimDecoder, DeleteAnimation> animation(
        WebPAnimDecoderNew(&data, &options));
    std::uint8_t* pixels = nullptr;
    int time = 0;
    if (!animation || WebPAnimDecoderGetNext(animation.get(), &pixels, &time) == 0) {
      throw DamagedPicture("damaged WebP: its first picture cannot be read");
    }
    const torch::Tensor whole =
        torch::from_blob(pixels, {height_, width_, 4}, torch::kUInt8).permute({2, 0, 1});
    const torch::Tensor part = whole.narrow(0, 0, 3)
                                   .narrow(1, region.top, region.height)
                                   .narrow(2, region.left, region.width);
    return {part.clone(),
            {0, 0, static_cast<double>(region.width), static_cast<double>(region.height)}};
  }

  Bytes file_;
  bool is_moving_ = false;
};

}  // namespace

std::unique_ptr<PictureDecoder> open_webp(const Bytes& file) {
  return std::make_unique<WebpDecoder>(file);
}

}  // namespace mlaan
