// Convolution, batch normalisation and ReLU: the most common layer of auxiliary nets.
#include "nn/kernels/strided_pointwise_convolution.h"

#include <mlaan/nn/layers/batch_norm_layers.h>
#include <mlaan/nn/layers/conv_norm_relu.h>

#include <utility>

namespace mlaan {

ConvNormReluImpl::ConvNormReluImpl(const torch::nn::Conv2dOptions& options, std::string number,
                                   std::optional<MapSize> upsampled)
    : options_(options), number_(std::move(number)), upsampled_(upsampled) {
  ConvNormReluImpl::reset();
}

void ConvNormReluImpl::reset() {
  convolution_ = register_module("conv" + number_, torch::nn::Conv2d(options_));
  normalisation_ = register_module("bn" + number_, torch::nn::BatchNorm2d(options_.out_channels()));
}

torch::Tensor ConvNormReluImpl::forward(const torch::Tensor& input) {
  return norm_relu(normalisation_, upsampled_
                                       ? upsampled_convolution(input, *upsampled_, convolution_)
                                       : convolve(*convolution_, input));
}

}  // namespace mlaan
