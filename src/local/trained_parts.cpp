// What a training step changes: parameters, optimizers, and the loss scale.
#include "local/trained_parts.h"

#include "core/sole_owner.h"
#include "local/gradient_clipping.h"
#include "local/layer_decay.h"

#include <mlaan/local/gradient_reducer.h>
#include <mlaan/measure/memory.h>

#include <algorithm>
#include <set>
#include <utility>

namespace mlaan {
namespace {

/// A part's gradients, for changes in place: a gradient that others hold too is copied first.
std::vector<torch::Tensor> own_gradients(const TrainedPart& part) {
  std::vector<torch::Tensor> gradients;
  for (const auto& named : part.parameters) {
    torch::Tensor& gradient = named.tensor.mutable_grad();
    if (!gradient.defined()) continue;
    if (!is_sole_owner(gradient)) gradient = gradient.clone();
    gradients.push_back(gradient);
  }
  return gradients;
}

void drop_gradients(const TrainedPart& part) {
  for (const auto& named : part.parameters) named.tensor.mutable_grad() = torch::Tensor();
}

/// Refuses parameters that two parts would both step.
void check_parts_are_disjoint(const std::vector<TrainedPart>& parts) {
  std::set<const void*> tensors;
  for (const auto& part : parts) {
    for (const auto& named : part.parameters) {
      if (!tensors.insert(named.tensor.unsafeGetTensorImpl()).second) {
        throw UserError("parameter '" + named.name + "' of " + part.name +
                        " belongs to another module or net as well; a parameter can be trained in "
                        "one place only");
      }
    }
  }
}

/// Clips the parts' gradients, taken as one vector. Must not keep references to them: the
/// optimizers overwrite only gradients that nobody else holds.
void clip(const std::vector<TrainedPart*>& parts, double highest) {
  std::vector<torch::Tensor> gradients;
  for (const auto* part : parts) {
    for (auto& gradient : own_gradients(*part)) gradients.push_back(std::move(gradient));
  }
  clip_norm(gradients, highest);
}

}  // namespace

TrainedParts::TrainedParts(const Backbone& backbone, const Plan& plan, const PlacedNetwork& network,
                           const EngineOptions& options)
    : options_(&options),
      module_count_(network.modules().size()),
      updates_together_(options.clip_grad > 0 && is_trained_as_one(plan)) {
  if (options.loss_scale) {
    scale_.emplace(*options.loss_scale);
  } else if (options.precision == Precision::float16) {
    scale_.emplace(LossScaleOptions{});
  }
  for (std::size_t j = 0; j < module_count_; ++j) {
    add_part("module " + std::to_string(j + 1), network.modules()[j].named_parameters(),
             depth_factors(backbone, plan, j, options.layer_decay));
  }
  for (const auto& net : network.nets()) {
    const double factor = depth_factor_of_net(backbone, plan, *net, options.layer_decay);
    add_part(net->name().empty() ? "head" : net->name(), trainable(net->named_parameters()),
             [factor](const torch::Tensor&) { return factor; });
  }
  check_parts_are_disjoint(parts_);
}

/// \param depth_factor the learning-rate factor of a parameter.
void TrainedParts::add_part(const std::string& name, std::vector<NamedTensor> parameters,
                            const std::function<double(const torch::Tensor&)>& depth_factor) {
  std::unique_ptr<torch::optim::Optimizer> optimizer;
  if (!parameters.empty()) optimizer = options_->optimizer(tensors_of(parameters));
  depth_factors_.emplace_back();
  if (optimizer && options_->layer_decay != 1) {
    depth_factors_.back() = scale_learning_rates(*optimizer, depth_factor);
  } else if (optimizer) {
    depth_factors_.back().assign(optimizer->param_groups().size(), 1);
  }
  parts_.push_back({name, std::move(parameters), std::move(optimizer)});
}

void TrainedParts::take_gradient(std::size_t part) {
  if (options_->reducer) options_->reducer->start(parts_[part]);
  if (options_->reducer || updates_together_) {
    waiting_.push_back(part);
  } else {
    update({part});
  }
}

void TrainedParts::update_exchanged() {
  if (!options_->reducer || updates_together_) return;
  while (!waiting_.empty() && options_->reducer->is_done(parts_[waiting_.front()])) {
    const std::size_t part = waiting_.front();
    waiting_.erase(waiting_.begin());
    update({part});
  }
}

void TrainedParts::finish_update() {
  auto waiting = std::exchange(waiting_, {});
  if (updates_together_) {
    if (!waiting.empty()) update(std::move(waiting));
  } else {
    for (const auto part : waiting) update({part});
  }
  if (scale_) scale_->finish_step();
}

void TrainedParts::update(std::vector<std::size_t> parts) {
  if (options_->reducer) {
    for (const auto part : parts) options_->reducer->finish(parts_[part]);
  }
  // Norms are summed in the order of backpropagation, in whatever order gradients were complete.
  std::sort(parts.rbegin(), parts.rend());
  std::vector<TrainedPart*> stepped;
  for (const auto index : parts) {
    TrainedPart& part = parts_[index];
    if (!scale_ || scale_->unscale(own_gradients(part))) {
      stepped.push_back(&part);
    } else {
      drop_gradients(part);
    }
  }
  if (options_->clip_grad > 0) clip(stepped, options_->clip_grad);
  for (auto* part : stepped) {
    if (options_->before_update) options_->before_update(*part);
    const measure::MemoryKindScope kind(measure::MemoryKind::optimizer_state);
    part->optimizer->step();
    drop_gradients(*part);
  }
}

void TrainedParts::abandon() {
  waiting_.clear();
  if (options_->reducer) options_->reducer->abandon();
  for (const auto& part : parts_) drop_gradients(part);
  if (scale_) scale_->forget_step();
}

void TrainedParts::set_learning_rate(const Plan& plan, double lr) {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (!parts_[i].optimizer) continue;
    const double factor = i < module_count_ ? 1 : learning_rate_of_net(plan, i - module_count_);
    auto& groups = parts_[i].optimizer->param_groups();
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const double of_depth = g < depth_factors_[i].size() ? depth_factors_[i][g] : 1;
      groups[g].options().set_lr(factor * of_depth * lr);
    }
  }
}

}  // namespace mlaan
