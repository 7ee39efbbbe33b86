// Words that several kinds of layers may have.
#pragma once

#include "core/term_words.h"

#include <mlaan/nn/layers/upsampled_convolution.h>

#include <optional>
#include <string>

namespace mlaan {

/// The size of a map behind `key`, where that stands among the words left.
inline std::optional<MapSize> map_size_of(TermWords& words, const std::string& key) {
  const auto size = words.size_of(key, "size of the map");
  if (!size) return std::nullopt;
  return MapSize{size->first, size->second};
}

/// The twin's momentum, where a twin is asked for.
inline std::optional<double> twin_of(TermWords& words) {
  const auto momentum = words.number_of("twin", "momentum");
  if (momentum && !(*momentum >= 0 && *momentum <= 1)) {
    words.fail("the momentum of a twin must be from 0 to 1");
  }
  return momentum;
}

}  // namespace mlaan
