// One module within a training step: its forward pass, what that keeps alive, and products with it.
#include "local/module_run.h"

#include "local/buffer_guard.h"
#include "local/recomputed_unit.h"
#include "nn/returning_gradient.h"

#include <mlaan/core/random.h>

namespace mlaan {

ModuleRun::ModuleRun(std::vector<Unit> units, std::vector<bool> overwrites_input,
                     std::vector<bool> recomputed, torch::Device device)
    : units_(std::move(units)),
      overwrites_input_(std::move(overwrites_input)),
      recomputed_(std::move(recomputed)),
      device_(device) {
  for (const auto& unit : units_) {
    for (auto& named : unit.named_parameters()) {
      if (!named.tensor.requires_grad()) continue;
      parameters_.push_back(named.tensor);
      named_parameters_.push_back(std::move(named));
    }
    for (auto& named : unit.named_buffers()) buffers_.push_back(std::move(named.tensor));
  }
}

/// What the graph begins with.
torch::Tensor ModuleRun::make_leaf() {
  torch::Tensor leaf = input_.to(dtype_);
  if (!input_gradient_) return leaf;
  input_tap_.emplace(leaf);
  return input_tap_->tensor();
}

torch::Tensor ModuleRun::run(std::uint64_t stream) {
  const torch::Tensor input = make_leaf();
  seed_default_generator(device_, stream);
  // The module before, and every net that reads it, still need what this one is given.
  torch::Tensor value = overwrites_input_[0] && !recomputed_[0] ? input.clone() : input;
  const auto version = input._version();
  for (std::size_t i = 0; i < units_.size(); ++i) {
    value = recomputed_[i] ? run_recomputed(units_[i], value, overwrites_input_[i])
                           : units_[i].forward(std::move(value));
  }
  if (input._version() != version) {
    throw UserError("unit '" + units_.front().name() +
                    "' changes its input in place when training, but the module before still needs "
                    "it; let its first operation be one that is not in place");
  }
  return value;
}

torch::Tensor ModuleRun::forward(const torch::Tensor& input, torch::Dtype dtype,
                                 const RunModule& how, std::uint64_t stream) {
  input_ = input.detach();
  dtype_ = dtype;
  input_gradient_ = how.input_gradient;
  const torch::AutoGradMode mode(how.keep == Keep::activations);
  {
    std::optional<KeptStatisticsScope> kept;
    if (how.keep == Keep::input) kept.emplace(statistics_, KeptStatisticsScope::Mode::keep);
    output_ = run(stream);
  }
  const torch::Tensor output = output_.detach();
  if (how.keep == Keep::activations) {
    input_ = torch::Tensor();
  } else {
    output_ = torch::Tensor();
    input_tap_.reset();
  }
  if (how.keep == Keep::nothing) release();
  return output;
}

void ModuleRun::rebuild(std::uint64_t stream) {
  const BufferGuard guard(buffers_);
  const KeptStatisticsScope known(statistics_, KeptStatisticsScope::Mode::take);
  output_ = run(stream);
}

torch::Tensor ModuleRun::product(Cotangent cotangent, const Product& product, bool returns) {
  if (!cotangent.defined()) return {};
  std::vector<torch::autograd::Edge> destinations;
  if (product.parameters) destinations = accumulation_edges(parameters_);
  if (product.input) destinations.push_back(input_tap_->edge());
  set_gradient_returns(output_, returns && !cotangent.reading);
  torch::Tensor gradient = std::move(cotangent.gradient);
  if (cotangent.reading) {
    gradient = send_from(
        [behind = std::move(gradient), reading = cotangent.reading](const torch::Tensor& output) {
          return output.defined() ? reading->send_back_cut(behind, output)
                                  : reading->send_back(behind);
        },
        output_);
  }
  send_back(output_, std::move(gradient), /*keep_graph=*/!product.last, destinations);
  return product.input ? input_tap_->take() : torch::Tensor();
}

void ModuleRun::release() {
  input_ = torch::Tensor();
  input_tap_.reset();
  output_ = torch::Tensor();
  statistics_.clear();
}

}  // namespace mlaan
