// Resizing pictures.
#include <mlaan/core/error.h>
#include <mlaan/data/resize.h>

#include <zimg.h>

#include <array>
#include <cmath>
#include <memory>
#include <optional>
#include <string>

namespace mlaan {
namespace {

/// zimg wants each row to begin at a multiple of this many bytes.
constexpr std::int64_t alignment = 64;

bool is_aligned(const torch::Tensor& image) {
  const auto address = reinterpret_cast<std::uintptr_t>(image.data_ptr());
  return image.stride(2) == 1 && image.stride(1) % alignment == 0 &&
         image.stride(0) % alignment == 0 && address % alignment == 0;
}

struct GraphDeleter {
  void operator()(zimg_filter_graph* graph) const { zimg_filter_graph_free(graph); }
};
using Graph = std::unique_ptr<zimg_filter_graph, GraphDeleter>;

[[noreturn]] void fail() {
  std::array<char, 256> message{};
  zimg_get_last_error(message.data(), message.size());
  throw Error("resizing failed: " + std::string(message.data()));
}

zimg_image_format plane_format(std::int64_t width, std::int64_t height) {
  zimg_image_format format;
  zimg_image_format_default(&format, ZIMG_API_VERSION);
  format.width = static_cast<unsigned>(width);
  format.height = static_cast<unsigned>(height);
  format.pixel_type = ZIMG_PIXEL_BYTE;
  format.color_family = ZIMG_COLOR_GREY;
  format.pixel_range = ZIMG_RANGE_FULL;
  return format;
}

Graph make_graph(const torch::Tensor& image, const ExactRegion& region, std::int64_t out_width,
                 std::int64_t out_height) {
  zimg_image_format from = plane_format(image.size(2), image.size(1));
  from.active_region.left = region.left;
  from.active_region.top = region.top;
  from.active_region.width = region.width;
  from.active_region.height = region.height;
  const zimg_image_format to = plane_format(out_width, out_height);
  zimg_graph_builder_params parameters;
  zimg_graph_builder_params_default(&parameters, ZIMG_API_VERSION);
  parameters.resample_filter = ZIMG_RESIZE_BILINEAR;
  parameters.dither_type = ZIMG_DITHER_NONE;
  parameters.cpu_type = ZIMG_CPU_AUTO;
  Graph graph(zimg_filter_graph_build(&from, &to, &parameters));
  if (!graph) fail();
  return graph;
}

/// The pixels of a region that needs no resizing.
std::optional<torch::Tensor> part_as_it_is(const torch::Tensor& image, const ExactRegion& region,
                                           std::int64_t out_width, std::int64_t out_height) {
  const auto left = static_cast<std::int64_t>(region.left);
  const auto top = static_cast<std::int64_t>(region.top);
  if (region.width != static_cast<double>(out_width) ||
      region.height != static_cast<double>(out_height) ||
      region.left != static_cast<double>(left) || region.top != static_cast<double>(top)) {
    return std::nullopt;
  }
  return image.narrow(1, top, out_height).narrow(2, left, out_width);
}

}  // namespace

torch::Tensor picture_memory(std::int64_t channels, std::int64_t height, std::int64_t width) {
  const std::int64_t stride = (width + alignment - 1) / alignment * alignment;
  return torch::empty({channels, height, stride}, torch::kUInt8).narrow(2, 0, width);
}

torch::Tensor resize(const torch::Tensor& image, const ExactRegion& region, std::int64_t out_width,
                     std::int64_t out_height) {
  if (auto part = part_as_it_is(image, region, out_width, out_height)) return *part;
  torch::Tensor source = image;
  if (!is_aligned(source)) {
    source = picture_memory(image.size(0), image.size(1), image.size(2));
    source.copy_(image);
  }
  const torch::Tensor result = picture_memory(image.size(0), out_height, out_width);
  const Graph graph = make_graph(source, region, out_width, out_height);
  std::size_t bytes = 0;
  if (zimg_filter_graph_get_tmp_size(graph.get(), &bytes) != ZIMG_ERROR_SUCCESS) fail();
  const torch::Tensor scratch = torch::empty({static_cast<std::int64_t>(bytes) + 1}, torch::kUInt8);
  for (std::int64_t channel = 0; channel < image.size(0); ++channel) {
    zimg_image_buffer_const from{};
    zimg_image_buffer to{};
    from.version = ZIMG_API_VERSION;
    to.version = ZIMG_API_VERSION;
    from.plane[0].data = source.select(0, channel).data_ptr();
    from.plane[0].stride = source.stride(1);
    from.plane[0].mask = ZIMG_BUFFER_MAX;
    to.plane[0].data = result.select(0, channel).data_ptr();
    to.plane[0].stride = result.stride(1);
    to.plane[0].mask = ZIMG_BUFFER_MAX;
    if (zimg_filter_graph_process(graph.get(), &from, &to, scratch.data_ptr(), nullptr, nullptr,
                                  nullptr, nullptr) != ZIMG_ERROR_SUCCESS) {
      fail();
    }
  }
  return result;
}

torch::Tensor resize(const torch::Tensor& image, const Frame& frame) {
  const Region& region = frame.region;
  const torch::Tensor part =
      image.narrow(1, region.top, region.height).narrow(2, region.left, region.width);
  return resize(part, {0, 0, static_cast<double>(region.width), static_cast<double>(region.height)},
                frame.width, frame.height);
}

}  // namespace mlaan
