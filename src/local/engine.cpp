// The engine: runs any supervision plan, every module forward once a step.
#include "core/undefined_number.h"
#include "local/execution.h"
#include "local/gradient_clipping.h"
#include "local/module_run.h"
#include "local/placed_network.h"
#include "local/trained_parts.h"

#include <mlaan/core/random.h>
#include <mlaan/local/engine.h>
#include <mlaan/nn/reference_kernels_scope.h>

#include <algorithm>
#include <set>
#include <utility>

namespace mlaan {
namespace {

/// Refuses names that a checkpoint could not tell apart.
void check_names_differ(const std::vector<NamedTensor>& parameters) {
  std::set<std::string> names;
  for (const auto& named : parameters) {
    if (!names.insert(named.name).second) {
      throw UserError("two parameters are called '" + named.name +
                      "'; give the auxiliary nets names of their own");
    }
  }
}

void check_batch(const Plan& plan, const Backbone& backbone, const torch::Tensor& images,
                 const torch::Tensor& labels) {
  if (!labels.defined()) return;
  check_labels(labels, images.size(0), backbone.classes(), "the batch");
  if (labels.is_floating_point()) check_takes_probabilities(plan);
}

/// For each module how many operations read its output.
std::vector<std::size_t> count_output_readers(const Schedule& schedule, std::size_t modules) {
  std::vector<std::size_t> readers(modules, 0);
  for (const auto& operation : schedule.operations) {
    for (const auto& resource : operation->access().reads) {
      if (resource.kind == Resource::Kind::output) ++readers[resource.owner];
    }
  }
  return readers;
}

/// All losses in one tensor; NaN for those that were left out.
torch::Tensor gather(const std::vector<torch::Tensor>& losses,
                     const torch::TensorOptions& options) {
  std::vector<torch::Tensor> all;
  all.reserve(losses.size());
  for (const auto& loss : losses) {
    all.push_back(loss.defined() ? loss.to(options.dtype())
                                 : torch::full({}, undefined_number, options));
  }
  return torch::stack(all);
}

}  // namespace

class Engine::Implementation {
 public:
  Implementation(Backbone backbone, Plan plan, EngineOptions options)
      : backbone_(std::move(backbone)),
        plan_(checked(std::move(plan), backbone_)),
        options_(std::move(options)),
        network_(backbone_, plan_, options_),
        trained_(backbone_, plan_, network_, options_) {
    make_schedule();
  }

  void set_recompute(std::vector<Recompute> modules, std::vector<Recompute> nets) {
    plan_.recompute = std::move(modules);
    plan_.recompute_nets = std::move(nets);
    check(plan_, backbone_);
    network_.set_recompute(backbone_, plan_);
    make_schedule();
  }

  void set_order(const std::vector<std::size_t>& order) { schedule_ = in_order(schedule_, order); }

  StepResult step(const torch::Tensor& images, const torch::Tensor& labels,
                  const torch::Tensor& net_labels) {
    const std::int64_t parts = std::min(options_.micro_batches, labels.size(0));
    StepResult result;
    if (parts <= 1) {
      result = run(images, labels, net_labels, {/*update=*/true, share_, draw(0)});
    } else {
      result = accumulate_parts(images, labels, net_labels, parts);
      update();
    }
    ++steps_done_;
    return result;
  }

  StepResult accumulate(const torch::Tensor& images, const torch::Tensor& labels) {
    StepResult result = run(images, labels, {}, {/*update=*/false, share_, draw(0)});
    ++steps_done_;
    return result;
  }

  void update() {
    or_abandon([&] {
      Pass none;
      Execution execution{options_, schedule_, network_, trained_, none};
      for (const auto& operation : schedule_.operations) {
        if (operation->activity() == Activity::update) operation->execute(execution);
      }
      finish_update();
    });
  }

  torch::Tensor predict(const torch::Tensor& images) {
    const torch::NoGradGuard no_grad;
    const ReferenceKernelsScope kernels(options_.reference_kernels);
    set_training(backbone_, network_, false);
    return backbone_.forward(network_.place_images(images));
  }

  void set_progress(double progress) {
    progress_ = progress;
    set_weights(schedule_, plan_, progress_);
  }

  std::vector<NamedTensor> named_parameters() const {
    return mlaan::named_parameters(backbone_, plan_);
  }
  std::vector<NamedTensor> named_buffers() const { return mlaan::named_buffers(backbone_, plan_); }

  Backbone backbone_;
  Plan plan_;
  const EngineOptions options_;
  PlacedNetwork network_;
  TrainedParts trained_;
  Schedule schedule_;
  std::int64_t steps_done_ = 0;
  double share_ = 1;
  std::function<void(const Operation&)> observer_;

 private:
  static Plan checked(Plan plan, const Backbone& backbone) {
    check(plan, backbone);
    check_names_differ(mlaan::named_parameters(backbone, plan));
    return plan;
  }

  void make_schedule() {
    const bool clips_together = options_.clip_grad > 0 && is_trained_as_one(plan_);
    schedule_ = mlaan::make_schedule(plan_, network_.part_facts(plan_),
                                     options_.fused_update && !clips_together);
    set_weights(schedule_, plan_, progress_);
    output_readers_ = count_output_readers(schedule_, network_.modules().size());
  }

  StepResult accumulate_parts(const torch::Tensor& images, const torch::Tensor& labels,
                              const torch::Tensor& net_labels, std::int64_t parts) {
    const auto image_parts = images.tensor_split(parts);
    const auto label_parts = labels.tensor_split(parts);
    const auto net_label_parts = net_labels.defined()
                                     ? net_labels.tensor_split(parts)
                                     : std::vector<torch::Tensor>(label_parts.size());
    StepResult whole;
    std::vector<torch::Tensor> logits;
    for (std::size_t i = 0; i < label_parts.size(); ++i) {
      const double share =
          static_cast<double>(label_parts[i].size(0)) / static_cast<double>(labels.size(0));
      const StepResult part =
          run(image_parts[i], label_parts[i], net_label_parts[i],
              {/*update=*/false, share * share_, draw(static_cast<std::int64_t>(i))});
      whole.losses = i == 0 ? part.losses * share : whole.losses + part.losses * share;
      logits.push_back(part.logits);
    }
    whole.logits = torch::cat(logits);
    return whole;
  }

  StepResult run(const torch::Tensor& images, const torch::Tensor& labels,
                 const torch::Tensor& net_labels, const PassSettings& settings) {
    check_batch(plan_, backbone_, images, labels);
    check_batch(plan_, backbone_, images, net_labels);
    // Not before: weights that are loaded first may set twins apart.
    if (!twins_share_memory_) share_memory(plan_.averages);
    twins_share_memory_ = true;
    set_training(backbone_, network_, true);
    const DefaultGeneratorGuard generator(options_.device);
    const ReferenceKernelsScope kernels(options_.reference_kernels);
    StepResult result;
    or_abandon([&] {
      Pass pass = make_pass(images, labels, net_labels, settings);
      Execution execution{options_, schedule_, network_, trained_, pass};
      execute(execution, observer_);
      if (settings.update) finish_update();
      result = {gather(pass.losses, network_.tensor_options()), std::move(pass.logits)};
    });
    return result;
  }

  Pass make_pass(const torch::Tensor& images, const torch::Tensor& labels,
                 const torch::Tensor& net_labels, const PassSettings& settings) const {
    Pass pass;
    pass.settings = settings;
    pass.targets = {labels.to(options_.device), network_.place_images(images)};
    pass.net_targets = pass.targets;
    if (net_labels.defined()) pass.net_targets.labels = net_labels.to(options_.device);
    pass.input_dtype = network_.dtype();
    for (const auto& module : network_.modules()) pass.modules.emplace_back(module);
    for (const auto readers : output_readers_) pass.outputs.emplace_back(readers);
    pass.cotangents.resize(network_.modules().size());
    pass.losses.resize(plan_.supervisions.size());
    return pass;
  }

  void finish_update() {
    trained_.finish_update();
    mlaan::update(plan_.averages);
  }

  /// Does a part of a step. Where it throws - a user's loss, memory that runs out - all gradients
  /// are dropped, so that nothing of it is added to those of the next step.
  template <class Work>
  void or_abandon(const Work& work) {
    try {
      work();
    } catch (...) {
      trained_.abandon();
      throw;
    }
  }

  /// What numbers the random draws of a micro-batch of the step.
  std::int64_t draw(std::int64_t micro_batch) const {
    const std::int64_t here = options_.micro_batches;
    return (steps_done_ * options_.replicas + options_.replica) * here + micro_batch;
  }

  double progress_ = 0;
  bool twins_share_memory_ = false;
  std::vector<std::size_t> output_readers_;  ///< of each module
};

Engine::Engine(Backbone backbone, Plan plan, EngineOptions options)
    : implementation_(std::make_unique<Implementation>(std::move(backbone), std::move(plan),
                                                       std::move(options))) {}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;

StepResult Engine::step(const torch::Tensor& images, const torch::Tensor& labels,
                        const torch::Tensor& net_labels) {
  return implementation_->step(images, labels, net_labels);
}

StepResult Engine::accumulate(const torch::Tensor& images, const torch::Tensor& labels) {
  return implementation_->accumulate(images, labels);
}

void Engine::update() {
  implementation_->update();
}

torch::Tensor Engine::predict(const torch::Tensor& images) {
  return implementation_->predict(images);
}

void Engine::set_learning_rate(double lr) {
  implementation_->trained_.set_learning_rate(implementation_->plan_, lr);
}

void Engine::set_progress(double progress) {
  implementation_->set_progress(progress);
}

std::int64_t Engine::steps_done() const {
  return implementation_->steps_done_;
}
void Engine::set_steps_done(std::int64_t steps) {
  implementation_->steps_done_ = steps;
}
std::vector<NamedTensor> Engine::loss_scale_state() const {
  const auto& scale = implementation_->trained_.scale();
  return scale ? scale->state() : std::vector<NamedTensor>();
}
void Engine::set_loss_scale_state(const std::vector<NamedTensor>& state) {
  auto& scale = implementation_->trained_.scale();
  if (scale) scale->set_state(state);
}
const Backbone& Engine::backbone() const {
  return implementation_->backbone_;
}
const Plan& Engine::plan() const {
  return implementation_->plan_;
}
const Schedule& Engine::schedule() const {
  return implementation_->schedule_;
}
const std::vector<TrainedPart>& Engine::parts() const {
  return implementation_->trained_.parts();
}

std::vector<NamedTensor> Engine::named_parameters() const {
  return implementation_->named_parameters();
}

std::vector<NamedTensor> Engine::named_buffers() const {
  return implementation_->named_buffers();
}

void Engine::set_recompute(std::vector<Recompute> modules, std::vector<Recompute> nets) {
  implementation_->set_recompute(std::move(modules), std::move(nets));
}

void Engine::set_order(const std::vector<std::size_t>& order) {
  implementation_->set_order(order);
}

void Engine::set_batch_share(double share) {
  implementation_->share_ = share;
}

void Engine::set_observer(std::function<void(const Operation&)> observer) {
  implementation_->observer_ = std::move(observer);
}

}  // namespace mlaan
