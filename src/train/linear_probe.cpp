// Linear probes: the error of a linear classifier on the features of a trained network.
#include "core/undefined_number.h"

#include <mlaan/core/error.h>
#include <mlaan/train/linear_probe.h>

#include <torch/nn/functional/loss.h>
#include <torch/nn/functional/pooling.h>
#include <torch/optim/lbfgs.h>

#include <string>

namespace mlaan {

torch::Tensor pooled_features(const torch::Tensor& output, std::int64_t side) {
  if (output.dim() == 3) {
    return output.to(torch::kFloat64).mean(1).to(output.scalar_type());
  }
  if (output.dim() != 4) return output.flatten(1).clone();
  const auto options = torch::nn::functional::AdaptiveAvgPool2dFuncOptions({side, side});
  // In float64, so that the rounding of the sum does not depend on the memory format.
  return torch::nn::functional::adaptive_avg_pool2d(output.to(torch::kFloat64), options)
      .flatten(1)
      .to(output.scalar_type());
}

torch::Tensor LinearProbe::logits(const torch::Tensor& features) const {
  return torch::addmm(bias, (features - mean) / deviation, weight.t());
}

LinearProbe train_probe(const torch::Tensor& features, const torch::Tensor& labels,
                        std::int64_t classes, const LinearProbeOptions& options) {
  if (features.dim() != 2 || labels.dim() != 1 || features.size(0) != labels.size(0) ||
      labels.size(0) == 0) {
    throw UserError(
        "a probe needs features of samples × features and as many labels as samples, "
        "at least one; there are " +
        std::to_string(labels.numel()) + " labels");
  }
  LinearProbe probe;
  {
    const torch::NoGradGuard no_grad;
    probe.mean = features.mean(0);
    const auto deviation = features.std(0, /*unbiased=*/false);
    probe.deviation = torch::where(deviation > 1e-6 * (probe.mean.abs() + 1e-12), deviation,
                                   torch::ones_like(deviation));
    probe.weight = torch::zeros({classes, features.size(1)}, features.options());
    probe.bias = torch::zeros({classes}, features.options());
  }
  const torch::Tensor inputs = (features.detach() - probe.mean) / probe.deviation;
  probe.weight.requires_grad_(true);
  probe.bias.requires_grad_(true);
  torch::optim::LBFGS optimizer({probe.weight, probe.bias}, torch::optim::LBFGSOptions(1)
                                                                .max_iter(options.iterations)
                                                                .history_size(10)
                                                                .tolerance_grad(1e-6)
                                                                .line_search_fn("strong_wolfe"));
  optimizer.step([&] {
    optimizer.zero_grad();
    torch::Tensor loss = torch::nn::functional::cross_entropy(
        torch::addmm(probe.bias, inputs, probe.weight.t()), labels);
    loss = loss + 0.5 * options.weight_decay * probe.weight.square().sum();
    loss.backward();
    return loss;
  });
  probe.weight = probe.weight.detach();
  probe.bias = probe.bias.detach();
  return probe;
}

double probe_error(const LinearProbe& probe, const torch::Tensor& features,
                   const torch::Tensor& labels) {
  const std::int64_t samples = labels.size(0);
  if (samples == 0) return undefined_number;
  const torch::NoGradGuard no_grad;
  const auto errors = probe.logits(features).argmax(1).ne(labels).sum().item<std::int64_t>();
  return 100 * static_cast<double>(errors) / static_cast<double>(samples);
}

}  // namespace mlaan
