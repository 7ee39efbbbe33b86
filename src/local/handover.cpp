// Switches a training from one plan to the next.
#include <mlaan/local/handover.h>
#include <mlaan/local/optimizer_state.h>

#include <unordered_map>
#include <utility>

namespace mlaan {
namespace {

/// Copies tensors of equal name and shape, unless both are the same tensor.
void copy_equally_named(const std::vector<NamedTensor>& from, const std::vector<NamedTensor>& to) {
  const torch::NoGradGuard no_grad;
  std::unordered_map<std::string, torch::Tensor> sources;
  for (const auto& named : from) sources.emplace(named.name, named.tensor);
  for (const auto& named : to) {
    const auto found = sources.find(named.name);
    if (found == sources.end() || found->second.is_same(named.tensor)) continue;
    if (found->second.sizes() != named.tensor.sizes()) continue;
    torch::Tensor target = named.tensor;
    target.copy_(found->second);
  }
}

/// The optimizer state of the parameters that both engines have in the same shape.
std::vector<NamedTensor> common_state(const Engine& before, const Engine& next) {
  std::unordered_map<std::string, torch::IntArrayRef> shapes;
  for (const auto& named : next.named_parameters()) {
    shapes.emplace(named.name, named.tensor.sizes());
  }
  std::vector<NamedTensor> state;
  for (const auto& part : before.parts()) {
    for (const auto& named : part.parameters) {
      const auto found = shapes.find(named.name);
      if (found == shapes.end() || found->second != named.tensor.sizes()) continue;
      for (auto& piece : optimizer_state(part, named)) state.push_back(std::move(piece));
    }
  }
  return state;
}

}  // namespace

Engine hand_over(Engine before, Plan next, EngineOptions options) {
  before.finish_steps();
  Engine engine(before.backbone(), std::move(next), std::move(options));
  copy_equally_named(before.named_parameters(), engine.named_parameters());
  copy_equally_named(before.named_buffers(), engine.named_buffers());
  set_optimizer_state(engine.parts(), common_state(before, engine));
  engine.set_loss_scale_state(before.loss_scale_state());
  engine.set_steps_done(before.steps_done());
  return engine;
}

}  // namespace mlaan
