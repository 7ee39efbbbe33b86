// The reconstruction loss: binary cross-entropy of maps with the images' pixels.
#include "core/channels_last.h"
#include "nn/kernels/pixel_cross_entropy.h"

#include <mlaan/core/error.h>
#include <mlaan/nn/loss_kind.h>

#include <ATen/Functions.h>

namespace mlaan {
namespace {

/// One number per channel, as a tensor on the device and in the dtype of the images.
class ChannelConstants {
 public:
  explicit ChannelConstants(const std::vector<double>& values)
      : values_(torch::tensor(values, torch::kFloat64)) {}

  const torch::Tensor& like(const torch::Tensor& images) {
    if (values_.device() != images.device() || values_.dtype() != images.dtype()) {
      values_ = values_.to(images.device(), images.scalar_type());
    }
    return values_;
  }

 private:
  torch::Tensor values_;
};

/// Scales and shifts the values of each channel. Channels-last images are processed by whole rows:
/// processing the few channels of one position at a time takes four times as long.
torch::Tensor scaled_and_shifted(const torch::Tensor& images, const torch::Tensor& scales,
                                 const torch::Tensor& shifts) {
  if (!has_channels_last(images)) {
    const auto shaped = [](const torch::Tensor& values) { return values.view({1, -1, 1, 1}); };
    return at::addcmul(shaped(shifts), images, shaped(scales));
  }
  const auto columns = images.size(3);
  const auto rows = images.permute({0, 2, 3, 1}).flatten(2);
  return at::addcmul(shifts.repeat({columns}), rows, scales.repeat({columns}))
      .unflatten(2, {columns, images.size(1)})
      .permute({0, 3, 1, 2});
}

}  // namespace

LossPtr reconstruction(const Normalisation& normalisation) {
  if (normalisation.mean.empty()) {
    throw UserError(
        "the loss 'reconstruction' compares with pixels from 0 to 1, but how the network's images "
        "were normalised is not known; set it with Backbone::set_normalisation(), with means 0 and "
        "deviations 1 if they were not");
  }
  const auto mean = std::make_shared<ChannelConstants>(normalisation.mean);
  const auto deviation = std::make_shared<ChannelConstants>(normalisation.deviation);
  Loss loss;
  loss.name = "reconstruction";
  loss.reads = LossReads::images;
  loss.function = [mean, deviation](const torch::Tensor& output, const Targets& targets) {
    const auto& images = targets.images;
    const auto pixels = scaled_and_shifted(images, deviation->like(images), mean->like(images));
    return pixel_cross_entropy(output, pixels);
  };
  return std::make_shared<const Loss>(std::move(loss));
}

namespace losses {

LossKind reconstruction() {
  return {
      "reconstruction", "reconstruction",
      "mean binary cross-entropy of maps with the pictures' pixels", std::nullopt,
      [](const LossSettings& settings) { return mlaan::reconstruction(settings.normalisation); }};
}

}  // namespace losses
}  // namespace mlaan
