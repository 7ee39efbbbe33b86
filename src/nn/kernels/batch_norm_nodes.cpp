// Autograd nodes for a batch normalisation together with the layers after it.
#include "nn/kernels/batch_norm_nodes.h"

#include "nn/kernels/relu_backward.h"

#include <ATen/Functions.h>

#include <utility>

namespace mlaan {

torch::autograd::variable_list NormNode::apply(torch::autograd::variable_list&& gradients) {
  torch::autograd::variable_list results(4);
  Gradient arriving = arrived(std::move(gradients.at(0)));
  gradients.clear();
  if (!arriving.defined()) return results;
  const torch::NoGradGuard no_grad;
  torch::Tensor gradient = through_followers(std::move(arriving), results[3]);
  if (reaches_norm()) {
    std::tie(results[0], results[1], results[2]) =
        batch_norm_backward(std::move(gradient), input, record,
                            {task_should_compute_output(0), task_should_compute_output(1),
                             task_should_compute_output(2)});
  }
  return results;
}

torch::Tensor NormReluConv::through_followers(Gradient arriving, torch::Tensor& other) {
  torch::Tensor gradient = std::move(arriving).materialise();
  const bool recomputes = !middle.defined();
  // The gradients of kernel and input are computed one after the other, so that the recomputed map
  // and its gradient, the largest tensors here, are not alive at the same time. Recomputing the map
  // twice is faster than keeping a mask of it in between.
  if (task_should_compute_output(3)) {
    const torch::Tensor convolved = recomputes ? normalise_again(input, record).relu_() : middle;
    other = std::get<1>(convolution_backward(gradient, convolved, {false, true, false}));
  }
  if (!reaches_norm()) return {};
  gradient = std::get<0>(convolution_backward(gradient, input, {true, false, false}))
                 .to(input.scalar_type());
  return relu_backward(gradient, recomputes ? normalise_again(input, record) : middle,
                       /*in_place=*/true);
}

std::tuple<torch::Tensor, torch::Tensor, torch::Tensor> NormReluConv::convolution_backward(
    const torch::Tensor& gradient, const torch::Tensor& convolved,
    std::array<bool, 3> wanted) const {
  return at::convolution_backward(gradient, convolved.to(dtype), kernel.to(dtype),
                                  at::OptionalIntArrayRef(), stride, padding, dilation,
                                  /*transposed=*/false,
                                  /*output_padding=*/{0, 0}, groups, wanted);
}

torch::Tensor CutOff::operator()(Gradient gradient) const {
  return open.defined() ? std::move(gradient).cut_where_open(open)
                        : std::move(gradient).cut(output);
}

torch::autograd::variable_list ShortcutGradient::apply(torch::autograd::variable_list&& gradients) {
  const torch::Tensor gradient = std::move(gradients.at(0));
  gradients.clear();
  if (!gradient.defined() || is_cut) return {gradient};
  const torch::NoGradGuard no_grad;
  if (pooled.defined()) return {cut_off(std::exchange(pooled, {}))};
  return {cut_off(Gradient(gradient))};  // not in place: `gradient` is a second owner
}

torch::Tensor NormAddRelu::through_followers(Gradient gradient, torch::Tensor& other) {
  if (gradient.is_pooled()) return from_pooled(std::move(gradient), other);
  if (!task_should_compute_output(3)) return cut_off(std::move(gradient));
  auto& shortcut = static_cast<ShortcutGradient&>(*next_edge(3).function);
  shortcut.is_cut = gradient.is_cut_in_place() || !reaches_norm();
  if (!shortcut.is_cut) {
    other = gradient.numbers();
    return cut_off(std::move(gradient));
  }
  torch::Tensor cut = cut_off(std::move(gradient));
  if (is_last_pass()) cut_off = shortcut.cut_off = {};
  other = cut;
  return cut;
}

torch::Tensor NormAddRelu::from_pooled(Gradient gradient, torch::Tensor& other) {
  if (task_should_compute_output(3)) {
    auto& shortcut = static_cast<ShortcutGradient&>(*next_edge(3).function);
    shortcut.pooled = gradient;
    shortcut.is_cut = false;
    other = take_stand_in();
    if (!reaches_norm()) return {};
  }
  return cut_off(std::move(gradient));
}

}  // namespace mlaan
