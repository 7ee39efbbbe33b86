// The engine: runs any supervision plan, every module forward once a step.
#pragma once

#include <mlaan/core/precision.h>
#include <mlaan/local/optimizer.h>
#include <mlaan/local/plan.h>
#include <mlaan/local/schedule.h>
#include <mlaan/local/stages.h>
#include <mlaan/local/trained_part.h>
#include <mlaan/nn/backbone.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mlaan {

class GradientReducer;

/// How the factor moves that losses are multiplied by ahead of the backward pass.
struct LossScaleOptions {
  double initial = 65536;
  double growth = 2;                    ///< factor, after every `growth_interval` steps …
  std::int64_t growth_interval = 2000;  ///< … in a row whose gradients are all finite
  double backoff = 0.5;                 ///< factor, after a step with gradients that are not
};

struct TrainedPart;

struct EngineOptions {
  /// Makes the optimizer of each module and of each net.
  OptimizerFactory optimizer = sgd();
  /// Step each optimizer, and drop its gradients, as soon as they are complete, instead of all at
  /// the end of the step. The results are the same; the gradients of few modules live at a time.
  bool fused_update = true;
  /// Parts that step() cuts a batch into, one after the other, to save bytes: gradients are those
  /// of the mean over the whole batch, but batch normalisation sees the parts (gradient
  /// accumulation). With more than one, all updates are made at the end of the step.
  std::int64_t micro_batches = 1;
  /// Where to run. The backbone and the nets are moved there.
  torch::Device device = torch::kCPU;
  /// Channels last (N×H×W×C in memory) suits convolutional backbones: faster, and fewer temporary
  /// bytes. Contiguous is safe for any module, also such that use `view`.
  torch::MemoryFormat memory_format = torch::MemoryFormat::Contiguous;
  /// Everything random in a step is a pure function of this, the step's number, and the module or
  /// the net that draws: adding a supervision does not change what the others draw.
  std::uint64_t seed = 0;
  /// Of the forward passes of modules and nets in training; parameters, optimizers' state, losses
  /// and predict() stay in float32. The backward pass follows the types of the forward pass.
  Precision precision = Precision::float32;
  /// Of the tensors that travel from module to module, and are kept as the next module's input.
  /// float32: as the modules give them. bfloat16: rounded; modules and nets compute with the
  /// rounded numbers in the type that the module gave, and cotangents pass the rounding as they
  /// are.
  Precision boundaries = Precision::float32;
  /// Whether layers and losses compute by LibTorch's own operators alone (see
  /// ReferenceKernelsScope): slower, for more bytes, and whatever mlaan's kernels may do wrong.
  bool reference_kernels = false;
  /// Scales losses, all alike, and skips the step of any module or net whose gradients are not
  /// finite. With Precision::float16 there is one in any case; without need for it results are the
  /// same.
  std::optional<LossScaleOptions> loss_scale;
  /// Highest norm of a gradient; 0: any. A longer one is shortened to it before the update, after
  /// micro-batches are summed and the loss scale is taken out. The norm is that of each module and
  /// of each net by itself: under isolation they are updated one after the other, and no norm of
  /// all of them exists. Where one window spans all modules it is of everything together, as usual
  /// in end-to-end training; all updates are then made at the end of the step.
  double clip_grad = 0;
  /// Factor on the learning rate from each unit to the one before it, from 1 at the backbone's own
  /// head on: decay^(N − i) for unit i of 0 … N−1. A net has the factor of the unit that it reads.
  double layer_decay = 1;
  /// Where several processes train on shares of one batch: what exchanges their gradients. The
  /// results are those of one process with as many micro-batches. Null: there is one process.
  std::shared_ptr<GradientReducer> reducer;
  std::int64_t replica = 0;   ///< this process, from 0 …
  std::int64_t replicas = 1;  ///< … of so many, each with random draws of its own
  /// Which modules are trained here, where several processes train some each: the results are those
  /// of one process, on the stage that has a module or a net. Does not go with `reducer`, with a
  /// loss scale, or with clip_grad where one window spans all modules.
  Stages stages;
  /// Lets a stage's step leave to the next one what waits for later stages (see finish_steps()).
  bool overlaps_steps = true;
  /// Steps that twins follow their modules late. Above 0, stages need not wait for the updates of
  /// later ones; one process that follows as late has the same results.
  std::int64_t twin_delay = 0;
  /// Called for each module and net right before its optimizer steps, when its gradients are
  /// complete, unscaled and clipped. Null: nothing.
  std::function<void(const TrainedPart& part)> before_update;
};

/// What a training step gives back.
struct StepResult {
  /// Each supervision's loss, not weighted, in the plan's order, on the engine's device; NaN where
  /// the weight is 0, for good or now, where chance left it out of this step, or where another
  /// stage has it.
  torch::Tensor losses;
  /// Logits of the backbone's own head, before the update: batch × classes. Undefined where another
  /// stage has it.
  torch::Tensor logits;
};

/// Trains a backbone by a plan. The gradients equal those of running every supervision's window by
/// itself, forward from a detached input and backward; but each module runs forward once, and
/// its activations are freed after the last window that it is part of.
///
/// An engine is used by one thread at a time. Copies of the backbone and of the plan share their
/// modules with the engine, so a trained backbone is simply the one handed in.
class Engine {
 public:
  /// \throws UserError if the plan does not fit the backbone (see check(plan, backbone)), if a
  ///         parameter belongs to two modules or nets, if two parameters share a name, or if the
  ///         device cannot compute in the precision.
  Engine(Backbone backbone, Plan plan, EngineOptions options = {});
  ~Engine();
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;

  /// One training step: forward, backward and update.
  /// \param images a batch as the backbone takes it; moved and converted to the parameters' device
  ///        and type.
  /// \param labels int64, one class a sample; or floating, samples × classes, probabilities: of
  ///        mixed pictures, or a teacher's.
  /// \param net_labels what auxiliary nets, all but the backbone's own head, are trained with
  ///        instead; undefined: the same.
  /// \throws UserError for labels of another kind, for a class that is none, and for probabilities
  ///         where a loss of the plan needs classes. Whatever a step throws, its gradients are
  ///         dropped with all that it has computed; modules that were updated before that stay so.
  StepResult step(const torch::Tensor& images, const torch::Tensor& labels,
                  const torch::Tensor& net_labels = {});

  /// Adds the gradients of a batch to those already there, without an update. Where it throws, all
  /// of them are dropped.
  StepResult accumulate(const torch::Tensor& images, const torch::Tensor& labels);
  /// Updates from what accumulate() gathered, and drops the gradients.
  void update();

  /// Does what the last step of a stage has left to the next one, so that all of its updates are
  /// made.
  void finish_steps();

  /// Logits of a batch in evaluation mode, without gradients, by the weights that are here: of
  /// several stages each has its own alone.
  torch::Tensor predict(const torch::Tensor& images);

  /// Of everything; nets have it times their own factor (see Plan::net_learning_rates), and all
  /// times that of their depth (see EngineOptions::layer_decay).
  void set_learning_rate(double lr);

  /// Says how much of the training, or of the phase that the plan is for, is done, from 0 to 1:
  /// what weights that have a course follow. 0 until it is called.
  void set_progress(double progress);

  /// Number of steps done, which with the seed decides all that is random in the next one.
  std::int64_t steps_done() const;
  void set_steps_done(std::int64_t steps);

  /// Everything a checkpoint has to hold of the loss scale, as "loss_scale.…"; nothing where there
  /// is none.
  std::vector<NamedTensor> loss_scale_state() const;
  /// Sets the loss scale, where there is one, to what loss_scale_state() gave; other names are let
  /// pass.
  void set_loss_scale_state(const std::vector<NamedTensor>& state);

  /// What twins that follow late have yet to follow, as "twins.…": of modules that are trained
  /// here.
  std::vector<NamedTensor> twin_state() const;
  /// Takes what twin_state() gave, that of all stages together; other names are let pass.
  void set_twin_state(const std::vector<NamedTensor>& state);

  const Backbone& backbone() const;
  const Plan& plan() const;
  const Schedule& schedule() const;
  const std::vector<TrainedPart>& parts() const;
  const Stages& stages() const;
  /// Whether steps look at the pictures here: the first stage's do, and those with losses of them.
  bool reads_images() const;
  /// The stage of each of parts().
  const std::vector<std::size_t>& part_stages() const;
  /// Parameters and buffers of a stage's modules and nets.
  std::vector<NamedTensor> tensors_of_stage(std::size_t stage) const;

  /// Everything a checkpoint of the weights has to hold: backbone and nets, twins included. From
  /// the first step on, twins that hold the same numbers then and after every update share memory
  /// (see share_memory()), so weights that set them apart have to be loaded before it.
  std::vector<NamedTensor> named_parameters() const;
  std::vector<NamedTensor> named_buffers() const;

  /// Changes what is recomputed: lists as in Plan. Weights, optimizers and random streams stay as
  /// they are, and so do all results.
  void set_recompute(std::vector<Recompute> modules, std::vector<Recompute> nets);

  /// Has steps run their operations in another order than schedule()'s: same results, bit for bit,
  /// other peak memory. Until set_recompute() makes the schedule anew.
  /// \param order indices into schedule().operations.
  /// \throws Error for an order that dependencies() forbids.
  void set_order(const std::vector<std::size_t>& order);

  /// Says what share of the batch that is updated from the next steps' images are: a factor on all
  /// gradients, not on the losses that are given back. 1 until it is called.
  void set_batch_share(double share);

  /// Called after every operation of a step, with the operation: for profiles and tests.
  void set_observer(std::function<void(const Operation&)> observer);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace mlaan
