// Autograd nodes for a batch normalisation together with the layers after it.
#pragma once

#include "nn/kernels/batch_norm_kernels.h"

#include <mlaan/nn/gradient_node.h>

#include <torch/csrc/autograd/function.h>
#include <torch/types.h>

#include <array>
#include <cstdint>
#include <tuple>
#include <vector>

namespace mlaan {

/// A batch normalisation and the layers after it as one node. Its edges lead to the normalisation's
/// input, scale and shift, and to one other tensor that the derived class names.
struct NormNode : GradientNode {
  torch::Tensor input;
  BatchNormRecord record;

  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) final;

  void will_release_variables() override { is_last_pass_ = true; }

  void release_variables() override {
    input = torch::Tensor();
    record = {};
  }

 protected:
  /// Whether no later backward pass needs what this node keeps.
  bool is_last_pass() const { return is_last_pass_; }

  bool reaches_norm() const {
    return task_should_compute_output(0) || task_should_compute_output(1) ||
           task_should_compute_output(2);
  }

 private:
  /// Computes the gradient of the normalisation's output from that of the node's output, if
  /// reaches_norm().
  /// \param other set to the gradient of the other tensor, if that is wanted.
  virtual torch::Tensor through_followers(Gradient gradient, torch::Tensor& other) = 0;

  bool is_last_pass_ = false;
};

/// Batch normalisation, ReLU and convolution. The other tensor is the convolution's kernel.
struct NormReluConv : NormNode {
  torch::Tensor middle;  ///< output of the ReLU; undefined if it is recomputed
  torch::Tensor kernel;

  /// The dtype that the convolution ran in; under autocast not that of its kernel.
  c10::ScalarType dtype = c10::ScalarType::Float;
  std::vector<std::int64_t> stride;
  std::vector<std::int64_t> padding;
  std::vector<std::int64_t> dilation;
  std::int64_t groups = 1;

  void release_variables() override {
    NormNode::release_variables();
    middle = torch::Tensor();
  }

 private:
  torch::Tensor through_followers(Gradient arriving, torch::Tensor& other) override;

  std::tuple<torch::Tensor, torch::Tensor, torch::Tensor> convolution_backward(
      const torch::Tensor& gradient, const torch::Tensor& convolved,
      std::array<bool, 3> wanted) const;
};

/// The mask of a ReLU, given by the ReLU's output or by one byte per element.
struct CutOff {
  torch::Tensor output;
  torch::Tensor open;  ///< used instead of the output if the caller frees that soon

  /// The gradient of the ReLU's input from that of its output.
  torch::Tensor operator()(Gradient gradient) const;
};

/// Batch normalisation alone. There is no other tensor.
struct Norm : NormNode {
 private:
  torch::Tensor through_followers(Gradient gradient, torch::Tensor&) override {
    return std::move(gradient).materialise();
  }
};

/// Batch normalisation and ReLU. There is no other tensor.
struct NormRelu : NormNode {
  torch::Tensor output;

  void release_variables() override {
    NormNode::release_variables();
    output = torch::Tensor();
  }

 private:
  torch::Tensor through_followers(Gradient gradient, torch::Tensor&) override {
    return std::move(gradient).cut(output);
  }
};

/// Sends the gradient of a NormAddRelu on along the shortcut. Of the nodes that are ready, this one
/// runs last: a gradient that somebody else holds, or that is pooled, is copied for the shortcut
/// only after the backward pass through the convolutions, whose tensors need memory too.
struct ShortcutGradient : torch::autograd::Node {
  ShortcutGradient() : Node(/*sequence_nr=*/std::uint64_t{0}) {}

  CutOff cut_off;
  bool is_cut = false;  ///< the gradient that arrives has already been cut
  Gradient pooled;      ///< if defined, the tensor that arrives only stands for this

  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) final;

  void release_variables() override { cut_off = {}; }
};

/// Batch normalisation, addition of the shortcut and ReLU. The other tensor is the shortcut, behind
/// a ShortcutGradient.
struct NormAddRelu : NormNode {
  CutOff cut_off;

  void release_variables() override {
    NormNode::release_variables();
    cut_off = {};
  }

 private:
  torch::Tensor through_followers(Gradient gradient, torch::Tensor& other) override;

  torch::Tensor from_pooled(Gradient gradient, torch::Tensor& other);
};

}  // namespace mlaan
