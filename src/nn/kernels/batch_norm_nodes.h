// Nodes of autograd's graph that stand for a batch normalisation and what follows it.
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

/// A batch normalisation and what follows it as one node. Its edges lead to the normalisation's
/// input, scale and shift, and to the other tensor that takes part.
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
  /// Whether what this node keeps is not needed once more.
  bool is_last_pass() const { return is_last_pass_; }

  bool reaches_norm() const {
    return task_should_compute_output(0) || task_should_compute_output(1) ||
           task_should_compute_output(2);
  }

 private:
  /// From the gradient of the node's output that of the normalisation's, where it reaches that.
  /// \param other set to the gradient of the other tensor, where that is wanted.
  virtual torch::Tensor through_followers(Gradient gradient, torch::Tensor& other) = 0;

  bool is_last_pass_ = false;
};

/// The other tensor is the convolution's kernel.
struct NormReluConv : NormNode {
  torch::Tensor middle;  ///< undefined where it is recomputed
  torch::Tensor kernel;

  /// That the convolution ran in: under autocast another one than its kernel's.
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

/// What a ReLU let through, known by its output or by a byte an element.
struct CutOff {
  torch::Tensor output;
  torch::Tensor open;  ///< in the output's place, where that is soon dropped

  /// The gradient of the ReLU's input from that of its output.
  torch::Tensor operator()(Gradient gradient) const;
};

/// Nothing follows, and there is no other tensor.
struct Norm : NormNode {
 private:
  torch::Tensor through_followers(Gradient gradient, torch::Tensor&) override {
    return std::move(gradient).materialise();
  }
};

/// There is no other tensor.
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

/// Where the gradient of a NormAddRelu goes on along the shortcut. Of the nodes that are ready it
/// runs last: a gradient that somebody keeps anyway, or that is pooled, is copied for the shortcut
/// only when the way through the convolutions, whose tensors need room too, is done.
struct ShortcutGradient : torch::autograd::Node {
  ShortcutGradient() : Node(/*sequence_nr=*/std::uint64_t{0}) {}

  CutOff cut_off;
  bool is_cut = false;  ///< the gradient that comes has been through cut_off
  Gradient pooled;      ///< where defined, what comes only stands for this

  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) final;

  void release_variables() override { cut_off = {}; }
};

/// The other tensor is the shortcut, behind a ShortcutGradient.
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
