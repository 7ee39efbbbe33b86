// Exponential moving averages of parameters.
#include <mlaan/nn/parameter_average.h>

namespace mlaan {

ParameterAverage follow(const Unit& average, const Unit& source, double momentum) {
  const auto followers = average.named_parameters();
  const auto originals = source.named_parameters();
  ParameterAverage link;
  link.momentum = momentum;
  for (std::size_t i = 0; i < followers.size() && i < originals.size(); ++i) {
    if (followers[i].tensor.sizes() != originals[i].tensor.sizes()) {
      throw UserError(followers[i].name + " cannot follow " + originals[i].name +
                      ": their shapes differ");
    }
    link.average.push_back(followers[i].tensor);
    link.source.push_back(originals[i].tensor);
  }
  if (followers.size() != originals.size()) {
    throw UserError("unit '" + average.name() + "' cannot follow '" + source.name() +
                    "': they have different numbers of parameters");
  }
  freeze(followers);
  return link;
}

void update(const std::vector<ParameterAverage>& averages) {
  const torch::NoGradGuard no_grad;
  for (const auto& link : averages) {
    for (std::size_t i = 0; i < link.average.size(); ++i) {
      link.average[i].lerp_(link.source[i], 1 - link.momentum);
    }
  }
}

}  // namespace mlaan
