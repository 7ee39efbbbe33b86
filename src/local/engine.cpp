// The engine: runs any supervision plan, every module forward once a step.
#include "local/engine_implementation.h"

#include <mlaan/local/engine.h>

#include <utility>

namespace mlaan {

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

void Engine::finish_steps() {
  implementation_->finish_steps();
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
  const auto& scale = implementation_->trained_.scale();
  return scale ? scale->state() : std::vector<NamedTensor>();
}
void Engine::set_loss_scale_state(const std::vector<NamedTensor>& state) {
  auto& scale = implementation_->trained_.scale();
  if (scale) scale->set_state(state);
}
std::vector<NamedTensor> Engine::twin_state() const {
  return implementation_->twins_.state();
}
void Engine::set_twin_state(const std::vector<NamedTensor>& state) {
  implementation_->twins_.set_state(state);
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

const Stages& Engine::stages() const {
  return implementation_->options_.stages;
}
bool Engine::reads_images() const {
  return implementation_->reads_images();
}
const std::vector<std::size_t>& Engine::part_stages() const {
  return implementation_->part_stages_;
}
std::vector<NamedTensor> Engine::tensors_of_stage(std::size_t stage) const {
  return mlaan::tensors_of_stage(implementation_->network_, implementation_->part_stages_, stage);
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
