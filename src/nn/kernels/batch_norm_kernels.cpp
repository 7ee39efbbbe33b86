// Calls LibTorch's batch normalisation kernels, with control over their statistics and outputs.
#include "nn/kernels/batch_norm_kernels.h"

#include "core/channels_last.h"
#include "core/sole_owner.h"
#include "nn/kernels/halves_of_batch.h"

#include <ATen/Functions.h>
#ifdef MLAAN_HAS_BATCH_NORM_KERNEL
#include <ATen/native/batch_norm.h>
#endif

#include <numeric>
#include <utility>
#include <vector>

namespace mlaan {
namespace {

using torch::Tensor;

/// Number of elements in a channel's statistics.
double channel_elements(const Tensor& input) {
  return static_cast<double>(input.numel() / input.size(1));
}

#ifdef MLAAN_HAS_BATCH_NORM_KERNEL
/// Whether kernels can process this input in its memory layout.
bool lies_for_kernels(const Tensor& input) {
  return input.is_cpu() && input.is_contiguous(input.suggest_memory_format());
}

/// Whether all kernels accept this input as it is.
bool is_plain(const Tensor& input, const BatchNormRecord& record) {
  return lies_for_kernels(input) && input.scalar_type() == record.scale.scalar_type();
}

/// Whether the normalising kernel accepts this input: a plain one, or bfloat16 with parameters and
/// statistics in float32, as under autocast.
bool is_normalised_by_kernel(const Tensor& input, const BatchNormRecord& record) {
  const bool is_mixed = input.scalar_type() == torch::kBFloat16 &&
                        record.scale.scalar_type() == torch::kFloat32 &&
                        record.mean.scalar_type() == torch::kFloat32;
  return is_plain(input, record) || (lies_for_kernels(input) && is_mixed);
}

/// Channels-last maps whose channels fill the processor's vector registers only in part: the
/// kernels would copy each position's channels separately and take ten times as long. This class
/// views several adjacent positions as one wide position whose channels fill the registers; the
/// formulas in this file correct the statistics for that.
class SideBySide {
 public:
  explicit SideBySide(const Tensor& maps) {
    constexpr std::int64_t vector_elements = 16;  // of AVX-512; a multiple of what others have
    if (!has_channels_last(maps)) return;
    const std::int64_t channels = maps.size(1);
    const std::int64_t group = std::lcm(channels, vector_elements) / channels;
    const std::int64_t positions = maps.size(2) * maps.size(3);
    // At least two wide positions per map, or the memory format could no longer be recognised.
    if (positions % group == 0 && positions > group) positions_ = group;
  }

  bool applies() const { return positions_ > 1; }

  Tensor maps(const Tensor& maps) const {
    const std::int64_t row = maps.size(2) * maps.size(3) / positions_;
    return maps.permute({0, 2, 3, 1})
        .view({maps.size(0), row, 1, maps.size(1) * positions_})
        .permute({0, 3, 1, 2});
  }
  /// Repeats the values of channels for each position of a group.
  Tensor repeated(const Tensor& values) const { return values.repeat({positions_}); }
  BatchNormRecord repeated(const BatchNormRecord& record) const {
    return {repeated(record.scale),
            repeated(record.shift),
            repeated(record.mean),
            repeated(record.inverse_deviation),
            record.epsilon,
            record.peers,
            record.count};
  }
  /// One row of channels for each position of a group.
  Tensor rows(const Tensor& values) const { return values.view({positions_, -1}); }

 private:
  std::int64_t positions_ = 1;
};

void run_kernel(Tensor output, const Tensor& input, const BatchNormRecord& record) {
  const Tensor none;
  at::native::batch_norm_cpu_stub(at::kCPU, output, input, record.scale, record.shift, record.mean,
                                  record.inverse_deviation, none, none, /*train=*/true,
                                  record.epsilon);
}

/// normalise_again() for a plain input or a part of its batch.
Tensor normalise_plain(const Tensor& input, const BatchNormRecord& record) {
  Tensor output = at::empty_like(input, input.suggest_memory_format());
  const SideBySide grouped(input);
  if (grouped.applies()) {
    run_kernel(grouped.maps(output), grouped.maps(input), grouped.repeated(record));
  } else {
    run_kernel(output, input, record);
  }
  return output;
}

/// Mean and sum of squared deviations of each channel.
struct ChannelSums {
  Tensor mean;
  Tensor square_sum;
};

/// Computes the sums from those of each position of a group (Chan et al. 1979).
ChannelSums grouped_sums(const Tensor& input, const SideBySide& grouped,
                         const BatchNormRecord& record) {
  const Tensor wide = grouped.maps(input);
  Tensor means = at::empty({wide.size(1)}, record.scale.options());
  Tensor squares = at::empty_like(means);
  at::native::batch_norm_cpu_collect_stats_stub(at::kCPU, means, squares, wide);
  means = grouped.rows(means);
  const Tensor mean = means.mean(0);
  return {mean,
          grouped.rows(squares).sum(0) + (means - mean).square().sum(0) * channel_elements(wide)};
}

void find_statistics(const Tensor& input, const SideBySide& grouped, BatchNormRecord& record,
                     RunningStatistics& running) {
  const auto [mean, square_sum] = grouped_sums(input, grouped, record);
  record.mean = mean;
  const double count = channel_elements(input);
  record.inverse_deviation = (square_sum / count + record.epsilon).rsqrt();
  if (!running.mean.defined()) return;
  running.mean.lerp_(record.mean, running.momentum);
  running.variance.lerp_(square_sum / (count - 1), running.momentum);
}

/// Turns the gradients that the kernel computed with each position of a group as a channel of its
/// own into those of the actual channels. The input's gradient is off by a constant and a multiple
/// of the input, since the kernel's sums over a channel cover one position of the group only.
std::pair<Tensor, Tensor> join_gradients(Tensor& wide_gradient, const Tensor& wide_input,
                                         const Tensor& wide_scale, const Tensor& wide_shift,
                                         const SideBySide& grouped, const BatchNormRecord& record) {
  const Tensor scales = grouped.rows(wide_scale);
  const Tensor shifts = grouped.rows(wide_shift);
  if (wide_gradient.defined()) {
    const Tensor factor = record.scale * record.inverse_deviation / channel_elements(wide_input);
    const Tensor slope = (scales - scales.mean(0)) * (factor * record.inverse_deviation);
    const Tensor constant = (shifts - shifts.mean(0)) * factor - slope * record.mean;
    const auto along_channels = [](const Tensor& values) { return values.reshape({1, -1, 1, 1}); };
    wide_gradient.add_(along_channels(constant)).addcmul_(wide_input, along_channels(slope));
  }
  return {scales.sum(0), shifts.sum(0)};
}
#endif

/// Mean and biased variance of each channel of this process's input, float64 on the CPU.
std::pair<Tensor, Tensor> own_moments(const Tensor& input, const BatchNormRecord& record) {
  const auto on_cpu = [](const Tensor& values) { return values.to(torch::kCPU, torch::kFloat64); };
#ifdef MLAAN_HAS_BATCH_NORM_KERNEL
  const SideBySide grouped(input);
  if (grouped.applies() && is_plain(input, record)) {
    const auto [mean, square_sum] = grouped_sums(input, grouped, record);
    return {on_cpu(mean), on_cpu(square_sum) / channel_elements(input)};
  }
#endif
  const auto [mean, variance] =
      at::batch_norm_update_stats(input.to(record.scale.scalar_type()), {}, {}, 0);
  return {on_cpu(mean), on_cpu(variance)};
}

/// Finds the statistics of all processes' inputs.
void find_joint_statistics(const Tensor& input, BatchNormRecord& record,
                           RunningStatistics& running) {
  const auto [own_mean, own_variance] = own_moments(input, record);
  const double own_count = channel_elements(input);
  const std::int64_t channels = own_mean.numel();
  const Tensor sums = at::cat({own_mean * own_count, (own_variance + own_mean.square()) * own_count,
                               at::full({1}, own_count, own_mean.options())});
  record.peers->sum(sums, "the statistics of batch normalisation");
  record.count = sums[2 * channels].item<double>();
  const Tensor mean = sums.narrow(0, 0, channels) / record.count;
  const Tensor variance =
      (sums.narrow(0, channels, channels) / record.count - mean.square()).clamp_min(0);
  record.mean = mean.to(record.scale.options());
  record.inverse_deviation = (variance + record.epsilon).rsqrt().to(record.scale.options());
  if (!running.mean.defined()) return;
  const Tensor unbiased = variance * (record.count / (record.count - 1));
  running.mean.lerp_(mean.to(running.mean.options()), running.momentum);
  running.variance.lerp_(unbiased.to(running.variance.options()), running.momentum);
}

/// Normalises by given statistics where they cannot be handed to the kernel for training.
Tensor normalise_by_operator(const Tensor& input, const BatchNormRecord& record) {
  const Tensor variance = record.inverse_deviation.pow(-2) - record.epsilon;
  return std::get<0>(at::native_batch_norm(input, record.scale, record.shift, record.mean, variance,
                                           /*training=*/false, 0, record.epsilon));
}

/// Corrects an input's gradient that was computed with the sums of this process's gradients in
/// place of those of all: it is off by a constant and a multiple of the input.
void take_sums_of_all(Tensor& gradient, const Tensor& input, const BatchNormRecord& record,
                      const Tensor& own_scale, const Tensor& own_shift) {
  const auto wide = [](const Tensor& values) { return values.to(torch::kCPU, torch::kFloat64); };
  const Tensor own = at::cat({wide(own_scale), wide(own_shift)});
  const Tensor all = own.clone();
  record.peers->sum(all, "the gradients of batch normalisation");
  const Tensor excess = own / channel_elements(input) - all / record.count;
  const std::int64_t channels = own_scale.numel();
  const Tensor deviation = wide(record.inverse_deviation);
  const Tensor factor = wide(record.scale) * deviation;
  const Tensor slope = factor * deviation * excess.narrow(0, 0, channels);
  const Tensor constant = factor * excess.narrow(0, channels, channels) - slope * wide(record.mean);
  std::vector<std::int64_t> along(static_cast<std::size_t>(input.dim()), 1);
  along[1] = channels;
  const auto shaped = [&](const Tensor& values) {
    return values.to(record.scale.options()).reshape(along);
  };
  if (gradient.scalar_type() == record.scale.scalar_type() &&
      input.scalar_type() == gradient.scalar_type()) {
    gradient.add_(shaped(constant)).addcmul_(input, shaped(slope));
    return;
  }
  gradient.add_(shaped(constant) + input.to(record.scale.scalar_type()) * shaped(slope));
}

}  // namespace

torch::Tensor normalise(const torch::Tensor& input, BatchNormRecord& record,
                        RunningStatistics running) {
  if (record.peers != nullptr) {
    find_joint_statistics(input, record, running);
    return normalise_again(input, record);
  }
#ifdef MLAAN_HAS_BATCH_NORM_KERNEL
  const SideBySide grouped(input);
  if (grouped.applies() && is_plain(input, record)) {
    find_statistics(input, grouped, record, running);
    return normalise_again(input, record);
  }
#endif
  torch::Tensor output;
  std::tie(output, record.mean, record.inverse_deviation) =
      at::native_batch_norm(input, record.scale, record.shift, running.mean, running.variance,
                            /*training=*/true, running.momentum, record.epsilon);
  return output;
}

torch::Tensor normalise_again(const torch::Tensor& input, const BatchNormRecord& record) {
#ifdef MLAAN_HAS_BATCH_NORM_KERNEL
  if (is_normalised_by_kernel(input, record)) return normalise_plain(input, record);
#endif
  if (record.peers != nullptr) return normalise_by_operator(input, record);
  const torch::Tensor none;
  return std::get<0>(at::native_batch_norm(input, record.scale, record.shift, none, none,
                                           /*training=*/true, 0, record.epsilon));
}

void add_normalised_again(torch::Tensor& sum, const torch::Tensor& input,
                          const BatchNormRecord& record) {
#ifdef MLAAN_HAS_BATCH_NORM_KERNEL
  if (is_plain(input, record)) {
    for_halves(input.size(0), [&](std::int64_t first, std::int64_t samples) {
      sum.narrow(0, first, samples).add_(normalise_plain(input.narrow(0, first, samples), record));
    });
    return;
  }
#endif
  // Without the kernel, the whole batch is needed to compute its statistics again.
  sum.add_(normalise_again(input, record));
}

namespace {

/// batch_norm_backward() with the sums of this process's gradients.
std::tuple<torch::Tensor, torch::Tensor, torch::Tensor> own_backward(torch::Tensor gradient,
                                                                     const torch::Tensor& input,
                                                                     const BatchNormRecord& record,
                                                                     std::array<bool, 3> wanted) {
  const torch::Tensor none;
#ifdef MLAAN_HAS_BATCH_NORM_KERNEL
  const auto format = input.suggest_memory_format();
  const SideBySide grouped(input);
  // The grouped kernel sums in its own order, which must not depend on the gradient's layout.
  const bool plain_input = is_plain(input, record);
  if (grouped.applies() && plain_input) gradient = gradient.contiguous(format);
  const bool plain = plain_input && gradient.scalar_type() == input.scalar_type() &&
                     gradient.is_contiguous(format) && gradient.suggest_memory_format() == format;
  if (plain) {
    torch::Tensor before;
    if (wanted[0]) before = is_sole_owner(gradient) ? gradient : at::empty_like(input, format);
    const auto seen = [&](const Tensor& maps) {
      return grouped.applies() && maps.defined() ? grouped.maps(maps) : maps;
    };
    const BatchNormRecord record_seen = grouped.applies() ? grouped.repeated(record) : record;
    Tensor before_seen = seen(before);
    const Tensor input_seen = seen(input);
    torch::Tensor scale = at::empty_like(record_seen.scale);
    torch::Tensor shift = at::empty_like(record_seen.scale);
    at::native::batch_norm_cpu_backward_stub(
        at::kCPU, before_seen, scale, shift, seen(gradient), input_seen, record_seen.scale, none,
        none, record_seen.mean, record_seen.inverse_deviation, /*train=*/true, record.epsilon);
    if (grouped.applies()) {
      std::tie(scale, shift) =
          join_gradients(before_seen, input_seen, scale, shift, grouped, record);
    }
    return {before, wanted[1] ? scale : none, wanted[2] ? shift : none};
  }
#endif
  return at::native_batch_norm_backward(gradient, input, record.scale, none, none, record.mean,
                                        record.inverse_deviation, /*train=*/true, record.epsilon,
                                        wanted);
}

}  // namespace

std::tuple<torch::Tensor, torch::Tensor, torch::Tensor> batch_norm_backward(
    torch::Tensor gradient, const torch::Tensor& input, const BatchNormRecord& record,
    std::array<bool, 3> wanted) {
  if (record.peers == nullptr) return own_backward(std::move(gradient), input, record, wanted);
  auto [before, scale, shift] =
      own_backward(std::move(gradient), input, record, {wanted[0], true, true});
  if (wanted[0]) take_sums_of_all(before, input, record, scale, shift);
  const torch::Tensor none;
  return {before, wanted[1] ? scale : none, wanted[2] ? shift : none};
}

}  // namespace mlaan
