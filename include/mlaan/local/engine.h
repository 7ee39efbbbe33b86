// The engine: runs any supervision plan, with one forward pass of each module per step.
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

class BatchPeers;
class GradientReducer;

/// How the loss scale adapts, the factor on losses before the backward pass.
struct LossScaleOptions {
  double initial = 65536;
  double growth = 2;                    ///< factor after `growth_interval` finite steps in a row
  std::int64_t growth_interval = 2000;  ///< a step is finite if all of its gradients are
  double backoff = 0.5;                 ///< factor after a step that is not finite
};

struct TrainedPart;

struct EngineOptions {
  /// Makes the optimizer of each module and of each net.
  OptimizerFactory optimizer = sgd();
  /// Whether each optimizer steps, and drops its gradients, as soon as they are complete, instead
  /// of at the end of the step. Results are the same; fewer gradients exist at the same time.
  bool fused_update = true;
  /// Number of micro-batches that step() cuts a batch into and runs one after the other, to save
  /// memory (gradient accumulation). Gradients are those of the mean over the whole batch, but
  /// batch normalisation normalises each micro-batch by itself. With more than one, all updates are
  /// made at the end of the step.
  std::int64_t micro_batches = 1;
  /// Device to run on. The backbone and the nets are moved there.
  torch::Device device = torch::kCPU;
  /// Channels last (N×H×W×C in memory) suits convolutional backbones: it is faster and needs fewer
  /// temporary bytes. Contiguous works for any module, also for those that use `view`.
  torch::MemoryFormat memory_format = torch::MemoryFormat::Contiguous;
  /// Everything random in a step is a pure function of this seed, the step's number, and the module
  /// or net that draws: adding a supervision does not change what the others draw.
  std::uint64_t seed = 0;
  /// Precision of the forward passes of modules and nets in training. Parameters, optimizer state,
  /// losses and predict() stay in float32. The backward pass uses the types of the forward pass.
  Precision precision = Precision::float32;
  /// Precision of the tensors that go from module to module and are kept as the next module's
  /// input. float32: the modules' outputs unchanged. bfloat16: outputs are rounded; modules and
  /// nets convert the rounded values back to the output's type, and cotangents pass the rounding
  /// unchanged.
  Precision boundaries = Precision::float32;
  /// Whether layers and losses use LibTorch's own operators instead of mlaan's kernels (see
  /// ReferenceKernelsScope). They need more time and memory, but exclude errors of mlaan's kernels.
  bool reference_kernels = false;
  /// Multiplies all losses by one adaptive scale, and skips the update of any module or net whose
  /// gradients are not finite. nullopt: no scale, or the default one with Precision::float16. If
  /// all gradients are finite, results are the same without a scale.
  std::optional<LossScaleOptions> loss_scale;
  /// Highest norm of a gradient; 0: no limit. A gradient of a higher norm is scaled down to it
  /// before the update, after micro-batches are summed and the loss scale is divided out. The norm
  /// is taken of each module and each net by itself, since they are updated one after the other,
  /// without a moment at which a joint norm is known. If all windows span all modules, the norm is
  /// of all gradients together, as usual in end-to-end training, and all updates are made at the
  /// end of the step.
  double clip_grad = 0;
  /// Factor on the learning rate from each unit to the one before it, starting with 1 at the
  /// backbone's own head: decay^(N − i) for unit i of 0 … N−1. A net has the factor of the unit
  /// whose output it reads.
  double layer_decay = 1;
  /// Sums gradients over processes that train on shares of one batch (data-parallel training).
  /// Results are those of one process with as many micro-batches. Null: there is one process.
  std::shared_ptr<GradientReducer> reducer;
  /// The processes that `reducer` sums over, for what follows. Null: there is one process.
  std::shared_ptr<BatchPeers> peers;
  /// Whether batch normalisation sees the images of all processes, and whether losses that compare
  /// samples with each other do. With both, and without random draws, results are those of one
  /// process that has the whole batch, to rounding.
  bool joint_statistics = false;
  bool joint_losses = false;
  std::int64_t replica = 0;   ///< index of this process, from 0
  std::int64_t replicas = 1;  ///< number of processes, each with random draws of its own
  /// The modules that this process trains, if several processes train some each. Each stage's
  /// results for its modules and nets are those of one process. Stages cannot be combined with
  /// `reducer`, with a loss scale, or with clip_grad if all windows span all modules.
  Stages stages;
  /// Whether a stage's step may leave operations that wait for later stages to the next step (see
  /// finish_steps()).
  bool overlaps_steps = true;
  /// Number of steps by which twins follow their modules late. Above 0, stages need not wait for
  /// the updates of later stages. One process with the same delay has the same results.
  std::int64_t twin_delay = 0;
  /// Called for each module and net right before its optimizer steps, when its gradients are
  /// complete, unscaled and clipped. Null: not called.
  std::function<void(const TrainedPart& part)> before_update;
};

/// What a training step returns.
struct StepResult {
  /// Each supervision's unweighted loss, in the plan's order, on the engine's device. NaN for a
  /// supervision that this step did not evaluate: its weight is 0, its probability left it out, or
  /// another stage evaluates it.
  torch::Tensor losses;
  /// Logits of the backbone's own head, before the update: batch × classes. Undefined if another
  /// stage has the head.
  torch::Tensor logits;
};

/// Trains a backbone by a plan. The gradients equal those of running every supervision's window by
/// itself, forward from a detached input and backward; but each module runs forward once, and its
/// activations are freed after the last window that contains it.
///
/// Only one thread at a time may use an engine. Copies of the backbone and of the plan share their
/// modules with the engine, so training changes the backbone that was passed in.
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
  /// \param images a batch of the backbone's inputs; moved and converted to the parameters' device
  ///        and type.
  /// \param labels int64, one class per sample; or floating point, samples × classes,
  ///        probabilities: of mixed images, or a teacher's.
  /// \param net_labels labels for the auxiliary nets, that is, all nets but the backbone's own
  ///        head; undefined: `labels`.
  /// \throws UserError for labels of another type or shape, for a class out of range, and for
  ///         probabilities if a loss of the plan needs classes. After any exception, the step's
  ///         gradients and intermediate results are dropped; modules that the step had updated
  ///         before stay updated.
  StepResult step(const torch::Tensor& images, const torch::Tensor& labels,
                  const torch::Tensor& net_labels = {});

  /// Adds the gradients of a batch to those already there, without an update. After an exception
  /// all of them are dropped.
  StepResult accumulate(const torch::Tensor& images, const torch::Tensor& labels);
  /// Updates the parameters by the gradients from accumulate(), and drops the gradients.
  void update();

  /// Runs the operations that a stage's last step left to the next one, so that all of its updates
  /// are made.
  void finish_steps();

  /// Logits of a batch in evaluation mode, without gradients, by this process's weights. A stage
  /// has up-to-date weights of its own modules only.
  torch::Tensor predict(const torch::Tensor& images);

  /// Sets the learning rate of everything, multiplied by each net's own factor (see
  /// Plan::net_learning_rates) and by the factor of the depth (see EngineOptions::layer_decay).
  void set_learning_rate(double lr);

  /// Sets the share of the training, or of the plan's phase, that is done, from 0 to 1. Supervision
  /// weights that are not constant depend on it. 0 until it is called.
  void set_progress(double progress);

  /// Number of steps done, which with the seed determines everything random in the next step.
  std::int64_t steps_done() const;
  void set_steps_done(std::int64_t steps);

  /// The loss scale's state for a checkpoint, named "loss_scale.…"; empty if there is no scale.
  std::vector<NamedTensor> loss_scale_state() const;
  /// Restores the loss scale, if there is one, from the result of loss_scale_state(); ignores other
  /// names.
  void set_loss_scale_state(const std::vector<NamedTensor>& state);

  /// Past parameters that delayed twins have yet to follow, named "twins.…", of the modules that
  /// this process trains.
  std::vector<NamedTensor> twin_state() const;
  /// Restores the results of twin_state() of all stages together; ignores other names.
  void set_twin_state(const std::vector<NamedTensor>& state);

  const Backbone& backbone() const;
  const Plan& plan() const;
  const Schedule& schedule() const;
  const std::vector<TrainedPart>& parts() const;
  const Stages& stages() const;
  /// Whether this process's steps read the images: those of the first stage do, and those of stages
  /// with losses that may compare with images.
  bool reads_images() const;
  /// The stage of each element of parts().
  const std::vector<std::size_t>& part_stages() const;
  /// Parameters and buffers of a stage's modules and nets.
  std::vector<NamedTensor> tensors_of_stage(std::size_t stage) const;

  /// All weights for a checkpoint: of the backbone and the nets, twins included. From the first
  /// step on, twins that have equal values then and after every update share memory (see
  /// share_memory()), so weights that give them different values have to be loaded before the first
  /// step.
  std::vector<NamedTensor> named_parameters() const;
  std::vector<NamedTensor> named_buffers() const;

  /// Changes what is recomputed, with lists as in Plan. Weights, optimizers, random streams and
  /// results stay the same.
  void set_recompute(std::vector<Recompute> modules, std::vector<Recompute> nets);

  /// Makes steps run schedule()'s operations in another order. Results stay the same, bit for bit;
  /// the peak memory may change. set_recompute() restores the default order.
  /// \param order indices into schedule().operations.
  /// \throws Error for an order that violates dependencies(), and if there are several stages.
  void set_order(const std::vector<std::size_t>& order);

  /// Sets the share of the updated batch that the next steps' images make up: a factor on all
  /// gradients, but not on the returned losses. 1 until it is called.
  void set_batch_share(double share);

  /// Sets a function to be called with every operation of a step after it ran, for profiles and
  /// tests.
  void set_observer(std::function<void(const Operation&)> observer);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace mlaan
