// The zero padding of a convolution.
#pragma once

#include <torch/nn/modules/conv.h>

namespace mlaan {

/// The padding on each side of the rows and of the columns.
inline torch::ExpandingArray<2> zero_padding(const torch::nn::Conv2dImpl& convolution) {
  using std::get;  // older releases have a variant of their own, with get() found by ADL
  return get<torch::ExpandingArray<2>>(convolution.options.padding());
}

}  // namespace mlaan
