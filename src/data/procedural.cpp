// The built-in data set: pictures of textured shapes, drawn on request.
#include <mlaan/core/random.h>
#include <mlaan/data/procedural.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace mlaan {
namespace {

/// Side of the canvas on which shapes are placed; pictures of another size show the same canvas.
constexpr int canvas = 32;
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

/// Distance to a regular polygon around the origin whose sides have the distance `inner` from it.
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

struct Outline {
  const char* name;
  /// Signed distance of a point from a shape of about unit size; negative inside.
  double (*distance)(Point p);
};

constexpr std::array<Outline, 5> outlines{{
    {"disk", [](Point p) { return length(p) - 0.85; }},
    {"ring", [](Point p) { return std::abs(length(p) - 0.66) - 0.26; }},
    {"triangle", [](Point p) { return polygon(p, 3, 0.52); }},
    {"star", [](Point p) { return star(p); }},
    {"cross", [](Point p) { return std::min(box(p, 0.92, 0.3), box(p, 0.3, 0.92)); }},
}};

/// The way in which two colours alternate.
enum class Pattern : std::uint8_t { stripes, checks, waves };

/// The filling of a shape. Outline and filling determine the class.
struct Filling {
  const char* name;
  Pattern pattern;
};

constexpr std::array<Filling, 2> fillings{
    {{"striped", Pattern::stripes}, {"checked", Pattern::checks}}};

constexpr std::size_t class_count = outlines.size() * fillings.size();

Colour mix(const Colour& from, const Colour& to, double share) {
  Colour colour{};
  for (std::size_t c = 0; c < colour.size(); ++c) colour[c] = from[c] + share * (to[c] - from[c]);
  return colour;
}

Colour random_colour(RandomStream& random) {
  Colour colour{};
  for (auto& channel : colour) channel = random.uniform(0, 255);
  return colour;
}

/// A random colour that differs clearly from another.
Colour contrasting_colour(RandomStream& random, const Colour& other) {
  constexpr double enough = 200;  // of 765, summed over channels
  Colour colour = random_colour(random);
  for (int i = 0; i < 16; ++i) {
    double contrast = 0;
    for (std::size_t c = 0; c < colour.size(); ++c) contrast += std::abs(colour[c] - other[c]);
    if (contrast >= enough) break;
    colour = random_colour(random);
  }
  return colour;
}

/// Two colours that alternate in a pattern of random direction.
class Texture {
 public:
  Texture(RandomStream& random, Pattern pattern, const Colour& first, const Colour& second)
      : pattern_(pattern),
        colours_{first, second},
        angle_(random.uniform(0, turn)),
        frequency_(pattern == Pattern::waves ? random.uniform(0.05, 0.4)
                                             : random.uniform(1.0, 1.7)),
        phase_(random.uniform(0, turn)) {}

  Colour at(double x, double y) const {
    const double u = frequency_ * (x * std::cos(angle_) + y * std::sin(angle_)) + phase_;
    const double v = frequency_ * (y * std::cos(angle_) - x * std::sin(angle_)) + phase_;
    switch (pattern_) {
      case Pattern::stripes:
        return mix(colours_[0], colours_[1], 0.5 + 0.5 * std::sin(u));
      case Pattern::checks:
        return colours_.at(std::sin(u) * std::sin(v) > 0 ? 1 : 0);
      case Pattern::waves:
        break;
    }
    return mix(colours_[0], colours_[1], 0.5 + 0.5 * std::sin(u + std::sin(v)));
  }

 private:
  Pattern pattern_;
  std::array<Colour, 2> colours_;
  double angle_;
  double frequency_;
  double phase_;
};

/// A shape's position, radius and angle.
struct Placement {
  explicit Placement(RandomStream& random)
      : centre{canvas / 2.0 + random.uniform(-4, 4), canvas / 2.0 + random.uniform(-4, 4)},
        radius(random.uniform(8, 13)),
        angle(random.uniform(0, turn)) {}

  /// The fraction of a pixel that the shape covers; edges are one pixel wide.
  double coverage(const Outline& outline, double x, double y) const {
    const double dx = (x - centre.x) / radius;
    const double dy = (y - centre.y) / radius;
    const Point local{dx * std::cos(angle) + dy * std::sin(angle),
                      dy * std::cos(angle) - dx * std::sin(angle)};
    return std::clamp(0.5 - outline.distance(local) * radius, 0.0, 1.0);
  }

  Point centre;
  double radius;
  double angle;
};

/// A small bar or disk that is unrelated to the class.
struct Clutter {
  explicit Clutter(RandomStream& random)
      : centre{random.uniform(0, canvas), random.uniform(0, canvas)},
        half_length(random.uniform(0, 5)),
        half_width(random.uniform(0.6, 1.8)),
        angle(random.uniform(0, turn)),
        over(random.below(2) == 0) {
    colour = random_colour(random);
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

void draw(std::size_t label, std::int64_t side, RandomStream& random, std::uint8_t* image) {
  const Outline& outline = outlines.at(label / fillings.size());
  const Filling& filling = fillings.at(label % fillings.size());
  const Placement placement(random);
  const Colour ground = random_colour(random);
  const Texture background(random, Pattern::waves, ground,
                           mix(ground, random_colour(random), random.uniform(0, 0.5)));
  const Colour first = contrasting_colour(random, ground);
  const Texture inside(random, filling.pattern, first, contrasting_colour(random, first));
  std::vector<Clutter> clutter;
  const std::uint64_t pieces = random.below(4);
  for (std::uint64_t i = 0; i < pieces; ++i) clutter.emplace_back(random);
  const Point light{random.uniform(-0.02, 0.02), random.uniform(-0.02, 0.02)};

  const double pixel = static_cast<double>(canvas) / static_cast<double>(side);
  for (std::int64_t row = 0; row < side; ++row) {
    for (std::int64_t column = 0; column < side; ++column) {
      const double x = (static_cast<double>(column) + 0.5) * pixel;
      const double y = (static_cast<double>(row) + 0.5) * pixel;
      Colour colour = background.at(x, y);
      const auto paint = [&](bool over) {
        for (const auto& piece : clutter) {
          if (piece.over == over) colour = mix(colour, piece.colour, piece.coverage(x, y));
        }
      };
      paint(/*over=*/false);
      const double covered = placement.coverage(outline, x, y);
      if (covered > 0) colour = mix(colour, inside.at(x, y), covered);
      paint(/*over=*/true);
      const double brightness = 1 + light.x * (x - canvas / 2.0) + light.y * (y - canvas / 2.0);
      for (std::size_t c = 0; c < colour.size(); ++c) {
        const double value = colour[c] * brightness + random.uniform(-10, 10);
        image[(static_cast<std::int64_t>(c) * side + row) * side + column] =
            static_cast<std::uint8_t>(std::clamp(std::lround(value), 0L, 255L));
      }
    }
  }
}

class Procedural final : public Dataset {
 public:
  Procedural(std::int64_t size, std::int64_t side, std::uint64_t key)
      : size_(size), side_(side), key_(key) {}

  std::int64_t size() const override { return size_; }

  std::int64_t label(std::int64_t index) const override {
    return index % static_cast<std::int64_t>(class_count);
  }

  Sample get(std::int64_t index) const override {
    const auto label = static_cast<std::size_t>(index) % class_count;
    RandomStream random(random_key({key_, static_cast<std::uint64_t>(index)}));
    Sample sample{torch::empty({3, side_, side_}, torch::kUInt8), static_cast<std::int64_t>(label)};
    draw(label, side_, random, sample.image.data_ptr<std::uint8_t>());
    return sample;
  }

 private:
  std::int64_t size_;
  std::int64_t side_;
  std::uint64_t key_;
};

}  // namespace

void ProceduralOptions::describe(FieldList& fields) {
  fields.add("train_size", train_size, "training images of the procedural data set",
             between(1, 100000000));
  fields.add("test_size", test_size, "test images of the procedural data set",
             between(1, 100000000));
  fields.add("side", side, "height and width of the procedural data set's pictures",
             between(8, 4096));
}

DataSource procedural(const ProceduralOptions& options) {
  DataSource source;
  source.name = "procedural";
  source.image_shape = {3, options.side, options.side};
  for (const auto& outline : outlines) {
    for (const auto& filling : fillings) {
      source.classes.push_back(std::string(filling.name) + " " + outline.name);
    }
  }
  source.normalisation = {{0.5, 0.5, 0.5}, {0.25, 0.25, 0.25}};
  source.crop = {4, PaddingMode::reflect, true};
  source.train = std::make_shared<Procedural>(options.train_size, options.side,
                                              random_key("procedural train"));
  source.test =
      std::make_shared<Procedural>(options.test_size, options.side, random_key("procedural test"));
  return source;
}

DatasetEntry procedural_entry() {
  return {"procedural",
          "textured shapes in clutter, drawn on the fly: 32×32 unless procedural.side is set, 10 "
          "classes",
          false, [](OptionSet& options) { options.get<ProceduralOptions>(); },
          [](const std::string&, const OptionSet& options) {
            return procedural(options.get<ProceduralOptions>());
          }};
}

}  // namespace mlaan
