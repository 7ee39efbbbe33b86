// Quantities with their units: how bytes, counts and durations are printed, and periods are read.
#include <mlaan/core/error.h>
#include <mlaan/core/quantity.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace mlaan {
namespace {

std::string print(const char* format, double value) {
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), format, value);
  return buffer.data();
}

std::string three_digits(double value) {
  const double magnitude = std::abs(value);
  return print(magnitude >= 99.95 ? "%.0f" : magnitude >= 9.995 ? "%.1f" : "%.2f", value);
}

/// Divides by `base` until the value prints in at most three digits before the point.
template <std::size_t N>
std::string scaled(double value, double base, const std::array<const char*, N>& units) {
  std::size_t unit = 0;
  while (std::abs(value) >= 999.5 && unit + 1 < N) {
    value /= base;
    ++unit;
  }
  if (unit == 0 && value == std::floor(value)) return print("%.0f", value) + units[0];
  return three_digits(value) + units[unit];
}

}  // namespace

std::string format_bytes(std::int64_t bytes) {
  static constexpr std::array<const char*, 5> units{" B", " KiB", " MiB", " GiB", " TiB"};
  return scaled(static_cast<double>(bytes), 1024, units);
}

std::int64_t parse_bytes(const std::string& text) {
  struct Scale {
    const char* name;
    double factor;
  };
  static constexpr std::array<Scale, 11> scales{{{"", 1},
                                                 {"B", 1},
                                                 {"KiB", 1024.0},
                                                 {"MiB", 1048576.0},
                                                 {"GiB", 1073741824.0},
                                                 {"TiB", 1099511627776.0},
                                                 {"kB", 1e3},
                                                 {"KB", 1e3},
                                                 {"MB", 1e6},
                                                 {"GB", 1e9},
                                                 {"TB", 1e12}}};
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const bool number_read = end != text.c_str() && std::isfinite(number);
  while (*end == ' ') ++end;
  for (const auto& scale : scales) {
    const double bytes = number * scale.factor;
    if (number_read && std::string(end) == scale.name && bytes >= 1 && bytes < 9e18) {
      return static_cast<std::int64_t>(bytes);
    }
  }
  throw UserError("'" + text +
                  "' is not a number of bytes; write a number and its unit: 6GiB, 500MiB or 1.5GB");
}

std::string format_magnitude(double value) {
  static constexpr std::array<const char*, 6> units{"", " k", " M", " G", " T", " P"};
  return scaled(value, 1000, units);
}

std::string format_count(std::int64_t count) {
  std::string digits = std::to_string(count < 0 ? -count : count);
  for (auto place = static_cast<std::ptrdiff_t>(digits.size()) - 3; place > 0; place -= 3) {
    digits.insert(static_cast<std::size_t>(place), ",");
  }
  return count < 0 ? "-" + digits : digits;
}

namespace {

double seconds_of_unit(char unit) {
  switch (unit) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3600;
    case 'd':
      return 86400;
    default:
      return 0;
  }
}

/// Parses "1h30m". \return 0 if the text cannot be parsed.
double seconds_of_units(const char* text) {
  double seconds = 0;
  while (*text != '\0') {
    char* end = nullptr;
    const double number = std::strtod(text, &end);
    const double unit = end == text ? 0 : seconds_of_unit(*end);
    if (unit == 0 || number < 0) return 0;
    seconds += number * unit;
    text = end + 1;
  }
  return seconds;
}

/// Parses "12:30:00". \return 0 if the text cannot be parsed.
double seconds_of_clock(const char* text) {
  std::vector<double> parts;
  while (true) {
    char* end = nullptr;
    parts.push_back(static_cast<double>(std::strtoll(text, &end, 10)));
    if (end == text || parts.back() < 0) return 0;
    if (*end == '\0') break;
    if (*end != ':') return 0;
    text = end + 1;
  }
  if (parts.size() < 3 || parts.size() > 4) return 0;
  if (parts.size() == 3) parts.insert(parts.begin(), 0);
  return ((parts[0] * 24 + parts[1]) * 60 + parts[2]) * 60 + parts[3];
}

}  // namespace

double parse_duration(const std::string& text) {
  const bool is_clock = text.find(':') != std::string::npos;
  const double seconds = is_clock ? seconds_of_clock(text.c_str()) : seconds_of_units(text.c_str());
  if (seconds > 0 && std::isfinite(seconds)) return seconds;
  throw UserError("'" + text + "' is not a time; write 90s, 30m, 1h30m, 2d, or HH:MM:SS");
}

std::string format_seconds(double seconds) {
  if (!(seconds >= 0)) return "?";
  if (seconds < 60) return three_digits(seconds) + " s";
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  std::array<char, 64> buffer{};
  if (whole < 3600) {
    std::snprintf(buffer.data(), buffer.size(), "%d:%02d", static_cast<int>(whole / 60),
                  static_cast<int>(whole % 60));
  } else {
    std::snprintf(buffer.data(), buffer.size(), "%lld:%02d:%02d",
                  static_cast<long long>(whole / 3600), static_cast<int>(whole / 60 % 60),
                  static_cast<int>(whole % 60));
  }
  return buffer.data();
}

Period Period::parse(const std::string& text) {
  char* end = nullptr;
  Period period;
  period.count = std::strtod(text.c_str(), &end);
  const std::string suffix = end;
  const bool number_read = end != text.c_str() && std::isfinite(period.count) && period.count > 0;
  if (suffix == "e") {
    period.unit = Unit::epochs;
  } else if (suffix == "i") {
    period.unit = Unit::steps;
  } else if (suffix == "m") {
    period.unit = Unit::minutes;
  }
  if (!number_read || (suffix != "e" && suffix != "i" && suffix != "m")) {
    throw UserError("'" + text +
                    "' is not a period; write a number above 0 and its unit: 1e (epochs), 200i "
                    "(steps) or 10m (minutes)");
  }
  return period;
}

std::string Period::to_string() const {
  const char* suffix = unit == Unit::epochs ? "e" : unit == Unit::steps ? "i" : "m";
  return print("%g", count) + suffix;
}

}  // namespace mlaan
