// A kind of layer in the text form of auxiliary nets.
#pragma once

#include <mlaan/core/registry.h>

#include <string>

namespace mlaan {

class LayerBuilder;
class TermWords;

struct LayerKind {
  std::string name;     ///< "conv", the first word of a layer's text
  std::string usage;    ///< the syntax of the text, optional words in brackets
  std::string summary;  ///< one line for `mlaan info layers`
  /// Parses the words after the kind's name, and appends the layer to a net.
  void (*add)(TermWords& words, LayerBuilder& net);
};

const Registry<LayerKind>& layer_kinds();

}  // namespace mlaan
