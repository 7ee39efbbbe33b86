// A kind of loss that plan files name.
#pragma once

#include <mlaan/core/registry.h>
#include <mlaan/nn/loss.h>

#include <cstdint>
#include <optional>
#include <string>

namespace mlaan {

/// The arguments that a loss is made from.
struct LossSettings {
  std::optional<double> number;  ///< after the name, if the text has one
  std::int64_t classes;
  const Normalisation& normalisation;  ///< of the images
};

/// The optional number after the name of a kind of loss.
struct LossNumber {
  std::string meaning;   ///< "label smoothing"
  double usual;          ///< default, if the text has none
  std::string accepted;  ///< "from 0 to 1", for messages
  bool (*accepts)(double number);
};

struct LossKind {
  std::string name;     ///< "cross_entropy"
  std::string usage;    ///< the syntax of the text, optional words in brackets
  std::string summary;  ///< one line for `mlaan info losses`
  std::optional<LossNumber> number;
  LossPtr (*make)(const LossSettings& settings);
};

const Registry<LossKind>& loss_kinds();

/// Whether labels are classes, one per sample, not probabilities.
bool are_classes(const torch::Tensor& labels);

/// "supervised_contrastive 0.5", or the bare name if the number is the default.
std::string loss_text(const std::string& name, double number, double usual);

}  // namespace mlaan
