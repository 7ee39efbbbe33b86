// Multi-head self-attention (Vaswani et al. 2017, arXiv:1706.03762, section 3.2).
#include "nn/kernels/attention.h"

#include <mlaan/core/error.h>
#include <mlaan/nn/layers/self_attention.h>
#include <mlaan/nn/reference_kernels_scope.h>

#include <ATen/Functions.h>
#include <torch/csrc/jit/frontend/tracer.h>
#include <torch/nn/functional/linear.h>
#include <torch/nn/init.h>

#include <cmath>
#include <string>

namespace mlaan {
namespace {

using torch::Tensor;

/// Attention by basic operators, which all importers of traced networks support, all heads at once.
Tensor attend_by_plain_operators(const Tensor& projected, std::int64_t heads) {
  const auto batch = projected.size(0);
  const auto tokens = projected.size(1);
  const auto width = projected.size(2) / (3 * heads);
  const auto parts = projected.view({batch, tokens, 3, heads, width}).permute({2, 0, 3, 1, 4});
  const Tensor query = parts.select(0, 0) * (1 / std::sqrt(static_cast<double>(width)));
  const Tensor weights = at::softmax(query.matmul(parts.select(0, 1).transpose(2, 3)), 3);
  const Tensor output = weights.matmul(parts.select(0, 2));
  return output.transpose(1, 2).reshape({batch, tokens, heads * width});
}

}  // namespace

torch::Tensor multi_head_attention(const torch::Tensor& projected, std::int64_t heads) {
  if (projected.dim() != 3 || heads < 1 || projected.size(2) % (3 * heads) != 0) {
    throw UserError("attention of " + std::to_string(heads) +
                    " heads reads batch × tokens × 3·width, and the heads must divide the width");
  }
  if (torch::jit::tracer::isTracing() || ReferenceKernelsScope::active()) {
    return attend_by_plain_operators(projected, heads);
  }
  return attend(projected, heads);
}

SelfAttentionImpl::SelfAttentionImpl(std::int64_t width, std::int64_t heads)
    : width_(width), heads_(heads) {
  if (heads < 1 || width % heads != 0) {
    throw UserError("attention of width " + std::to_string(width) + " cannot have " +
                    std::to_string(heads) + " heads; their number must divide the width");
  }
  SelfAttentionImpl::reset();
}

void SelfAttentionImpl::reset() {
  in_proj_weight = register_parameter("in_proj_weight", torch::empty({3 * width_, width_}));
  in_proj_bias = register_parameter("in_proj_bias", torch::zeros({3 * width_}));
  out_proj = register_module("out_proj", torch::nn::Linear(width_, width_));
  torch::nn::init::xavier_uniform_(in_proj_weight);
  torch::nn::init::zeros_(out_proj->bias);
}

torch::Tensor SelfAttentionImpl::forward(const torch::Tensor& input) {
  return attend(torch::nn::functional::linear(input, in_proj_weight, in_proj_bias));
}

torch::Tensor SelfAttentionImpl::attend(const torch::Tensor& projected) {
  return out_proj(multi_head_attention(projected, heads_));
}

}  // namespace mlaan
