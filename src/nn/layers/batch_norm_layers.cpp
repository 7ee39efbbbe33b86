// Batch normalisation fused with the layers after it, to keep less for the backward pass.
#include "core/autocast_scope.h"
#include "core/libtorch_compat.h"
#include "core/sole_owner.h"
#include "nn/kernels/batch_norm_kernels.h"
#include "nn/kernels/batch_norm_nodes.h"
#include "nn/kernels/relu_backward.h"
#include "nn/kernels/zero_padding.h"

#include <mlaan/nn/batch_peers.h>
#include <mlaan/nn/dropped_output_scope.h>
#include <mlaan/nn/kept_statistics.h>
#include <mlaan/nn/layers/batch_norm_layers.h>
#include <mlaan/nn/reference_kernels_scope.h>

#include <ATen/Functions.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/variable.h>

#include <array>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace mlaan {
namespace {

using torch::Tensor;

/// The fraction by which running statistics move in this step; counts the step.
/// \param normalisation here and below, torch::nn::BatchNorm1dImpl or BatchNorm2dImpl.
template <class BatchNorm>
double average_factor(BatchNorm& normalisation) {
  if (!normalisation.options.track_running_stats()) return 0;
  normalisation.num_batches_tracked += 1;
  if (normalisation.options.momentum()) return *normalisation.options.momentum();
  return 1 / normalisation.num_batches_tracked.template item<double>();
}

/// Starts a normalisation's record, with the batch's statistics if they are known already.
template <class BatchNorm>
BatchNormRecord begin_record(BatchNorm& normalisation) {
  BatchNormRecord record;
  record.peers = JointStatisticsScope::active();
  record.scale = normalisation.weight.detach();
  record.shift = normalisation.bias.detach();
  record.epsilon = normalisation.options.eps();
  if (auto known = KeptStatisticsScope::take(&normalisation)) {
    record.mean = std::move(known->mean);
    record.inverse_deviation = std::move(known->inverse_deviation);
    record.peers = std::move(known->peers);
    record.count = known->count;
  }
  return record;
}

bool knows_statistics(const BatchNormRecord& record) {
  return record.mean.defined();
}

/// Normalises as in training. If the record lacks the batch's statistics, they are computed, and
/// the running statistics are updated.
template <class BatchNorm>
Tensor normalise(BatchNorm& normalisation, const Tensor& input, BatchNormRecord& record) {
  if (knows_statistics(record)) return normalise_again(input, record);
  Tensor output = mlaan::normalise(
      input, record,
      {normalisation.running_mean, normalisation.running_var, average_factor(normalisation)});
  KeptStatisticsScope::keep(
      {&normalisation, record.mean, record.inverse_deviation, record.peers, record.count});
  return output;
}

torch::autograd::Edge edge_of(const Tensor& tensor) {
  return torch::autograd::impl::gradient_edge(tensor);
}

/// Whether a node of our own replaces these operators: in training, if a gradient is needed. On
/// other devices, LibTorch may have a faster batch normalisation than the one that our nodes call,
/// and under autocast it chooses the dtypes; there a node is used only if `anywhere` is true, that
/// is, to recompute. LibTorch's operators know of one process only, so with peers there always is
/// one.
template <class BatchNorm>
bool is_recorded(const BatchNorm& normalisation, bool anywhere,
                 std::initializer_list<Tensor> sources) {
  const bool is_joint = JointStatisticsScope::active() != nullptr;
  if (ReferenceKernelsScope::active() && !is_joint) return false;
  if (!torch::GradMode::is_enabled() || !normalisation.is_training()) return false;
  anywhere = anywhere || is_joint;
  if (!anywhere && AutocastState::of(torch::kCPU).enabled) return false;
  bool any = false;
  for (const auto& source : sources) {
    if (!anywhere && !source.is_cpu()) return false;
    any = any || source.requires_grad();
  }
  return any;
}

/// The layer's output without a node of our own: the same bits with and without a gradient.
template <class BatchNorm>
Tensor plainly_normalised(BatchNorm& normalisation, const Tensor& input) {
  if (JointStatisticsScope::active() != nullptr && normalisation->is_training()) {
    BatchNormRecord record = begin_record(*normalisation);
    return normalise(*normalisation, input, record);
  }
  const bool takes_gradient = torch::GradMode::is_enabled() &&
                              (input.requires_grad() || normalisation->weight.requires_grad() ||
                               normalisation->bias.requires_grad());
  if (ReferenceKernelsScope::active() || takes_gradient || !normalisation->is_training() ||
      !input.is_cpu() || AutocastState::of(torch::kCPU).enabled) {
    return normalisation(input);
  }
  BatchNormRecord record = begin_record(*normalisation);
  return normalise(*normalisation, input, record);
}

void set_geometry(NormReluConv& site, const torch::nn::Conv2dImpl& convolution) {
  const auto& options = convolution.options;
  site.stride.assign(options.stride()->begin(), options.stride()->end());
  const auto padding = zero_padding(convolution);
  site.padding.assign(padding->begin(), padding->end());
  site.dilation.assign(options.dilation()->begin(), options.dilation()->end());
  site.groups = options.groups();
}

/// Makes a node of the given kind for a normalisation of the input.
template <class Kind, class BatchNorm>
compat::NodePointer start_node(BatchNorm& normalisation, const Tensor& input) {
  auto node = compat::make_node<Kind>();
  auto& site = static_cast<Kind&>(*node);
  site.input = input.detach();
  site.record = begin_record(normalisation);
  return node;
}

/// Connects the node to its sources, and the output to the node.
/// \param other edge to the node's other tensor.
template <class BatchNorm>
Tensor finish_node(const compat::NodePointer& node, const BatchNorm& normalisation,
                   const Tensor& input, torch::autograd::Edge other, Tensor output) {
  node->set_next_edges({edge_of(input), edge_of(normalisation.weight), edge_of(normalisation.bias),
                        std::move(other)});
  torch::autograd::create_gradient_edge(output, node);
  return output;
}

/// norm() for one and for two dimensions.
template <class BatchNorm>
Tensor norm_of_any(BatchNorm& normalisation, const Tensor& input) {
  if (!is_recorded(*normalisation, false, {input, normalisation->weight, normalisation->bias})) {
    return plainly_normalised(normalisation, input);
  }
  const auto node = start_node<Norm>(*normalisation, input);
  auto& site = static_cast<Norm&>(*node);
  Tensor output;
  {
    const torch::NoGradGuard no_grad;
    output = normalise(*normalisation, site.input, site.record);
  }
  return finish_node(node, *normalisation, input, {}, std::move(output));
}

}  // namespace

Tensor norm(torch::nn::BatchNorm2d& normalisation, const Tensor& input) {
  return norm_of_any(normalisation, input);
}

Tensor plain_norm(torch::nn::BatchNorm2d& normalisation, const Tensor& input) {
  if (JointStatisticsScope::active() == nullptr) return normalisation(input);
  return norm_of_any(normalisation, input);
}

Tensor plain_norm(torch::nn::BatchNorm1d& normalisation, const Tensor& input) {
  if (JointStatisticsScope::active() == nullptr) return normalisation(input);
  return norm_of_any(normalisation, input);
}

Tensor norm_relu_conv(torch::nn::BatchNorm2d& normalisation, torch::nn::Conv2d& convolution,
                      const Tensor& input, bool recomputes) {
  if (!is_recorded(*normalisation, recomputes,
                   {input, normalisation->weight, normalisation->bias, convolution->weight})) {
    return convolution(plainly_normalised(normalisation, input).relu_());
  }
  const auto node = start_node<NormReluConv>(*normalisation, input);
  auto& site = static_cast<NormReluConv&>(*node);
  site.kernel = convolution->weight.detach();
  set_geometry(site, *convolution);
  Tensor output;
  {
    const torch::NoGradGuard no_grad;
    const Tensor middle = normalise(*normalisation, site.input, site.record).relu_();
    output =
        at::conv2d(middle, site.kernel, {}, site.stride, site.padding, site.dilation, site.groups);
    // Only the kernel's gradient needs this whole map.
    if (!recomputes && convolution->weight.requires_grad()) site.middle = middle;
    site.dtype = output.scalar_type();
  }
  return finish_node(node, *normalisation, input, edge_of(convolution->weight), std::move(output));
}

Tensor norm_relu(torch::nn::BatchNorm2d& normalisation, const Tensor& input) {
  if (!is_recorded(*normalisation, false, {input, normalisation->weight, normalisation->bias})) {
    return plainly_normalised(normalisation, input).relu_();
  }
  const auto node = start_node<NormRelu>(*normalisation, input);
  auto& site = static_cast<NormRelu&>(*node);
  Tensor output;
  {
    const torch::NoGradGuard no_grad;
    output = normalise(*normalisation, site.input, site.record).relu_();
  }
  // A detached alias: the output itself holds the node, which would be a reference cycle.
  site.output = output.detach();
  return finish_node(node, *normalisation, input, {}, std::move(output));
}

namespace {

/// The edge to the shortcut, through a node that applies the ReLU's mask to its gradient.
torch::autograd::Edge edge_to_shortcut(const Tensor& shortcut) {
  if (!shortcut.requires_grad()) return {};
  torch::autograd::Edge edge{compat::make_node<ShortcutGradient>(), 0};
  auto& way = static_cast<ShortcutGradient&>(*edge.function);
  way.add_input_metadata(shortcut);
  way.set_next_edges({edge_of(shortcut)});
  return edge;
}

}  // namespace

Tensor norm_add_relu(torch::nn::BatchNorm2d& normalisation, const Tensor& input, Tensor shortcut,
                     const Tensor& known_output) {
  if (!is_recorded(*normalisation, false,
                   {input, normalisation->weight, normalisation->bias, shortcut})) {
    // A batch normalisation keeps its input for the backward pass, not its output, so the output
    // may be overwritten.
    Tensor output = plainly_normalised(normalisation, input);
    output += shortcut;
    return output.relu_();
  }
  const auto node = start_node<NormAddRelu>(*normalisation, input);
  auto& site = static_cast<NormAddRelu&>(*node);
  torch::autograd::Edge shortcut_edge = edge_to_shortcut(shortcut);
  Tensor output;
  {
    const torch::NoGradGuard no_grad;
    if (known_output.defined()) {
      if (!knows_statistics(site.record)) normalise(*normalisation, site.input, site.record);
      output = known_output.detach();
    } else if (knows_statistics(site.record) && is_sole_owner(shortcut)) {
      add_normalised_again(shortcut, site.input, site.record);
      output = shortcut.detach().relu_();
    } else {
      output = normalise(*normalisation, site.input, site.record);
      output.add_(shortcut).relu_();
    }
  }
  shortcut = Tensor();
  if (DroppedOutputScope::active() && !known_output.defined()) {
    site.cut_off.open = open_where_positive(output.detach());
  } else {
    // A detached alias: the output itself holds the node, which would be a reference cycle.
    site.cut_off.output = output.detach();
  }
  if (shortcut_edge.is_valid()) {
    static_cast<ShortcutGradient&>(*shortcut_edge.function).cut_off = site.cut_off;
  }
  return finish_node(node, *normalisation, input, std::move(shortcut_edge), std::move(output));
}

}  // namespace mlaan
