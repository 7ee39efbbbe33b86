// The implementation of Engine: a network, its trained parts, a schedule, and passes through it.
#pragma once

#include "local/execution.h"
#include "local/stage_parts.h"

#include <mlaan/local/engine.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace mlaan {

/// The public functions are those of Engine.
class Engine::Implementation {
 public:
  Implementation(Backbone backbone, Plan plan, EngineOptions options);

  void set_recompute(std::vector<Recompute> modules, std::vector<Recompute> nets);

  void set_order(const std::vector<std::size_t>& order);

  StepResult step(const torch::Tensor& images, const torch::Tensor& labels,
                  const torch::Tensor& net_labels);

  StepResult accumulate(const torch::Tensor& images, const torch::Tensor& labels);

  void update();

  void finish_steps();

  torch::Tensor predict(const torch::Tensor& images);

  void set_learning_rate(double lr);

  bool reads_images() const;

  void set_progress(double progress);

  std::vector<NamedTensor> named_parameters() const;
  std::vector<NamedTensor> named_buffers() const { return mlaan::named_buffers(backbone_, plan_); }

  Backbone backbone_;
  Plan plan_;
  const EngineOptions options_;
  PlacedNetwork network_;
  TrainedParts trained_;
  Schedule schedule_;  ///< of all stages until take_part_of_stage(), then of the own one
  std::vector<std::size_t> net_stages_;
  FollowingTwins twins_;
  std::vector<std::size_t> part_stages_;
  std::int64_t steps_done_ = 0;
  double share_ = 1;
  OperationObserver observer_;

 private:
  static Plan checked(Plan plan, const Backbone& backbone);

  static EngineOptions checked(EngineOptions options, const Plan& plan);

  Schedule whole_schedule() const;

  /// Reduces the schedule to the operations of the own stage.
  void take_part_of_stage();

  StepResult accumulate_parts(const torch::Tensor& images, const torch::Tensor& labels,
                              const torch::Tensor& net_labels, std::int64_t parts);

  StepResult run(const torch::Tensor& images, const torch::Tensor& labels,
                 const torch::Tensor& net_labels, const PassSettings& settings);

  struct Results {
    std::vector<torch::Tensor> losses;  ///< one for each supervision
    torch::Tensor logits;
  };

  /// Runs a pass and, among its operations, the late ones of the previous pass. Keeps the pass if
  /// it has late operations itself.
  Results execute_pass(Pass pass);

  /// Runs late operation `i` of the previous pass, at that pass's learning rate.
  void execute_late(std::size_t i);

  PassSettings settings(bool update, double share, std::int64_t micro_batch) const;

  Pass make_pass(const torch::Tensor& images, const torch::Tensor& labels,
                 const torch::Tensor& net_labels, const PassSettings& settings) const;

  /// Runs a part of a step. If it throws (a user's loss fails, memory runs out), drops all
  /// gradients, so that none of them is added to those of the next step.
  template <class Work>
  void or_abandon(const Work& work) {
    try {
      work();
    } catch (...) {
      unfinished_.reset();
      trained_.abandon();
      throw;
    }
  }

  /// The number of a micro-batch of this step from which its random streams are derived.
  std::int64_t draw(std::int64_t micro_batch, std::int64_t replica, std::int64_t replicas) const;

  std::vector<bool> late_;  ///< whether each operation of the schedule is late (see StageSchedule)
  std::optional<Pass> unfinished_;
  std::optional<double> learning_rate_;
  const OperationObserver nobody_;
  double progress_ = 0;
  bool twins_share_memory_ = false;
  std::vector<std::size_t> output_readers_;  ///< how many operations read each module's output
};

}  // namespace mlaan
