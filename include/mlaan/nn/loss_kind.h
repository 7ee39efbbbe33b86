// A kind of loss that plan files name.
#pragma once

#include <mlaan/core/registry.h>
#include <mlaan/nn/loss.h>

#include <cstdint>
#include <optional>
#include <string>

namespace mlaan {

/// What a loss is made from.
struct LossSettings {
  std::optional<double> number;  ///< that stands behind the name, where the kind takes one
  std::int64_t classes;
  const Normalisation& normalisation;  ///< of the pictures
};

/// The number that a kind of loss takes.
struct LossNumber {
  std::string meaning;  ///< "label smoothing"
  double usual;         ///< where the text has none
  std::string accepted;
  bool (*accepts)(double number);
};

struct LossKind {
  std::string name;     ///< "cross_entropy"
  std::string usage;    ///< the whole text, with what may be left out in brackets
  std::string summary;  ///< one line for `mlaan info losses`
  std::optional<LossNumber> number;
  LossPtr (*make)(const LossSettings& settings);
};

const Registry<LossKind>& loss_kinds();

/// Whether labels are one class a sample, not probabilities.
bool are_classes(const torch::Tensor& labels);

/// "supervised_contrastive 0.5", or the bare name where the number is the usual one.
std::string loss_text(const std::string& name, double number, double usual);

}  // namespace mlaan
