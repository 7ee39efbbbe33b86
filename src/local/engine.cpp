// The engine: runs any supervision plan, every module forward once a step.
#include "core/autocast_scope.h"
#include "core/sole_owner.h"
#include "core/undefined_number.h"
#include "local/cotangents.h"
#include "local/gradient_clipping.h"
#include "local/gradient_tap.h"
#include "local/layer_decay.h"
#include "local/linear_reading.h"
#include "local/loss_scale.h"
#include "local/module_run.h"
#include "local/random_streams.h"
#include "local/recomputed_unit.h"

#include <mlaan/core/random.h>
#include <mlaan/local/engine.h>
#include <mlaan/measure/memory.h>

#include <c10/core/ScalarType.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <set>
#include <utility>

namespace mlaan {
namespace {

bool any_trainable(const std::vector<NamedTensor>& parameters) {
  for (const auto& named : parameters) {
    if (named.tensor.requires_grad()) return true;
  }
  return false;
}

std::vector<NamedTensor> trainable(const std::vector<NamedTensor>& parameters) {
  std::vector<NamedTensor> selected;
  for (const auto& named : parameters) {
    if (named.tensor.requires_grad()) selected.push_back(named);
  }
  return selected;
}

std::vector<torch::Tensor> tensors_of(const std::vector<NamedTensor>& named) {
  std::vector<torch::Tensor> tensors;
  tensors.reserve(named.size());
  for (const auto& item : named) tensors.push_back(item.tensor);
  return tensors;
}

/// Of a part, to be changed in place: what others see too is copied first.
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

std::size_t count_updates(const Schedule& schedule) {
  return static_cast<std::size_t>(std::count_if(
      schedule.operations.begin(), schedule.operations.end(),
      [](const Operation& operation) { return std::holds_alternative<Update>(operation); }));
}

void mark_gradients(const std::vector<torch::Tensor>& parameters) {
  for (const auto& parameter : parameters) {
    measure::mark(parameter.grad(), measure::MemoryKind::gradients);
  }
}

/// Refuses parameters that two parts would both step, and names that a checkpoint could not tell
/// apart.
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

void check_names_differ(const std::vector<NamedTensor>& parameters) {
  std::set<std::string> names;
  for (const auto& named : parameters) {
    if (!names.insert(named.name).second) {
      throw UserError("two parameters are called '" + named.name +
                      "'; give the auxiliary nets names of their own");
    }
  }
}

}  // namespace

class Engine::Implementation {
 public:
  Implementation(Backbone backbone, Plan plan, EngineOptions options)
      : backbone_(std::move(backbone)),
        plan_(std::move(plan)),
        options_(std::move(options)),
        nets_(nets(plan_)) {
    check(plan_, backbone_);
    check_names_differ(named_parameters());
    place();
    check_precisions();
    if (options_.precision == Precision::float16 && !options_.loss_scale) {
      options_.loss_scale.emplace();
    }
    if (options_.loss_scale) loss_scale_.emplace(*options_.loss_scale);
    arrange();
    for (std::size_t j = 0; j < modules_.size(); ++j) {
      add_part("module " + std::to_string(j + 1), modules_[j].named_parameters(),
               depth_factors(backbone_, plan_, j, options_.layer_decay));
    }
    for (const auto& net : nets_) {
      const double factor = depth_factor_of_net(backbone_, plan_, *net, options_.layer_decay);
      add_part(net->name().empty() ? "head" : net->name(), trainable(net->named_parameters()),
               [factor](const torch::Tensor&) { return factor; });
      net_parameters_.push_back(tensors_of(parts_.back().parameters));
    }
    check_parts_are_disjoint(parts_);
  }

  void set_recompute(std::vector<Recompute> modules, std::vector<Recompute> nets) {
    plan_.recompute = std::move(modules);
    plan_.recompute_nets = std::move(nets);
    check(plan_, backbone_);
    arrange();
  }

  /// Makes the modules' runs and the schedule, as the plan asks for them.
  void arrange() {
    modules_.clear();
    Trainable trains;
    for (std::size_t j = 0; j < plan_.partition.size(); ++j) {
      const Recompute recompute = recompute_of_module(plan_, j);
      std::vector<bool> overwrites_input;
      std::vector<bool> recomputed;
      for (auto i = plan_.partition.first_unit(j); i <= plan_.partition.last_unit(j); ++i) {
        backbone_.units()[i].set_rebuilds(recompute == Recompute::activations ||
                                          recompute == Recompute::units);
        overwrites_input.push_back(backbone_.overwrites_input(i));
        const bool before_blocks = i + backbone_.block_count() < backbone_.size();
        recomputed.push_back(recompute == Recompute::units ||
                             (recompute == Recompute::activations && before_blocks));
      }
      modules_.emplace_back(module_units(plan_, backbone_, j), std::move(overwrites_input),
                            std::move(recomputed), options_.device);
      trains.modules.push_back(!modules_.back().parameters().empty());
    }
    for (std::size_t n = 0; n < nets_.size(); ++n) {
      const auto& net = nets_[n];
      const Recompute recompute = recompute_of_net(plan_, n);
      for (const auto& unit : net->units()) {
        unit.set_rebuilds(recompute == Recompute::activations || recompute == Recompute::units);
      }
      trains.nets.push_back(any_trainable(net->named_parameters()));
    }
    const bool clips_together = options_.clip_grad > 0 && is_trained_as_one(plan_);
    schedule_ = make_schedule(plan_, trains, options_.fused_update && !clips_together);
    if (clips_together) updated_together_ = count_updates(schedule_);
    set_weights(schedule_, plan_, progress_);
    cotangents_.resize(modules_.size());
  }

  StepResult step(const torch::Tensor& images, const torch::Tensor& labels,
                  const torch::Tensor& net_labels) {
    const std::int64_t parts = std::min(options_.micro_batches, labels.size(0));
    if (parts <= 1) {
      StepResult result = run(images, labels, net_labels, Pass{});
      ++steps_done_;
      return result;
    }
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
      const StepResult part = run(image_parts[i], label_parts[i], net_label_parts[i],
                                  {/*update=*/false, share, static_cast<std::int64_t>(i)});
      whole.losses = i == 0 ? part.losses * share : whole.losses + part.losses * share;
      logits.push_back(part.logits);
    }
    whole.logits = torch::cat(logits);
    update();
    ++steps_done_;
    return whole;
  }

  StepResult accumulate(const torch::Tensor& images, const torch::Tensor& labels) {
    StepResult result = run(images, labels, {}, {/*update=*/false});
    ++steps_done_;
    return result;
  }

  /// How a batch is run.
  struct Pass {
    bool update = true;
    double share = 1;         ///< factor on all gradients
    std::int64_t number = 0;  ///< of the micro-batch within the step
  };

  StepResult run(const torch::Tensor& images, const torch::Tensor& labels,
                 const torch::Tensor& net_labels, const Pass& pass) {
    for (const auto& given : {labels, net_labels}) {
      if (!given.defined()) continue;
      check_labels(given, images.size(0), backbone_.classes(), "the batch");
      if (given.is_floating_point()) check_takes_probabilities(plan_);
    }
    pass_ = pass;
    // Not before: weights that are loaded first may set twins apart.
    if (!twins_share_memory_) share_memory(plan_.averages);
    twins_share_memory_ = true;
    set_training(true);
    const DefaultGeneratorGuard generator(options_.device);
    targets_ = {labels.to(options_.device), place_input(images)};
    net_targets_ = targets_;
    if (net_labels.defined()) net_targets_.labels = net_labels.to(options_.device);
    boundary_ = targets_.images;
    boundary_dtype_ = dtype_;
    losses_.assign(plan_.supervisions.size(), torch::Tensor());
    logits_ = torch::Tensor();
    or_abandon([&] {
      for (const auto& operation : schedule_.operations) {
        if (!pass.update && std::holds_alternative<Update>(operation)) continue;
        std::visit([this](const auto& some) { execute(some); }, operation);
        if (observer_) observer_(operation);
      }
      if (pass.update) finish_update();
    });
    boundary_ = torch::Tensor();
    targets_ = {};
    net_targets_ = {};
    return {gather_losses(), std::exchange(logits_, torch::Tensor())};
  }

  void update() {
    or_abandon([&] {
      for (const auto& operation : schedule_.operations) {
        if (const auto* update = std::get_if<Update>(&operation)) execute(*update);
      }
      finish_update();
    });
  }

  torch::Tensor predict(const torch::Tensor& images) {
    const torch::NoGradGuard no_grad;
    set_training(false);
    return backbone_.forward(place_input(images));
  }

  void set_learning_rate(double lr) {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      if (!parts_[i].optimizer) continue;
      const double factor =
          i < modules_.size() ? 1 : learning_rate_of_net(plan_, i - modules_.size());
      auto& groups = parts_[i].optimizer->param_groups();
      for (std::size_t g = 0; g < groups.size(); ++g) {
        const double of_depth = g < depth_factors_[i].size() ? depth_factors_[i][g] : 1;
        groups[g].options().set_lr(factor * of_depth * lr);
      }
    }
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
  EngineOptions options_;
  Schedule schedule_;
  std::vector<TrainedPart> parts_;  ///< modules, then nets
  std::int64_t steps_done_ = 0;
  std::optional<LossScale> loss_scale_;
  std::function<void(const Operation&)> observer_;

 private:
  /// Moves all parameters and buffers to their device and memory format.
  void place() {
    const torch::NoGradGuard no_grad;
    backbone_.to(options_.device);
    for (const auto& net : nets_) net->to(options_.device);
    for (const auto& named : named_parameters()) {
      if (named.tensor.dim() == 4) {
        named.tensor.set_data(named.tensor.contiguous(options_.memory_format));
      }
      measure::mark(named.tensor, measure::MemoryKind::parameters);
    }
    for (const auto& named : named_buffers()) {
      measure::mark(named.tensor, measure::MemoryKind::parameters);
    }
    const auto parameters = backbone_.named_parameters();
    dtype_ = parameters.empty() ? torch::kFloat32 : parameters[0].tensor.scalar_type();
  }

  void check_precisions() const {
    check_precision(options_.precision, options_.device);
    if (options_.precision != Precision::float32 && dtype_ != torch::kFloat32) {
      throw UserError(
          "engine.precision = \"" + to_string(options_.precision) +
          "\" needs a network in float32, for its parameters stay in that; this one is " + "in " +
          c10::toString(dtype_));
    }
    const bool known =
        options_.boundaries == Precision::float32 || options_.boundaries == Precision::bfloat16;
    if (!known ||
        (options_.precision == Precision::float16 && options_.boundaries == Precision::bfloat16)) {
      throw UserError("engine.boundaries = \"" + to_string(options_.boundaries) +
                      "\" cannot go with engine.precision = \"" + to_string(options_.precision) +
                      "\"; accepted: float32, which keeps them as the modules give them" +
                      (known ? "" : ", bfloat16"));
    }
  }

  torch::Tensor place_input(const torch::Tensor& images) const {
    const auto format =
        images.dim() == 4 ? options_.memory_format : torch::MemoryFormat::Contiguous;
    return images.to(backbone_options(), /*non_blocking=*/true, /*copy=*/false, format);
  }

  /// \param depth_factor of a parameter, on its learning rate.
  void add_part(const std::string& name, std::vector<NamedTensor> parameters,
                const std::function<double(const torch::Tensor&)>& depth_factor) {
    std::unique_ptr<torch::optim::Optimizer> optimizer;
    if (!parameters.empty()) optimizer = options_.optimizer(tensors_of(parameters));
    depth_factors_.emplace_back();
    if (optimizer && options_.layer_decay != 1) {
      depth_factors_.back() = scale_learning_rates(*optimizer, depth_factor);
    } else if (optimizer) {
      depth_factors_.back().assign(optimizer->param_groups().size(), 1);
    }
    parts_.push_back({name, std::move(parameters), std::move(optimizer)});
  }

  void set_training(bool on) {
    backbone_.train(on);
    for (const auto& net : nets_) net->train(on);
  }

  /// Does a part of a step. Where it throws - a user's loss, memory that runs out - all that the
  /// step has left is dropped, gradients included, so that nothing of it is added to the next one.
  template <class Work>
  void or_abandon(const Work& work) {
    try {
      work();
    } catch (...) {
      for (auto& module : modules_) module.release();
      cotangents_ = std::vector<Cotangents>(modules_.size());
      trunk_.reset();
      complete_.clear();
      losses_.clear();
      logits_ = boundary_ = torch::Tensor();
      targets_ = net_targets_ = {};
      for (const auto& part : parts_) drop_gradients(part);
      if (loss_scale_) loss_scale_->forget_step();
      throw;
    }
  }

  void execute(const RunModule& run) {
    const AutocastScope scope(options_.device, options_.precision);
    boundary_ =
        modules_[run.module].forward(boundary_, boundary_dtype_, run, stream_of(run.module));
    boundary_dtype_ = boundary_.scalar_type();
    const bool travels_on = run.module + 1 < modules_.size();
    if (options_.boundaries != Precision::float32 && travels_on && boundary_.is_floating_point()) {
      boundary_ = boundary_.to(dtype_of(options_.boundaries));
    }
  }

  torch::Tensor read(const torch::Tensor& input, LinearReading& reading) const {
    const AutocastScope scope(options_.device, options_.precision);
    return reading.read(input);
  }

  void execute(const Evaluate& evaluate) {
    const Evaluation& evaluation = schedule_.evaluations[evaluate.evaluation];
    if (evaluation.weight == 0) return;
    if (evaluation.trunk ? !trunk_ : !is_evaluated_now(evaluation, evaluation.net)) return;
    const auto reading = std::make_shared<LinearReading>(nets_[evaluation.net]->units());
    const GradientTap input(
        read(trunk_ ? trunk_->output : boundary_.to(boundary_dtype_), *reading));
    torch::Tensor output =
        run_net(evaluation.net, evaluation.module, input.tensor(), reading->size());
    if (options_.precision != Precision::float32) output = output.to(dtype_);
    const bool by_head = nets_[evaluation.net] == backbone_.head();
    const torch::Tensor loss = evaluation.loss->function(output, by_head ? targets_ : net_targets_);
    for (const auto supervision : evaluation.supervisions) losses_[supervision] = loss.detach();
    if (by_head) logits_ = output.detach();
    output = torch::Tensor();
    // Nothing reads the last module's output after the last evaluation.
    if (evaluate.evaluation + 1 == schedule_.evaluations.size()) boundary_ = torch::Tensor();
    const double scale = loss_scale_ ? loss_scale_->value() : 1;
    torch::autograd::backward(
        {loss},
        {torch::full_like(loss, scale * pass_.share * evaluation.weight / evaluation.probability)});
    mark_gradients(net_parameters_[evaluation.net]);
    (trunk_ ? trunk_->cotangents : cotangents_[evaluation.module])
        .add(evaluation, input.take(), reading->size() > 0 ? reading : nullptr);
  }

  /// Whether chance has this evaluation take place in this step. \param net that the draw is of.
  bool is_evaluated_now(const Evaluation& evaluation, std::size_t net) const {
    return is_evaluated(evaluation.probability, options_.seed, nets_[net]->name(),
                        evaluation.module, draw());
  }

  /// Runs a net on what it reads.
  /// \param first_unit of those to run: what is given is the output of the one before.
  torch::Tensor run_net(std::size_t index, std::size_t module, const torch::Tensor& input,
                        std::size_t first_unit = 0) {
    const AuxiliaryNet& net = *nets_[index];
    seed_default_generator(options_.device, net_stream(options_.seed, net.name(), module, draw()));
    const auto version = input._version();
    const AutocastScope scope(options_.device, options_.precision);
    const bool recomputed = recompute_of_net(plan_, index) == Recompute::units;
    torch::Tensor output = input;
    for (std::size_t i = first_unit; i < net.units().size(); ++i) {
      const Unit& unit = net.units()[i];
      output = recomputed ? run_recomputed(unit, output) : unit.forward(std::move(output));
    }
    if (input._version() != version) {
      throw UserError("auxiliary net '" + net.name() +
                      "' changes its input in place; let its first operation be one that is not");
    }
    return output;
  }

  void execute(const RunTrunk& run) {
    const auto reader = std::find_if(schedule_.evaluations.begin(), schedule_.evaluations.end(),
                                     [&](const auto& evaluation) {
                                       return evaluation.module == run.module &&
                                              evaluation.trunk == run.net && evaluation.weight > 0;
                                     });
    if (reader == schedule_.evaluations.end() || !is_evaluated_now(*reader, run.net)) return;
    TrunkRun trunk;
    trunk.input = GradientTap(boundary_.to(boundary_dtype_));
    trunk.output = run_net(run.net, run.module, trunk.input.tensor());
    trunk_ = std::move(trunk);
  }

  void execute(const TrunkProduct& product) {
    if (!trunk_) return;
    TrunkRun trunk = *std::exchange(trunk_, std::nullopt);
    auto destinations = accumulation_edges(net_parameters_[product.net]);
    destinations.push_back(trunk.input.edge());
    for (const auto start : product.starts) {
      const bool stops_here = start == product.module;
      torch::Tensor cotangent;
      if (stops_here) {
        cotangent = trunk.cotangents.take_sum();
      } else {
        trunk.cotangents.take_group(start).add_to(cotangent);
      }
      if (!cotangent.defined()) continue;
      send_back(trunk.output, std::move(cotangent), /*keep_graph=*/start != product.starts.back(),
                destinations);
      Cotangents& here = cotangents_[product.module];
      if (stops_here) {
        here.add_to_sum({trunk.input.take(), nullptr});
      } else {
        here.add_to_group(start, {trunk.input.take(), nullptr});
      }
    }
    mark_gradients(net_parameters_[product.net]);
  }

  void execute(const Rebuild& rebuild) {
    const AutocastScope scope(options_.device, options_.precision);
    modules_[rebuild.module].rebuild(stream_of(rebuild.module));
  }

  void execute(const Product& product) {
    ModuleRun& module = modules_[product.module];
    Cotangents& here = cotangents_[product.module];
    Cotangent cotangent =
        product.of_group ? here.take_group(product.start) : Cotangent{here.take_sum(), nullptr};
    Cotangent kept;
    if (product.of_group && !product.parameters && !module.parameters().empty()) kept = cotangent;
    torch::Tensor passed_on = module.product(std::move(cotangent), product, kept.defined());
    // Not before the product: until here one of the two may be a broadcast without memory.
    here.add_to_sum(std::move(kept));
    if (product.parameters) mark_gradients(module.parameters());
    if (product.last) module.release();
    if (passed_on.defined()) {
      const std::size_t before = product.module - 1;
      if (product.start == before) {
        cotangents_[before].add_to_sum({std::move(passed_on), nullptr});
      } else {
        cotangents_[before].add_to_group(product.start, {std::move(passed_on), nullptr});
      }
    }
  }

  void execute(const Update& update) {
    TrainedPart& part = parts_[update.of_net ? modules_.size() + update.index : update.index];
    complete_.push_back(&part);
    if (complete_.size() == updated_together_) update_complete();
  }

  /// Steps the parts whose gradients are complete. All gradients pass here, and nowhere else, on
  /// their way from the backward pass to the optimizers.
  void update_complete() {
    std::vector<TrainedPart*> stepped;
    for (auto* part : std::exchange(complete_, {})) {
      if (!loss_scale_ || loss_scale_->unscale(own_gradients(*part))) {
        stepped.push_back(part);
      } else {
        drop_gradients(*part);
      }
    }
    if (options_.clip_grad > 0) clip(stepped);
    for (auto* part : stepped) {
      if (options_.before_update) options_.before_update(*part);
      const measure::MemoryKindScope kind(measure::MemoryKind::optimizer_state);
      part->optimizer->step();
      drop_gradients(*part);
    }
  }

  /// As one vector. The optimizers use up gradients that nobody holds, so nothing here does.
  void clip(const std::vector<TrainedPart*>& parts) const {
    std::vector<torch::Tensor> gradients;
    for (const auto* part : parts) {
      for (auto& gradient : own_gradients(*part)) gradients.push_back(std::move(gradient));
    }
    clip_norm(gradients, options_.clip_grad);
  }

  void finish_update() {
    mlaan::update(plan_.averages);
    if (loss_scale_) loss_scale_->finish_step();
  }

  torch::Tensor gather_losses() {
    std::vector<torch::Tensor> losses;
    losses.reserve(losses_.size());
    for (auto& loss : losses_) {
      losses.push_back(loss.defined() ? loss.to(dtype_)
                                      : torch::full({}, undefined_number, backbone_options()));
    }
    losses_.clear();
    return torch::stack(losses);
  }

  std::uint64_t stream_of(std::size_t module) const {
    return module_stream(options_.seed, module, draw());
  }

  /// What numbers the step's random draws: every micro-batch has draws of its own.
  std::int64_t draw() const { return steps_done_ * options_.micro_batches + pass_.number; }

  torch::TensorOptions backbone_options() const {
    return torch::TensorOptions(options_.device).dtype(dtype_);
  }

  std::vector<std::shared_ptr<const AuxiliaryNet>> nets_;
  std::vector<std::vector<torch::Tensor>> net_parameters_;
  std::vector<ModuleRun> modules_;
  torch::Dtype dtype_ = torch::kFloat32;
  double progress_ = 0;
  bool twins_share_memory_ = false;
  std::size_t updated_together_ = 1;  ///< parts whose gradients are clipped as one vector
  std::vector<std::vector<double>> depth_factors_;  ///< of each part's groups of parameters

  /// A trunk between its forward pass and its backward pass.
  struct TrunkRun {
    GradientTap input;
    torch::Tensor output;
    Cotangents cotangents;  ///< at its output
  };

  // What is alive within a step.
  Pass pass_;
  Targets targets_;                ///< of the backbone's own head
  Targets net_targets_;            ///< of auxiliary nets
  torch::Tensor boundary_;         ///< output of the module that ran last, detached
  torch::Dtype boundary_dtype_{};  ///< that the module gave it in
  std::vector<Cotangents> cotangents_;
  std::optional<TrunkRun> trunk_;  ///< that the next evaluations read
  std::vector<torch::Tensor> losses_;
  torch::Tensor logits_;
  std::vector<TrainedPart*> complete_;  ///< parts that wait to be updated
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
  implementation_->set_learning_rate(lr);
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
  const auto& scale = implementation_->loss_scale_;
  return scale ? scale->state() : std::vector<NamedTensor>();
}
void Engine::set_loss_scale_state(const std::vector<NamedTensor>& state) {
  if (implementation_->loss_scale_) implementation_->loss_scale_->set_state(state);
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
  return implementation_->parts_;
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

void Engine::set_observer(std::function<void(const Operation&)> observer) {
  implementation_->observer_ = std::move(observer);
}

}  // namespace mlaan
