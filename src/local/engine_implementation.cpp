// The implementation of Engine: a network, its trained parts, a schedule, and passes through it.
#include "local/engine_implementation.h"

#include "core/undefined_number.h"
#include "local/execution.h"
#include "local/gradient_clipping.h"
#include "local/module_run.h"
#include "local/placed_network.h"
#include "local/stage_parts.h"
#include "local/trained_parts.h"

#include <mlaan/core/random.h>
#include <mlaan/local/stage_schedule.h>
#include <mlaan/nn/reference_kernels_scope.h>

#include <algorithm>
#include <set>
#include <utility>

namespace mlaan {
namespace {

/// Refuses duplicate parameter names, which a checkpoint could not tell apart.
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
  if (takes_any_labels(plan)) {
    if (labels.dim() > 0 && labels.size(0) == images.size(0)) return;
    throw UserError("labels of the batch must have one entry for each of its " +
                    std::to_string(images.size(0)) + " images in their first dimension");
  }
  check_labels(labels, images.size(0), backbone.classes(), "the batch");
  if (labels.is_floating_point()) check_takes_probabilities(plan);
}

/// How many operations read each module's output.
std::vector<std::size_t> count_output_readers(const Schedule& schedule, std::size_t modules) {
  std::vector<std::size_t> readers(modules, 0);
  for (const auto& operation : schedule.operations) {
    for (const auto& resource : operation->access().reads) {
      if (resource.kind == Resource::Kind::output) ++readers[resource.owner];
    }
  }
  return readers;
}

/// Stacks all losses into one tensor; NaN for skipped ones.
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

Engine::Implementation::Implementation(Backbone backbone, Plan plan, EngineOptions options)
    : backbone_(std::move(backbone)),
      plan_(checked(std::move(plan), backbone_)),
      options_(checked(std::move(options), plan_)),
      network_(backbone_, plan_, options_),
      trained_(backbone_, plan_, network_, options_),
      schedule_(whole_schedule()),
      net_stages_(find_net_stages(network_, options_.stages, schedule_)),
      twins_(backbone_, plan_, options_.stages, net_stages_, options_.twin_delay),
      part_stages_(find_part_stages(network_, options_.stages, net_stages_)) {
  take_part_of_stage();
}

void Engine::Implementation::set_recompute(std::vector<Recompute> modules,
                                           std::vector<Recompute> nets) {
  finish_steps();
  plan_.recompute = std::move(modules);
  plan_.recompute_nets = std::move(nets);
  check(plan_, backbone_);
  network_.set_recompute(backbone_, plan_);
  schedule_ = whole_schedule();
  take_part_of_stage();
}

void Engine::Implementation::set_order(const std::vector<std::size_t>& order) {
  if (!options_.stages.is_one()) throw Error("the order of operations cannot be set in stages");
  schedule_ = in_order(schedule_, order);
}

StepResult Engine::Implementation::step(const torch::Tensor& images, const torch::Tensor& labels,
                                        const torch::Tensor& net_labels) {
  const std::int64_t parts = std::min(options_.micro_batches, labels.size(0));
  StepResult result;
  if (parts <= 1) {
    result = run(images, labels, net_labels, settings(/*update=*/true, share_, 0));
  } else {
    result = accumulate_parts(images, labels, net_labels, parts);
    update();
  }
  ++steps_done_;
  return result;
}

StepResult Engine::Implementation::accumulate(const torch::Tensor& images,
                                              const torch::Tensor& labels) {
  StepResult result = run(images, labels, {}, settings(/*update=*/false, share_, 0));
  ++steps_done_;
  return result;
}

void Engine::Implementation::update() {
  or_abandon([&] {
    Pass none;
    none.settings = settings(/*update=*/true, 1, 0);
    none.settings.computes = false;
    execute_pass(std::move(none));
  });
}

void Engine::Implementation::finish_steps() {
  if (!unfinished_) return;
  or_abandon([&] {
    const DefaultGeneratorGuard generator(options_.device);
    for (std::size_t i = 0; i < late_.size(); ++i) execute_late(i);
    unfinished_.reset();
  });
}

torch::Tensor Engine::Implementation::predict(const torch::Tensor& images) {
  finish_steps();
  const torch::NoGradGuard no_grad;
  const ReferenceKernelsScope kernels(options_.reference_kernels);
  set_training(backbone_, network_, false);
  return backbone_.forward(network_.place_images(images));
}

void Engine::Implementation::set_learning_rate(double lr) {
  // Late updates of a pass without a learning rate of its own would otherwise use the new one.
  if (!learning_rate_) finish_steps();
  learning_rate_ = lr;
  trained_.set_learning_rate(plan_, lr);
}

bool Engine::Implementation::reads_images() const {
  if (options_.stages.own == 0) return true;
  return std::any_of(schedule_.evaluations.begin(), schedule_.evaluations.end(),
                     [&](const auto& evaluation) {
                       return net_stages_[evaluation.net] == options_.stages.own &&
                              (evaluation.loss->reads == LossReads::images ||
                               evaluation.loss->reads == LossReads::anything);
                     });
}

void Engine::Implementation::set_progress(double progress) {
  progress_ = progress;
  set_weights(schedule_, plan_, progress_);
}

std::vector<NamedTensor> Engine::Implementation::named_parameters() const {
  return mlaan::named_parameters(backbone_, plan_);
}

Plan Engine::Implementation::checked(Plan plan, const Backbone& backbone) {
  check(plan, backbone);
  check_names_differ(mlaan::named_parameters(backbone, plan));
  return plan;
}

EngineOptions Engine::Implementation::checked(EngineOptions options, const Plan& plan) {
  check_goes_in_stages(options, plan);
  if ((options.joint_statistics || options.joint_losses) && options.peers == nullptr) {
    throw Error("joint_statistics and joint_losses need peers, the processes to see images of");
  }
  return options;
}

Schedule Engine::Implementation::whole_schedule() const {
  const bool clips_together = options_.clip_grad > 0 && is_trained_as_one(plan_);
  return mlaan::make_schedule(plan_, network_.part_facts(plan_),
                              options_.fused_update && !clips_together);
}

void Engine::Implementation::take_part_of_stage() {
  late_.assign(schedule_.operations.size(), false);
  if (!options_.stages.is_one()) {
    StageSchedule of_stage = make_stage_schedule(schedule_, options_.stages, twins_.followed(),
                                                 options_.twin_delay, options_.overlaps_steps);
    schedule_.operations = std::move(of_stage.operations);
    late_ = std::move(of_stage.late);
  }
  set_weights(schedule_, plan_, progress_);
  output_readers_ = count_output_readers(schedule_, network_.modules().size());
}

StepResult Engine::Implementation::accumulate_parts(const torch::Tensor& images,
                                                    const torch::Tensor& labels,
                                                    const torch::Tensor& net_labels,
                                                    std::int64_t parts) {
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
            settings(/*update=*/false, share * share_, static_cast<std::int64_t>(i)));
    whole.losses = i == 0 ? part.losses * share : whole.losses + part.losses * share;
    if (part.logits.defined()) logits.push_back(part.logits);
  }
  if (!logits.empty()) whole.logits = torch::cat(logits);
  return whole;
}

StepResult Engine::Implementation::run(const torch::Tensor& images, const torch::Tensor& labels,
                                       const torch::Tensor& net_labels,
                                       const PassSettings& settings) {
  check_batch(plan_, backbone_, images, labels);
  check_batch(plan_, backbone_, images, net_labels);
  // Not in the constructor: weights that are loaded before the first step may make twins differ.
  if (!twins_share_memory_) twins_.share_memory();
  twins_share_memory_ = true;
  set_training(backbone_, network_, true);
  const DefaultGeneratorGuard generator(options_.device);
  StepResult result;
  or_abandon([&] {
    const Results results = execute_pass(make_pass(images, labels, net_labels, settings));
    result = {gather(results.losses, network_.tensor_options()), results.logits};
  });
  return result;
}

Engine::Implementation::Results Engine::Implementation::execute_pass(Pass pass) {
  Execution execution{options_, schedule_, network_, trained_, twins_, pass};
  const auto& observer = pass.settings.computes ? observer_ : nobody_;
  for (std::size_t i = 0; i < late_.size(); ++i) {
    if (late_[i]) {
      execute_late(i);
    } else {
      execute(*schedule_.operations[i], execution, observer);
    }
  }
  const bool is_stage = !options_.stages.is_one();
  if (pass.settings.update && !is_stage) {
    trained_.finish_update();
    twins_.follow_all();
  }
  Results results{std::move(pass.losses), std::move(pass.logits)};
  unfinished_.reset();
  const bool leaves_some = std::find(late_.begin(), late_.end(), true) != late_.end();
  // Late operations need neither images nor labels.
  pass.targets = pass.net_targets = {};
  if (leaves_some) unfinished_.emplace(std::move(pass));
  return results;
}

void Engine::Implementation::execute_late(std::size_t i) {
  if (!late_[i] || !unfinished_) return;
  const auto& operation = *schedule_.operations[i];
  const auto rate = unfinished_->settings.learning_rate;
  const bool is_other = operation.activity() == Activity::update && rate != learning_rate_;
  if (is_other) trained_.set_learning_rate(plan_, *rate);
  Execution execution{options_, schedule_, network_, trained_, twins_, *unfinished_};
  execute(operation, execution, observer_);
  if (is_other) trained_.set_learning_rate(plan_, *learning_rate_);
}

PassSettings Engine::Implementation::settings(bool update, double share,
                                              std::int64_t micro_batch) const {
  const std::int64_t drawn = draw(micro_batch, options_.replica, options_.replicas);
  // Processes that wait for each other within a pass must evaluate the same supervisions.
  const bool is_joint = options_.joint_statistics || options_.joint_losses;
  return {update,
          share,
          drawn,
          is_joint ? draw(micro_batch, /*replica=*/0, /*replicas=*/1) : drawn,
          /*computes=*/true,
          learning_rate_};
}

Pass Engine::Implementation::make_pass(const torch::Tensor& images, const torch::Tensor& labels,
                                       const torch::Tensor& net_labels,
                                       const PassSettings& settings) const {
  Pass pass;
  pass.settings = settings;
  pass.targets = {labels.to(options_.device),
                  reads_images() ? network_.place_images(images) : torch::Tensor()};
  pass.net_targets = pass.targets;
  if (net_labels.defined()) pass.net_targets.labels = net_labels.to(options_.device);
  pass.input_dtype = network_.dtype();
  for (const auto& module : network_.modules()) pass.modules.emplace_back(module);
  for (const auto readers : output_readers_) pass.outputs.emplace_back(readers);
  pass.cotangents.resize(network_.modules().size());
  pass.losses.resize(plan_.supervisions.size());
  return pass;
}

std::int64_t Engine::Implementation::draw(std::int64_t micro_batch, std::int64_t replica,
                                          std::int64_t replicas) const {
  return (steps_done_ * replicas + replica) * options_.micro_batches + micro_batch;
}

}  // namespace mlaan
