// Resizes pictures by zimg.
#include <mlaan/core/error.h>
#include <mlaan/data/resize.h>

#include <zimg.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mlaan {
namespace {

/// zimg requires rows to begin at a multiple of this many bytes.
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

/// The pixels of a region if it needs no resizing.
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

/// The source pixels and weights of an output pixel along one axis.
struct Taps {
  std::int64_t first = 0;
  std::vector<float> weights;
};

/// The taps of output pixel `place`, where `from` pixels are shrunk to `to`: a triangle filter of
/// two output pixels' width, cut off at the edges.
Taps taps_of(std::int64_t place, std::int64_t from, std::int64_t to) {
  const double scale = std::max(1.0, static_cast<double>(from) / static_cast<double>(to));
  const double centre =
      (static_cast<double>(place) + 0.5) * static_cast<double>(from) / static_cast<double>(to);
  Taps taps;
  taps.first = std::max<std::int64_t>(0, std::llround(std::floor(centre - scale + 0.5)));
  const auto end = std::min<std::int64_t>(from, std::llround(std::floor(centre + scale + 0.5)));
  double sum = 0;
  for (std::int64_t i = taps.first; i < end; ++i) {
    const double weight =
        std::max(0.0, 1 - std::abs(static_cast<double>(i) + 0.5 - centre) / scale);
    taps.weights.push_back(static_cast<float>(weight));
    sum += weight;
  }
  for (auto& weight : taps.weights) weight = static_cast<float>(weight / sum);
  return taps;
}

std::uint8_t weighted_sum(const torch::Tensor& plane, const Taps& down, const Taps& across) {
  float sum = 0;
  const auto* row = plane.data_ptr<std::uint8_t>() + down.first * plane.stride(0) + across.first;
  for (const float weight : down.weights) {
    float of_row = 0;
    for (std::size_t i = 0; i < across.weights.size(); ++i) of_row += across.weights[i] * row[i];
    sum += weight * of_row;
    row += plane.stride(0);
  }
  return static_cast<std::uint8_t>(std::clamp(std::lround(sum), 0L, 255L));
}

/// Recomputes the outermost pixels of a shrunk picture: at the edges zimg's filter mirrors the
/// picture, whereas Pillow's is cut off.
void redo_edges(const torch::Tensor& image, const torch::Tensor& result) {
  const std::int64_t height = result.size(1);
  const std::int64_t width = result.size(2);
  std::vector<Taps> down;
  std::vector<Taps> across;
  for (std::int64_t y = 0; y < height; ++y) down.push_back(taps_of(y, image.size(1), height));
  for (std::int64_t x = 0; x < width; ++x) across.push_back(taps_of(x, image.size(2), width));
  for (std::int64_t c = 0; c < image.size(0); ++c) {
    const torch::Tensor from = image.select(0, c);
    const torch::Tensor to = result.select(0, c);
    auto* pixels = to.data_ptr<std::uint8_t>();
    const auto redo = [&](std::int64_t y, std::int64_t x) {
      pixels[y * to.stride(0) + x] = weighted_sum(from, down[static_cast<std::size_t>(y)],
                                                  across[static_cast<std::size_t>(x)]);
    };
    for (const std::int64_t y : {std::int64_t{0}, height - 1}) {
      for (std::int64_t x = 0; image.size(1) > height && x < width; ++x) redo(y, x);
    }
    for (const std::int64_t x : {std::int64_t{0}, width - 1}) {
      for (std::int64_t y = 0; image.size(2) > width && y < height; ++y) redo(y, x);
    }
  }
}

bool is_all_of(const ExactRegion& region, const torch::Tensor& image) {
  return region.left == 0 && region.top == 0 &&
         region.width == static_cast<double>(image.size(2)) &&
         region.height == static_cast<double>(image.size(1));
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
  if (is_all_of(region, source)) redo_edges(source, result);
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
