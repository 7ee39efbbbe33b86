// The engine of a run, which is replaced when the next phase of the training begins.
#include <mlaan/local/handover.h>
#include <mlaan/train/options.h>
#include <mlaan/train/phased_engine.h>
#include <mlaan/train/setup.h>

#include <algorithm>
#include <utility>

namespace mlaan {

PhasedEngine::PhasedEngine(const Settings& settings, const DataSource& data,
                           const MethodEntry& method,
                           std::function<void(EngineOptions&, const Plan&)> adapt)
    : adapt_(std::move(adapt)),
      phases_(training_phases(settings, method)),
      backbone_(make_backbone(settings, data)),
      engine_(make_engine(0)) {
  describe(phases_.front(), engine_.plan());
  for (std::size_t p = 1; p < phases_.size(); ++p) {
    describe(phases_[p], make_bare_plan(phases_[p].settings, backbone_, phases_[p].method));
  }
}

void PhasedEngine::describe(const TrainingPhase& phase, const Plan& plan) {
  plans_.push_back(
      {phase.name, phase.share(), execution_settings(phase), mlaan::describe(plan, backbone_)});
  const std::int64_t parameters = element_count(named_parameters(backbone_, plan)) -
                                  element_count(backbone_.named_parameters());
  auxiliary_parameters_ = std::max(auxiliary_parameters_, parameters);
  longest_window_ = std::max(longest_window_, mlaan::longest_window(plan));
}

EngineOptions PhasedEngine::engine_options(std::size_t phase, const Plan& plan) {
  EngineOptions options = make_engine_options(phases_.at(phase).settings);
  if (adapt_) adapt_(options, plan);
  return options;
}

Engine PhasedEngine::make_engine(std::size_t phase) {
  TrainingPhase& made = phases_.at(phase);
  Plan plan = make_plan(made.settings, backbone_, made.method);
  EngineOptions options = engine_options(phase, plan);
  return Engine(backbone_, std::move(plan), std::move(options));
}

std::vector<PhaseReport> PhasedEngine::reports(const std::vector<std::int64_t>& peaks) const {
  std::vector<PhaseReport> reports;
  for (std::size_t p = 0; p < phases_.size(); ++p) {
    PhaseReport report;
    report.name = phases_[p].name;
    report.method = phases_[p].method.name;
    report.begin = phases_[p].begin;
    report.end = phases_[p].end;
    report.modules = static_cast<std::int64_t>(plans_[p].plan.partition.size());
    report.peak_bytes = p < peaks.size() ? peaks[p] : 0;
    reports.push_back(std::move(report));
  }
  return reports;
}

void PhasedEngine::restart_in(std::size_t phase) {
  if (phase == phase_) return;
  engine_ = make_engine(phase);
  phase_ = phase;
}

bool PhasedEngine::begins_phase(std::int64_t step, std::int64_t steps) const {
  return phase_of_step(phases_, step, steps) != phase_;
}

bool PhasedEngine::enter(std::int64_t step, std::int64_t steps,
                         const std::function<void()>& before_handover) {
  const std::size_t phase = phase_of_step(phases_, step, steps);
  TrainingPhase& entered = phases_[phase];
  const bool begins = phase != phase_;
  if (begins) {
    Plan plan = make_plan(entered.settings, backbone_, entered.method);
    before_handover();
    EngineOptions options = engine_options(phase, plan);
    engine_ = hand_over(std::move(engine_), std::move(plan), std::move(options));
    phase_ = phase;
  }
  engine_.set_progress(progress_in_phase(entered, step, steps));
  return begins;
}

}  // namespace mlaan
