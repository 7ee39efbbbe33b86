// Frames: the region of a picture that is wanted, and the size to resize it to.
#include <mlaan/data/frame.h>

#include <algorithm>
#include <cmath>

namespace mlaan {
namespace {

std::int64_t at_least_one(double length, std::int64_t most) {
  return std::clamp<std::int64_t>(std::llround(length), 1, most);
}

Region centred(std::int64_t width, std::int64_t height, double region_width, double region_height) {
  Region region;
  region.width = at_least_one(region_width, width);
  region.height = at_least_one(region_height, height);
  region.left = (width - region.width) / 2;
  region.top = (height - region.height) / 2;
  return region;
}

}  // namespace

Frame whole_frame(std::int64_t width, std::int64_t height) {
  return {{0, 0, width, height}, width, height};
}

Frame centre_frame(std::int64_t width, std::int64_t height, std::int64_t out_width,
                   std::int64_t out_height, double share) {
  const double scale =
      share * std::min(static_cast<double>(width) / static_cast<double>(out_width),
                       static_cast<double>(height) / static_cast<double>(out_height));
  return {centred(width, height, scale * static_cast<double>(out_width),
                  scale * static_cast<double>(out_height)),
          out_width, out_height};
}

Frame random_frame(std::int64_t width, std::int64_t height, std::int64_t out_width,
                   std::int64_t out_height, const FrameRange& range, RandomStream& random) {
  const double area = static_cast<double>(width) * static_cast<double>(height);
  const double log_ratio = std::log(range.widest_ratio);
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double wanted = area * random.uniform(range.smallest_area, range.largest_area);
    const double ratio = std::exp(random.uniform(-log_ratio, log_ratio));
    const std::int64_t region_width = std::llround(std::sqrt(wanted * ratio));
    const std::int64_t region_height = std::llround(std::sqrt(wanted / ratio));
    if (region_width < 1 || region_height < 1 || region_width > width || region_height > height) {
      continue;
    }
    const auto left = random.below(static_cast<std::uint64_t>(width - region_width + 1));
    const auto top = random.below(static_cast<std::uint64_t>(height - region_height + 1));
    return {{static_cast<std::int64_t>(left), static_cast<std::int64_t>(top), region_width,
             region_height},
            out_width,
            out_height};
  }
  const auto w = static_cast<double>(width);
  const auto h = static_cast<double>(height);
  return {centred(width, height, std::min(w, h * range.widest_ratio),
                  std::min(h, w * range.widest_ratio)),
          out_width, out_height};
}

FrameChooser Framing::chooser(std::uint64_t key) const {
  switch (kind) {
    case Kind::centre:
      return [framing = *this](std::int64_t picture_width, std::int64_t picture_height) {
        return centre_frame(picture_width, picture_height, framing.width, framing.height,
                            framing.share);
      };
    case Kind::random:
      return [framing = *this, key](std::int64_t picture_width, std::int64_t picture_height) {
        RandomStream random(key);
        return random_frame(picture_width, picture_height, framing.width, framing.height,
                            framing.range, random);
      };
    case Kind::whole:
      break;
  }
  return whole_frame;
}

}  // namespace mlaan
