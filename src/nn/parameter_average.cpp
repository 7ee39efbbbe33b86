// Exponential moving averages of parameters.
#include <mlaan/nn/narrow.h>
#include <mlaan/nn/parameter_average.h>

namespace mlaan {
namespace {

/// Whether shapes are equal, or those of the average divide those of the source.
bool can_follow(const torch::Tensor& average, const torch::Tensor& source) {
  if (average.dim() != source.dim()) return false;
  for (std::int64_t d = 0; d < average.dim(); ++d) {
    if (average.size(d) == 0 || source.size(d) % average.size(d) != 0) return false;
  }
  return true;
}

}  // namespace

ParameterAverage follow(const Unit& average, const Unit& source, double momentum) {
  const auto followers = average.named_parameters();
  const auto originals = source.named_parameters();
  ParameterAverage link;
  link.momentum = momentum;
  for (std::size_t i = 0; i < followers.size() && i < originals.size(); ++i) {
    if (!can_follow(followers[i].tensor, originals[i].tensor)) {
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
      const torch::Tensor& average = link.average[i];
      average.lerp_(grouped(link.source[i], average.sizes()), 1 - link.momentum);
    }
  }
}

}  // namespace mlaan
