// Cuts a chain of layers into a backbone.
#include "nn/chain.h"

#include <algorithm>
#include <utility>

namespace mlaan {
namespace {

using Role = ChainLayer::Role;
using LayerGroup = std::vector<ChainLayer>;

/// Moves the layers of `last`, from the first one that leads into the head, to the head's front.
void move_into_head(LayerGroup& last, LayerGroup& head) {
  const auto first = std::find_if(last.begin() + 1, last.end(), [](const ChainLayer& layer) {
    return layer.role == Role::leads_into_head;
  });
  head.insert(head.begin(), first, last.end());
  last.erase(first, last.end());
}

Unit unit_of(const LayerGroup& group) {
  std::vector<Unit::Layer> layers;
  for (const auto& item : group) layers.push_back(item.layer);
  const std::string first = layers.front().prefix;
  return {first, std::move(layers)};
}

}  // namespace

Backbone cut_chain(std::vector<ChainLayer> chain, const Shape& shape, const std::string& name) {
  const std::size_t size = chain.size();
  std::vector<LayerGroup> groups;
  bool begun = false;
  for (auto& layer : chain) {
    // Layers before the first one with parameters (a Flatten, say) belong to that one's unit.
    const bool begins = layer.role == Role::begins_unit;
    if (groups.empty() || (begins && begun)) groups.emplace_back();
    begun = begun || begins;
    groups.back().push_back(std::move(layer));
  }
  if (groups.size() < 2) {
    throw UserError("a chain of " + std::to_string(size) +
                    " layers cannot be cut: it needs at least two layers with parameters, the last "
                    "of which becomes the head");
  }
  move_into_head(groups[groups.size() - 2], groups.back());
  std::vector<Unit> units;
  for (const auto& group : groups) units.push_back(unit_of(group));
  std::vector<Unit> head{units.back()};
  units.pop_back();
  return {name, std::move(units), std::move(head), shape};
}

}  // namespace mlaan
