// A training run in one of several processes that train one network.
#include "train/joint_run.h"

#include "dist/gradient_buckets.h"
#include "dist/group_peers.h"
#include "dist/stage_links.h"
#include "train/stage_sharing.h"

#include <mlaan/core/error.h>
#include <mlaan/core/quantity.h>
#include <mlaan/core/random.h>
#include <mlaan/local/optimizer_state.h>
#include <mlaan/nn/backbones/scripted_backbone.h>
#include <mlaan/train/options.h>
#include <mlaan/train/plan_file.h>
#include <mlaan/train/stage_split.h>

#include <set>
#include <sstream>
#include <utility>

namespace mlaan {
namespace {

/// A hash of a text, as a text, for comparing long texts between processes.
std::string number_of(const std::string& text) {
  return std::to_string(random_key(text));
}

/// \throws UserError where batch normalisation cannot see the images of all processes.
void check_can_sync_batch_norm(const Settings& settings) {
  if (!settings.get<DistOptions>().sync_batch_norm) return;
  const auto& model = settings.get<RunOptions>().model;
  if (is_script_file(model)) {
    throw UserError("dist.sync_batch_norm = true cannot reach into the scripted network " + model +
                    "; accepted for networks that mlaan builds, see `mlaan info models`");
  }
  const auto& kernels = settings.get<ExecutionOptions>().kernels;
  if (kernels != "own") {
    throw UserError("engine.kernels = \"" + kernels +
                    "\" normalises by LibTorch's operators, which see one process only; with "
                    "dist.sync_batch_norm = true accepted: own");
  }
}

/// A note for the user on losses that compare samples with each other; "" without such.
std::string note_on_losses(const Plan& plan, bool see_all) {
  std::set<std::string> names;
  for (const auto& supervision : plan.supervisions) {
    if (supervision.loss->compares_samples()) names.insert(supervision.loss->name);
  }
  std::string list;
  for (const auto& name : names) list += (list.empty() ? "" : ", ") + name;
  if (list.empty()) return "";
  return "losses that compare samples (" + list + ") see the images of " +
         (see_all ? "all processes"
                  : "each process alone; --set dist.gather_losses=true lets them see all");
}

}  // namespace

JointRun::JointRun(const Settings& settings, ProcessGroup* group)
    : settings_(settings), group_(group), has_stages_(settings.get<DistOptions>().stages > 1) {
  check_ranks(settings, group);
  if (!is_alone() && !has_stages_) check_can_sync_batch_norm(settings);
}

BatchShare JointRun::batch_share() const {
  if (is_alone() || has_stages_) return {};
  return {group_->rank(), group_->size()};
}

void JointRun::join(EngineOptions& options, const Plan& plan) const {
  if (is_alone()) return;
  if (has_stages_) {
    options.stages.first_modules = first_modules_of_stages(settings_, plan.partition.size());
    options.stages.own = static_cast<std::size_t>(group_->rank());
    options.stages.transport = std::make_shared<StageLinks>(*group_);
    // Steps must not overlap where the average of the weights is updated after every step.
    options.overlaps_steps = !settings_.get<WeightAverageOptions>().enabled;
    return;
  }
  options.reducer =
      std::make_shared<GradientBuckets>(*group_, parse_bytes(settings_.get<DistOptions>().bucket));
  options.replica = group_->rank();
  options.replicas = group_->size();
  const auto& dist = settings_.get<DistOptions>();
  options.peers = std::make_shared<GroupPeers>(*group_);
  options.joint_statistics = dist.sync_batch_norm;
  options.joint_losses = dist.gather_losses;
}

std::vector<std::string> JointRun::begin(PhasedEngine& phases, const DataSource& data,
                                         std::int64_t step) {
  if (is_alone()) return {};
  check_agreement(*group_, {{"the plan", number_of(plan_text(phases.plans(), phases.backbone()))},
                            {"the training set", fingerprint(*data.train)},
                            {"the test set", fingerprint(*data.test)},
                            {"the number of steps done", std::to_string(step)}});
  take_from_first(phases.engine().named_parameters(), "the weights to begin with");
  take_from_first(phases.engine().named_buffers(), "the weights to begin with");
  traffic_before_ = group_->traffic();
  shared_step_ = step;
  std::vector<std::string> notes;
  if (!has_stages_) {
    const auto note =
        note_on_losses(phases.engine().plan(), settings_.get<DistOptions>().gather_losses);
    if (!note.empty()) notes.push_back(note);
  }
  if (!has_stages_ || settings_.get<DistOptions>().twin_delay > 0) return notes;
  std::string own;
  for (const auto& note : notes_on_waiting(phases.engine())) own += note + "\n";
  for (const auto& text : group_->gather(own, "what stages wait for")) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) notes.push_back(line);
  }
  return notes;
}

void JointRun::take_same_weights(Engine& engine, const std::optional<WeightAverage>& average,
                                 std::int64_t step) {
  if (is_alone()) return;
  const auto averages = average ? average->state() : std::vector<NamedTensor>();
  if (has_stages_ && shared_step_ != step) {
    share_weights(engine, *group_, averages, weight_average_prefix);
    shared_step_ = step;
    return;
  }
  take_from_first(engine.backbone().named_buffers(), "the statistics of batch normalisation");
  if (average) take_from_first(averages, "the average of the weights");
}

void JointRun::take_from_first(const std::vector<NamedTensor>& tensors,
                               const std::string& what) const {
  if (!is_alone()) group_->broadcast(tensors_of(tensors), what);
}

std::vector<NamedTensor> JointRun::state_of_others(const Engine& engine) const {
  if (!has_stages_) return {};
  return state_of_other_stages(engine, *group_);
}

void JointRun::take_all_state(Engine& engine) const {
  auto all = optimizer_state(engine.parts());
  for (auto& named : state_of_others(engine)) all.push_back(std::move(named));
  set_optimizer_state(engine.parts(), all);
}

void JointRun::drop_state_of_others(const Engine& engine) const {
  if (has_stages_) keep_own_state(engine);
}

std::vector<std::int64_t> JointRun::first_modules(const Engine& engine) const {
  std::vector<std::int64_t> numbers;
  if (!has_stages_) return numbers;
  for (const auto module : engine.stages().first_modules) {
    numbers.push_back(static_cast<std::int64_t>(module) + 1);
  }
  return numbers;
}

std::vector<RankReport> JointRun::reports(const Engine& engine, std::int64_t peak_bytes,
                                          std::int64_t steps) const {
  auto ranks = rank_reports(group_, traffic_since(group_, traffic_before_), peak_bytes, steps);
  const auto first = first_modules(engine);
  const std::size_t modules = engine.plan().partition.size();
  for (std::size_t stage = 0; stage < first.size(); ++stage) {
    ranks[stage].first_module = first[stage];
    ranks[stage].last_module = static_cast<std::int64_t>(engine.stages().end_of(stage, modules));
  }
  return ranks;
}

}  // namespace mlaan
