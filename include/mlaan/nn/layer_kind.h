// A kind of layer that auxiliary nets are written in.
#pragma once

#include <mlaan/core/registry.h>

#include <string>

namespace mlaan {

class LayerBuilder;
class TermWords;

struct LayerKind {
  std::string name;     ///< "conv", the first word of the text
  std::string usage;    ///< the whole text, with what may be left out in brackets
  std::string summary;  ///< one line for `mlaan info layers`
  /// Reads the words behind the kind's name, and adds the layer to a net.
  void (*add)(TermWords& words, LayerBuilder& net);
};

const Registry<LayerKind>& layer_kinds();

}  // namespace mlaan
