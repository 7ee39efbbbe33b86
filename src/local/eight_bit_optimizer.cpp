// Optimizers with 8-bit moments of large weights (Dettmers et al. 2022, arXiv:2110.02861).
#include "local/eight_bit_optimizer.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

namespace mlaan {
namespace {

/// About how many elements a step processes at a time; the kernels of a GPU need more.
constexpr std::int64_t elements_at_a_time = 1 << 16;
constexpr std::int64_t elements_at_a_time_on_gpu = 1 << 22;

/// Returns the parameter's state with its step count advanced. A state of another kind, such as
/// that of a float32 optimizer, is replaced by zeros.
EightBitState& state_for_step(StateSlot& slot, const torch::Tensor& parameter,
                              std::size_t moments) {
  auto* state = dynamic_cast<EightBitState*>(slot.get());
  if (state == nullptr || state->moments.size() != moments) {
    auto fresh = std::make_unique<EightBitState>();
    while (fresh->moments.size() < moments) fresh->moments.push_back(eight_bit_zeros(parameter));
    state = fresh.get();
    slot = std::move(fresh);
  }
  ++state->step;
  return *state;
}

/// Calls `run(weight, gradient, first)` for one block of rows after the other; `first` is the index
/// of the block's first row.
template <class Run>
void for_rows(const torch::Tensor& parameter, const Run& run) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor weight = rows_of(parameter.detach());
  const torch::Tensor gradient = rows_of(parameter.grad());
  const std::int64_t at_a_time =
      parameter.is_cpu() ? elements_at_a_time : elements_at_a_time_on_gpu;
  const std::int64_t rows = weight.size(0);
  const std::int64_t step = std::max<std::int64_t>(1, at_a_time / (weight.numel() / rows));
  for (std::int64_t first = 0; first < rows; first += step) {
    const std::int64_t count = std::min(step, rows - first);
    run(weight.narrow(0, first, count), gradient.narrow(0, first, count), first);
  }
}

template <class Options>
void step_by_moments(const Options& options, const torch::Tensor& parameter, StateSlot& slot,
                     bool decay_in_gradient) {
  const EightBitState& state = state_for_step(slot, parameter, 2);
  const auto [beta1, beta2] = options.betas();
  const auto steps = static_cast<double>(state.step);
  const double rate = options.lr() / (1 - std::pow(beta1, steps));
  const double root_share = std::sqrt(1 - std::pow(beta2, steps));
  const double decay = options.weight_decay();
  for_rows(parameter, [&, b1 = beta1, b2 = beta2](torch::Tensor weight, torch::Tensor gradient,
                                                  std::int64_t first) {
    if (decay != 0 && decay_in_gradient) gradient = gradient + decay * weight;
    if (decay != 0 && !decay_in_gradient) weight.mul_(1 - options.lr() * decay);
    torch::Tensor mean = read_rows(state.moments[0], first, weight.size(0), Sign::either);
    mean.mul_(b1).add_(gradient, 1 - b1);
    torch::Tensor root = read_rows(state.moments[1], first, weight.size(0), Sign::not_negative);
    root.square_().mul_(b2).addcmul_(gradient, gradient, 1 - b2).sqrt_();
    write_rows(mean, state.moments[0], first, Sign::either);
    write_rows(root, state.moments[1], first, Sign::not_negative);
    weight.addcdiv_(mean, root.div_(root_share).add_(options.eps()), -rate);
  });
}

}  // namespace

void step_in_eight_bits(const torch::optim::SGDOptions& options, const torch::Tensor& parameter,
                        StateSlot& slot) {
  const EightBitState& state = state_for_step(slot, parameter, 1);
  // As in LibTorch, the first momentum is the undamped gradient.
  const double share = state.step == 1 ? 1 : 1 - options.dampening();
  for_rows(parameter, [&](torch::Tensor weight, torch::Tensor change, std::int64_t first) {
    if (options.weight_decay() != 0) change = change + options.weight_decay() * weight;
    torch::Tensor momentum = read_rows(state.moments[0], first, weight.size(0), Sign::either);
    momentum.mul_(options.momentum()).add_(change, share);
    write_rows(momentum, state.moments[0], first, Sign::either);
    if (options.nesterov()) momentum = change + options.momentum() * momentum;
    weight.add_(momentum, -options.lr());
  });
}

void step_in_eight_bits(const torch::optim::AdamOptions& options, const torch::Tensor& parameter,
                        StateSlot& slot) {
  step_by_moments(options, parameter, slot, /*decay_in_gradient=*/true);
}

void step_in_eight_bits(const torch::optim::AdamWOptions& options, const torch::Tensor& parameter,
                        StateSlot& slot) {
  step_by_moments(options, parameter, slot, /*decay_in_gradient=*/false);
}

}  // namespace mlaan
