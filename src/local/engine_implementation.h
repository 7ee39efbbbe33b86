// What an Engine is made of: a network, its trained parts, a schedule, and passes through it.
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

/// Its interface is that of Engine.
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
  Schedule schedule_;  ///< of all stages, until take_part_of_stage()
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

  /// Leaves in the schedule what the own stage does.
  void take_part_of_stage();

  StepResult accumulate_parts(const torch::Tensor& images, const torch::Tensor& labels,
                              const torch::Tensor& net_labels, std::int64_t parts);

  StepResult run(const torch::Tensor& images, const torch::Tensor& labels,
                 const torch::Tensor& net_labels, const PassSettings& settings);

  struct Results {
    std::vector<torch::Tensor> losses;  ///< of each supervision
    torch::Tensor logits;
  };

  /// Does a pass, and first what the one before has left; keeps it where it leaves something.
  Results execute_pass(Pass pass);

  /// Does an operation that the pass before has left, at that pass's learning rate.
  void execute_late(std::size_t i);

  PassSettings settings(bool update, double share, std::int64_t drawn) const;

  Pass make_pass(const torch::Tensor& images, const torch::Tensor& labels,
                 const torch::Tensor& net_labels, const PassSettings& settings) const;

  /// Does a part of a step. Where it throws - a user's loss, memory that runs out - all gradients
  /// are dropped, so that nothing of it is added to those of the next step.
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

  /// What numbers the random draws of a micro-batch of the step.
  std::int64_t draw(std::int64_t micro_batch) const;

  std::vector<bool> late_;  ///< of the schedule's operations (see StageSchedule)
  std::optional<Pass> unfinished_;
  std::optional<double> learning_rate_;
  const OperationObserver nobody_;
  double progress_ = 0;
  bool twins_share_memory_ = false;
  std::vector<std::size_t> output_readers_;  ///< of each module
};

}  // namespace mlaan
