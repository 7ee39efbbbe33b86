// The embedded data set: textured shapes, drawn when asked for.
#include <mlaan/core/random.h>
#include <mlaan/data/procedural.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace mlaan {
namespace {

constexpr int side = 32;
constexpr double turn = 6.283185307179586;

struct Point {
  double x;
  double y;
};

using Colour = std::array<double, 3>;

double length(Point p) {
  return std::hypot(p.x, p.y);
}

double box(Point p, double half_width, double half_height) {
  return std::max(std::abs(p.x) - half_width, std::abs(p.y) - half_height);
}

/// A convex polygon around the origin: its sides' distance is `inner`.
double polygon(Point p, int sides, double inner) {
  double distance = -inner;
  for (int k = 0; k < sides; ++k) {
    const double angle = turn * k / sides;
    distance = std::max(distance, p.x * std::cos(angle) + p.y * std::sin(angle) - inner);
  }
  return distance;
}

double star(Point p) {
  const double angle = 5 * (std::atan2(p.y, p.x) / turn + 1);
  const double tip = std::abs(2 * (angle - std::floor(angle)) - 1);
  return 0.6 * (length(p) - (0.4 + 0.6 * tip));
}

struct ShapeClass {
  const char* name;
  /// Signed distance of a point from the shape, which is about one unit in size; below 0 inside.
  double (*distance)(Point p);
};

constexpr std::array<ShapeClass, 10> shape_classes{{
    {"disk", [](Point p) { return length(p) - 0.85; }},
    {"ring", [](Point p) { return std::abs(length(p) - 0.68) - 0.22; }},
    {"square", [](Point p) { return box(p, 0.75, 0.75); }},
    {"triangle", [](Point p) { return polygon(p, 3, 0.52); }},
    {"hexagon", [](Point p) { return polygon(p, 6, 0.78); }},
    {"star", [](Point p) { return star(p); }},
    {"cross", [](Point p) { return std::min(box(p, 0.92, 0.28), box(p, 0.28, 0.92)); }},
    {"crescent",
     [](Point p) {
       return std::max(length(p) - 0.9, 0.72 - length({p.x - 0.45, p.y}));
     }},
    {"half disk", [](Point p) { return std::max(length(p) - 0.95, -0.15 - p.x); }},
    {"corner",
     [](Point p) {
       return std::min(box({p.x + 0.5, p.y}, 0.27, 0.85), box({p.x, p.y + 0.58}, 0.77, 0.27));
     }},
}};

/// Two colours and how they alternate.
class Texture {
 public:
  explicit Texture(RandomStream& random)
      : kind_(static_cast<int>(random.below(4))),
        angle_(random.uniform(0, turn)),
        frequency_(random.uniform(0.5, 1.6)),
        phase_(random.uniform(0, turn)) {
    for (auto& colour : colours_) {
      for (auto& channel : colour) channel = random.uniform(0, 255);
    }
  }

  Colour at(double x, double y) const {
    const double u = x * std::cos(angle_) + y * std::sin(angle_);
    const double v = y * std::cos(angle_) - x * std::sin(angle_);
    double share = 0;
    if (kind_ == 1) share = 0.5 + 0.5 * std::sin(frequency_ * u + phase_);
    if (kind_ == 2)
      share = std::sin(frequency_ * u) * std::sin(frequency_ * v + phase_) > 0 ? 1 : 0;
    if (kind_ == 3) share = std::clamp(0.5 + std::sin(frequency_ * u + 2 * std::sin(v)), 0.0, 1.0);
    return mix(colours_[0], colours_[1], share);
  }

  Colour mean() const { return kind_ == 0 ? colours_[0] : mix(colours_[0], colours_[1], 0.5); }

  static Colour mix(const Colour& from, const Colour& to, double share) {
    Colour colour{};
    for (std::size_t c = 0; c < colour.size(); ++c) colour[c] = from[c] + share * (to[c] - from[c]);
    return colour;
  }

 private:
  int kind_;
  double angle_;
  double frequency_;
  double phase_;
  std::array<Colour, 2> colours_{};
};

double contrast(const Colour& left, const Colour& right) {
  double sum = 0;
  for (std::size_t c = 0; c < left.size(); ++c) sum += std::abs(left[c] - right[c]);
  return sum;
}

/// A texture whose mean colour can be told from another's.
Texture contrasting_texture(RandomStream& random, const Texture& other) {
  constexpr double enough = 150;
  Texture texture(random);
  for (int i = 0; i < 8 && contrast(texture.mean(), other.mean()) < enough; ++i) {
    texture = Texture(random);
  }
  return texture;
}

/// Where a shape stands, how large and how turned.
struct Placement {
  explicit Placement(RandomStream& random)
      : centre{side / 2.0 + random.uniform(-5, 5), side / 2.0 + random.uniform(-5, 5)},
        radius(random.uniform(7, 12)),
        angle(random.uniform(0, turn)) {}

  /// The share of the pixel that the shape covers, its edge softened over one pixel.
  double coverage(const ShapeClass& shape, double x, double y) const {
    const double dx = (x - centre.x) / radius;
    const double dy = (y - centre.y) / radius;
    const Point local{dx * std::cos(angle) + dy * std::sin(angle),
                      dy * std::cos(angle) - dx * std::sin(angle)};
    return std::clamp(0.5 - shape.distance(local) * radius, 0.0, 1.0);
  }

  Point centre;
  double radius;
  double angle;
};

/// A small bar or disk that has nothing to do with the class.
struct Clutter {
  explicit Clutter(RandomStream& random)
      : centre{random.uniform(0, side), random.uniform(0, side)},
        half_length(random.uniform(0, 5)),
        half_width(random.uniform(0.7, 2.2)),
        angle(random.uniform(0, turn)),
        over(random.below(2) == 0) {
    for (auto& channel : colour) channel = random.uniform(0, 255);
  }

  double coverage(double x, double y) const {
    const double dx = x - centre.x;
    const double dy = y - centre.y;
    const double along = dx * std::cos(angle) + dy * std::sin(angle);
    const double across = dy * std::cos(angle) - dx * std::sin(angle);
    const double beyond = std::max(0.0, std::abs(along) - half_length);
    return std::clamp(0.5 + half_width - std::hypot(beyond, across), 0.0, 1.0);
  }

  Point centre;
  double half_length;
  double half_width;
  double angle;
  bool over;
  Colour colour{};
};

void draw(std::size_t label, RandomStream& random, std::uint8_t* image) {
  const Placement placement(random);
  const Texture background(random);
  const Texture filling = contrasting_texture(random, background);
  std::vector<Clutter> clutter;
  const std::uint64_t pieces = 3 + random.below(4);
  for (std::uint64_t i = 0; i < pieces; ++i) clutter.emplace_back(random);
  const Point light{random.uniform(-0.02, 0.02), random.uniform(-0.02, 0.02)};

  for (int row = 0; row < side; ++row) {
    for (int column = 0; column < side; ++column) {
      const double x = column + 0.5;
      const double y = row + 0.5;
      Colour colour = background.at(x, y);
      const auto paint = [&](bool over) {
        for (const auto& piece : clutter) {
          if (piece.over == over) colour = Texture::mix(colour, piece.colour, piece.coverage(x, y));
        }
      };
      paint(/*over=*/false);
      const double covered = placement.coverage(shape_classes.at(label), x, y);
      if (covered > 0) colour = Texture::mix(colour, filling.at(x, y), covered);
      paint(/*over=*/true);
      const double brightness = 1 + light.x * (x - side / 2.0) + light.y * (y - side / 2.0);
      for (std::size_t c = 0; c < colour.size(); ++c) {
        const double value = colour[c] * brightness + random.uniform(-16, 16);
        image[(static_cast<int>(c) * side + row) * side + column] =
            static_cast<std::uint8_t>(std::clamp(std::lround(value), 0L, 255L));
      }
    }
  }
}

class Procedural final : public Dataset {
 public:
  Procedural(std::int64_t size, std::uint64_t key) : size_(size), key_(key) {}

  std::int64_t size() const override { return size_; }

  Sample get(std::int64_t index) const override {
    const auto label = static_cast<std::size_t>(index) % shape_classes.size();
    RandomStream random(random_key({key_, static_cast<std::uint64_t>(index)}));
    Sample sample{torch::empty({3, side, side}, torch::kUInt8), static_cast<std::int64_t>(label)};
    draw(label, random, sample.image.data_ptr<std::uint8_t>());
    return sample;
  }

 private:
  std::int64_t size_;
  std::uint64_t key_;
};

}  // namespace

void ProceduralOptions::describe(FieldList& fields) {
  fields.add("train_size", train_size, "training images of the procedural data set", at_least(1));
  fields.add("test_size", test_size, "test images of the procedural data set", at_least(1));
}

DataSource procedural(const ProceduralOptions& options) {
  DataSource source;
  source.name = "procedural";
  source.image_shape = {3, side, side};
  for (const auto& shape : shape_classes) source.classes.emplace_back(shape.name);
  source.normalisation = {{0.5, 0.5, 0.5}, {0.25, 0.25, 0.25}};
  source.crop = {4, PaddingMode::reflect, true};
  source.train = std::make_shared<Procedural>(options.train_size, random_key("procedural train"));
  source.test = std::make_shared<Procedural>(options.test_size, random_key("procedural test"));
  return source;
}

DatasetEntry procedural_entry() {
  return {"procedural", "textured shapes in clutter, drawn when asked for: 32×32, 10 classes",
          false, [](OptionSet& options) { options.get<ProceduralOptions>(); },
          [](const std::string&, OptionSet& options) {
            return procedural(options.get<ProceduralOptions>());
          }};
}

}  // namespace mlaan
