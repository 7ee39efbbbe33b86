// A convolution without normalisation or activation, such as a decoder's last layer.
#include "nn/kernels/convolution_to_few_channels.h"

#include <mlaan/nn/layers/filter.h>
#include <mlaan/nn/reference_kernels_scope.h>

#include <utility>

namespace mlaan {

FilterImpl::FilterImpl(const torch::nn::Conv2dOptions& options, std::string name)
    : options_(options), name_(std::move(name)) {
  FilterImpl::reset();
}

void FilterImpl::reset() {
  convolution_ = register_module(name_, torch::nn::Conv2d(options_));
}

torch::Tensor FilterImpl::forward(const torch::Tensor& input) {
  if (ReferenceKernelsScope::active() || !is_convolution_to_few_channels(*convolution_, input)) {
    return convolution_(input);
  }
  return convolve_to_few_channels(*convolution_, input);
}

}  // namespace mlaan
