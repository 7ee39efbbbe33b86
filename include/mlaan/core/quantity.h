// Prints and parses quantities with units: bytes, counts, durations and periods.
#pragma once

#include <cstdint>
#include <string>

namespace mlaan {

/// "72.7 MiB": binary multiples, three significant digits from KiB on, whole bytes below.
std::string format_bytes(std::int64_t bytes);

/// Reads "6GiB", "500 MiB", "1.5GB" or "4096": units of 1024 or, without the i, of 1000.
/// \throws UserError for any other text, and for less than one byte.
std::int64_t parse_bytes(const std::string& text);

/// "466,906": thousands separated.
std::string format_count(std::int64_t count);

/// "69.1 M": decimal multiples (k, M, G, T, P), three significant digits.
std::string format_magnitude(double value);

/// "1:02:03", "4:05" or "7.3 s".
std::string format_seconds(double seconds);

/// Reads "90s", "30m", "1h30m" or "2d", and "HH:MM:SS" or "DD:HH:MM:SS".
/// \return seconds.
/// \throws UserError for any other text, and for a duration of zero.
double parse_duration(const std::string& text);

/// How often something happens, counted in epochs, in optimizer steps or in minutes.
struct Period {
  enum class Unit { epochs, steps, minutes };

  double count = 1;
  Unit unit = Unit::epochs;

  /// Reads "5e" (epochs), "200i" (steps, "iterations") or "10m" (minutes).
  /// \throws UserError for any other text, and for a count that is not above zero.
  static Period parse(const std::string& text);

  std::string to_string() const;
};

}  // namespace mlaan
