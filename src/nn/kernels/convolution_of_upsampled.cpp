// A convolution of an interpolated map that never computes that map.
#include "nn/kernels/convolution_of_upsampled.h"

#include "core/defined_work.h"
#include "core/libtorch_compat.h"
#include "core/samples_in_parallel.h"
#include "nn/kernels/convolution_edges.h"
#include "nn/kernels/zero_padding.h"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace mlaan {

using torch::Tensor;

namespace {

/// One side of the maps: its length before and after interpolation, and the convolution along it.
struct Side {
  std::int64_t input;
  std::int64_t interpolated;
  std::int64_t kernel;
  std::int64_t stride;
  std::int64_t padding;

  std::int64_t output() const { return (interpolated + 2 * padding - kernel) / stride + 1; }

  /// (kernel, input, output): the weight of each input position in each output position, by
  /// position of the kernel.
  Tensor taps(const torch::TensorOptions& options) const {
    const Tensor interpolation = at::upsample_linear1d(at::eye(input, options).unsqueeze(0),
                                                       {interpolated}, /*align_corners=*/true);
    const Tensor padded = at::constant_pad_nd(interpolation.squeeze(0), {padding, padding});
    std::vector<Tensor> taps;
    for (std::int64_t k = 0; k < kernel; ++k) {
      taps.push_back(padded.slice(1, k, k + stride * (output() - 1) + 1, stride));
    }
    return at::stack(taps);
  }
};

struct Geometry {
  std::int64_t in_channels;
  std::int64_t out_channels;
  Side rows;
  Side columns;

  /// Multiply-adds per sample if the convolution reads the interpolated map.
  std::int64_t direct() const {
    return rows.output() * columns.output() * rows.kernel * columns.kernel * in_channels *
           out_channels;
  }
  /// Multiply-adds per sample if the channels are mixed first, and the map is interpolated after.
  std::int64_t mixed_first() const {
    const auto mixing =
        rows.input * columns.input * rows.kernel * columns.kernel * in_channels * out_channels;
    const auto along_columns =
        rows.kernel * out_channels * rows.input * columns.output() * columns.kernel * columns.input;
    const auto along_rows =
        out_channels * columns.output() * rows.output() * rows.kernel * rows.input;
    return mixing + along_columns + along_rows;
  }
};

Geometry geometry_of(const Tensor& input, MapSize size, const torch::nn::Conv2dImpl& convolution) {
  const auto& options = convolution.options;
  const auto padding = zero_padding(convolution);
  const auto side = [&](std::int64_t axis, std::int64_t interpolated) {
    const auto i = static_cast<std::size_t>(axis);
    return Side{input.size(2 + axis), interpolated, (*options.kernel_size())[i],
                (*options.stride())[i], (*padding)[i]};
  };
  return {input.size(1), options.out_channels(), side(0, size.rows), side(1, size.columns)};
}

/// The matrices that maps are multiplied by, one after the other.
struct Matrices {
  Tensor mixing;   ///< (kernel's column; output channel and kernel's row; input channel)
  Tensor columns;  ///< (kernel's column; input's column; output's column)
  Tensor rows;     ///< (kernel's row and input's row; output's row)
};

Matrices matrices_of(const Tensor& kernel, const Geometry& geometry) {
  return {kernel.permute({3, 0, 2, 1}).reshape({kernel.size(3), -1, kernel.size(1)}),
          geometry.columns.taps(kernel.options()),
          geometry.rows.taps(kernel.options()).flatten(0, 1)};
}

/// Intermediate results for some samples.
struct Steps {
  Tensor maps;              ///< (input's row, sample, input's column, input channel)
  Tensor gradient_of_maps;  ///< likewise, in the backward pass
  Tensor mixed;   ///< (output channel and kernel's row; input's row, sample, input's column)
  Tensor sum;     ///< (output channel; kernel's row and input's row; sample, output's column)
  Tensor output;  ///< (output channel, output's row, sample, output's column)
};

/// \param make returns a tensor of the given sizes; called in the order of the members.
template <class Make>
Steps make_steps(const Geometry& geometry, std::int64_t samples, Make make) {
  const auto out = geometry.out_channels;
  const auto& rows = geometry.rows;
  const auto& columns = geometry.columns;
  Steps steps;
  steps.maps = make({rows.input, samples, columns.input, geometry.in_channels});
  steps.gradient_of_maps = make(steps.maps.sizes());
  steps.mixed = make({out * rows.kernel, rows.input * samples * columns.input});
  steps.sum = make({out, rows.kernel * rows.input, samples * columns.output()});
  steps.output = make({out, rows.output(), samples, columns.output()});
  return steps;
}

/// Scratch memory for at most `samples` samples, allocated once for all parts of the batch.
class Scratch {
 public:
  Scratch(const Geometry& geometry, std::int64_t samples, const torch::TensorOptions& options)
      : geometry_(geometry) {
    make_steps(geometry, samples, [&](torch::IntArrayRef sizes) {
      memory_.push_back(at::empty({c10::multiply_integers(sizes)}, options));
      return memory_.back().view(sizes);
    });
  }

  Steps steps(std::int64_t samples) const {
    auto next = memory_.begin();
    return make_steps(geometry_, samples, [&](torch::IntArrayRef sizes) {
      return (next++)->narrow(0, 0, c10::multiply_integers(sizes)).view(sizes);
    });
  }

 private:
  Geometry geometry_;
  std::vector<Tensor> memory_;
};

/// How much longer a multiply-add takes in a product of small matrices than in a convolution.
constexpr std::int64_t small_product_cost = 2;

/// Samples that a processor processes at a time: few, so that their intermediate results stay in
/// its cache from one product to the next.
constexpr std::int64_t samples_at_once = 8;

/// How many parts of the batch are processed at the same time.
std::int64_t workers_for(const Tensor& batch) {
  return batch.is_cpu() ? at::get_num_threads() : 1;
}

std::int64_t samples_for(const Tensor& batch) {
  return batch.is_cpu() ? samples_at_once : batch.size(0);
}

/// Calls `body(worker, first sample, samples)` for the batch, a part at a time.
template <class Body>
void for_each_part(const Tensor& batch, const Body& body) {
  if (batch.is_cpu()) {
    for_samples_in_parallel(batch.size(0), samples_at_once, body);
  } else {
    body(0, 0, batch.size(0));
  }
}

/// Sets `sum` to the product, or adds the product to it if `grows` is true.
void add_product(Tensor sum, const Tensor& left, const Tensor& right, bool grows) {
  if (grows) {
    at::addmm_out(sum, sum, left, right);
  } else {
    at::mm_out(sum, left, right);
  }
}

std::vector<Scratch> scratch_for(const Tensor& batch, const Geometry& geometry) {
  std::vector<Scratch> scratch;
  for (std::int64_t i = 0; i < workers_for(batch); ++i) {
    scratch.emplace_back(geometry, samples_for(batch), batch.options());
  }
  return scratch;
}

Tensor mix_then_interpolate(const Tensor& input, const Tensor& kernel, const Tensor& bias,
                            const Geometry& geometry) {
  const auto out = geometry.out_channels;
  const auto& rows = geometry.rows;
  const auto& columns = geometry.columns;
  const Matrices matrices = matrices_of(kernel, geometry);
  const auto scratch = scratch_for(input, geometry);
  Tensor result = at::empty({input.size(0), out, rows.output(), columns.output()}, input.options(),
                            input.suggest_memory_format());
  for_each_part(input, [&](std::int64_t worker, std::int64_t first, std::int64_t samples) {
    Steps steps = scratch[static_cast<std::size_t>(worker)].steps(samples);
    steps.maps.copy_(input.narrow(0, first, samples).permute({2, 0, 3, 1}));
    for (std::int64_t k = 0; k < columns.kernel; ++k) {
      add_product(steps.mixed, matrices.mixing[k], steps.maps.flatten(0, 2).t(), /*grows=*/false);
      add_product(steps.sum.view({-1, columns.output()}), steps.mixed.view({-1, columns.input}),
                  matrices.columns[k], /*grows=*/k > 0);
    }
    Tensor output = steps.output.flatten(2);
    at::bmm_out(output, matrices.rows.t().expand({out, -1, -1}), steps.sum);
    if (bias.defined()) output.add_(bias.view({-1, 1, 1}));
    result.narrow(0, first, samples).copy_(steps.output.permute({2, 0, 1, 3}));
  });
  return result;
}

/// An autograd node whose edges lead to the input, the kernel and the bias.
struct UpsampledConvolution : torch::autograd::Node {
  Tensor input;
  Tensor kernel;
  Geometry geometry{};

  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    torch::autograd::variable_list results(3);
    const Tensor gradient = std::move(gradients.at(0));
    gradients.clear();
    if (!gradient.defined()) return results;
    const torch::NoGradGuard no_grad;
    if (task_should_compute_output(2)) results[2] = gradient.sum({0, 2, 3});
    if (task_should_compute_output(0)) {
      results[0] = at::empty_like(input, input.suggest_memory_format());
    }
    if (task_should_compute_output(1)) results[1] = at::empty_like(kernel);
    if (results[0].defined() || results[1].defined()) {
      const auto products = (results[0].defined() ? 1 : 0) + (results[1].defined() ? 1 : 0);
      const DefinedWork defined(products * input.size(0) * geometry.direct());
      transposed(gradient, results[0], results[1]);
    }
    return results;
  }

  void release_variables() override {
    input = Tensor();
    kernel = Tensor();
  }

 private:
  /// The forward pass's products, transposed and in reverse order.
  /// \param of_input, of_kernel the gradients, computed if defined.
  void transposed(const Tensor& gradient, const Tensor& of_input, const Tensor& of_kernel) const {
    const auto out = geometry.out_channels;
    const auto& rows = geometry.rows;
    const auto& columns = geometry.columns;
    const Matrices matrices = matrices_of(kernel, geometry);
    const auto scratch = scratch_for(input, geometry);
    std::vector<Tensor> of_mixing;  // one for each worker
    for (std::int64_t i = 0; of_kernel.defined() && i < workers_for(input); ++i) {
      of_mixing.push_back(at::zeros_like(matrices.mixing));
    }
    for_each_part(input, [&](std::int64_t worker, std::int64_t first, std::int64_t samples) {
      const auto own = static_cast<std::size_t>(worker);
      Steps steps = scratch[own].steps(samples);
      steps.output.copy_(gradient.narrow(0, first, samples).permute({1, 2, 0, 3}));
      at::bmm_out(steps.sum, matrices.rows.expand({out, -1, -1}), steps.output.flatten(2));
      if (of_kernel.defined()) {
        steps.maps.copy_(input.narrow(0, first, samples).permute({2, 0, 3, 1}));
      }
      for (std::int64_t k = 0; k < columns.kernel; ++k) {
        add_product(steps.mixed.view({-1, columns.input}), steps.sum.view({-1, columns.output()}),
                    matrices.columns[k].t(), /*grows=*/false);
        if (of_kernel.defined()) {
          add_product(of_mixing[own][k], steps.mixed, steps.maps.flatten(0, 2), /*grows=*/true);
        }
        if (of_input.defined()) {
          add_product(steps.gradient_of_maps.flatten(0, 2), steps.mixed.t(), matrices.mixing[k],
                      /*grows=*/k > 0);
        }
      }
      if (of_input.defined()) {
        of_input.narrow(0, first, samples).copy_(steps.gradient_of_maps.permute({1, 3, 0, 2}));
      }
    });
    if (!of_kernel.defined()) return;
    for (std::size_t i = 1; i < of_mixing.size(); ++i) of_mixing[0] += of_mixing[i];
    of_kernel.copy_(of_mixing[0]
                        .view({columns.kernel, out, rows.kernel, geometry.in_channels})
                        .permute({1, 3, 2, 0}));
  }
};

}  // namespace

bool is_faster_mixed_first(const Tensor& input, MapSize size,
                           const torch::nn::Conv2dImpl& convolution) {
  const Geometry geometry = geometry_of(input, size, convolution);
  return small_product_cost * geometry.mixed_first() < geometry.direct();
}

Tensor convolve_mixed_first(const Tensor& input, MapSize size,
                            const torch::nn::Conv2dImpl& convolution) {
  const Geometry geometry = geometry_of(input, size, convolution);
  const Tensor& kernel = convolution.weight;
  const Tensor& bias = convolution.bias;
  Tensor output;
  {
    const torch::NoGradGuard no_grad;
    const DefinedWork defined(input.size(0) * geometry.direct());
    output = mix_then_interpolate(input, kernel, bias, geometry);
  }
  if (!asks_for_gradient(input, convolution)) return output;
  const auto node = compat::make_node<UpsampledConvolution>();
  auto& site = static_cast<UpsampledConvolution&>(*node);
  site.input = input.detach();
  site.kernel = kernel.detach();
  site.geometry = geometry;
  site.set_next_edges(edges_to(input, convolution));
  torch::autograd::create_gradient_edge(output, node);
  return output;
}

}  // namespace mlaan
