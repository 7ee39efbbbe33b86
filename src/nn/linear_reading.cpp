// The beginning of an auxiliary net, if it is a linear map.
#include "nn/kernels/relu_backward.h"

#include <mlaan/nn/linear_reading.h>
#include <mlaan/nn/reference_kernels_scope.h>

#include <ATen/Functions.h>

namespace mlaan {
namespace {

/// The linear map of a unit that consists of one such layer; else null.
const LinearMap* linear_map(const Unit& unit) {
  if (ReferenceKernelsScope::active()) return nullptr;
  if (!unit.summands().empty() || unit.layers().size() != 1) return nullptr;
  return dynamic_cast<const LinearMap*>(unit.layers().front().module.ptr().get());
}

}  // namespace

LinearReading::LinearReading(const std::vector<Unit>& units) : map_(linear_map(units.at(0))) {
  if (map_ != nullptr) unit_ = units[0];
}

torch::Tensor LinearReading::read(const torch::Tensor& input) {
  if (!unit_) return input;
  const torch::NoGradGuard no_grad;
  input_sizes_ = input.sizes().vec();
  input_options_ = input.options();
  input_format_ = input.suggest_memory_format();
  return unit_->forward(input);
}

torch::Tensor LinearReading::empty_gradient() const {
  return at::empty(input_sizes_, input_options_.memory_format(input_format_));
}

torch::Tensor LinearReading::shares(const torch::Tensor& gradient, double factor) const {
  const torch::NoGradGuard no_grad;
  return map_->shares(gradient, factor);
}

torch::Tensor LinearReading::send_back(const torch::Tensor& shares) const {
  const torch::NoGradGuard no_grad;
  torch::Tensor result = empty_gradient();
  map_->send_back(shares, [&](const torch::Tensor& values, const LinearMap::Part& part) {
    part(result).copy_(values);
  });
  return result;
}

torch::Tensor LinearReading::send_back_cut(const torch::Tensor& shares,
                                           const torch::Tensor& input) const {
  const torch::NoGradGuard no_grad;
  torch::Tensor result = empty_gradient();
  map_->send_back(shares, [&](const torch::Tensor& values, const LinearMap::Part& part) {
    relu_backward_to(part(result), values, part(input));
  });
  return result;
}

void LinearReading::add_to(const torch::Tensor& sum, const torch::Tensor& shares) const {
  const torch::NoGradGuard no_grad;
  map_->send_back(shares, [&](const torch::Tensor& values, const LinearMap::Part& part) {
    part(sum).add_(values);
  });
}

}  // namespace mlaan
