// How many zeros a convolution puts around its input.
#pragma once

#include <torch/nn/modules/conv.h>

namespace mlaan {

/// On each side of the rows and of the columns.
inline torch::ExpandingArray<2> zero_padding(const torch::nn::Conv2dImpl& convolution) {
  using std::get;  // LibTorch had a variant of its own, whose get() is found by its argument
  return get<torch::ExpandingArray<2>>(convolution.options.padding());
}

}  // namespace mlaan
