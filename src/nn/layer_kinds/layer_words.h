// Words that several kinds of layers share.
#pragma once

#include "core/term_words.h"

#include <mlaan/nn/layers/upsampled_convolution.h>

#include <optional>
#include <string>

namespace mlaan {

/// The size of a map after `key`, if `key` is among the remaining words.
inline std::optional<MapSize> map_size_of(TermWords& words, const std::string& key) {
  const auto size = words.size_of(key, "size of the map");
  if (!size) return std::nullopt;
  return MapSize{size->first, size->second};
}

/// The twin's momentum, if the layer has a twin.
inline std::optional<double> twin_of(TermWords& words) {
  const auto momentum = words.number_of("twin", "momentum");
  if (momentum && !(*momentum >= 0 && *momentum <= 1)) {
    words.fail("the momentum of a twin must be from 0 to 1");
  }
  return momentum;
}

}  // namespace mlaan
