// The twins of a plan: which modules they follow, and how many steps behind.
#include "local/following_twins.h"

#include <mlaan/core/error.h>
#include <mlaan/measure/memory.h>

#include <ATen/Functions.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <unordered_map>
#include <utility>

namespace mlaan {
namespace {

/// The tensor's bytes, in memory order, as a view. \param tensor dense.
torch::Tensor bytes_of_tensor(const torch::Tensor& tensor) {
  return tensor.detach().as_strided({tensor.numel()}, {1}).view(torch::kUInt8);
}

torch::Tensor dense(const torch::Tensor& tensor) {
  return tensor.is_non_overlapping_and_dense() ? tensor.detach() : tensor.detach().contiguous();
}

std::string state_prefix(std::size_t age) {
  return "twins." + std::to_string(age) + ".";
}

}  // namespace

FollowingTwins::FollowingTwins(const Backbone& backbone, const Plan& plan, const Stages& stages,
                               const std::vector<std::size_t>& net_stages, std::int64_t delay)
    : stages_(stages), delay_(delay), all_(plan.averages) {
  const auto twins = twin_tensors(backbone, plan);
  std::size_t averages = 0;
  for (const auto& link : plan.averages) averages += link.average.size();
  if (twins.size() < averages && (delay > 0 || !stages.is_one())) {
    throw UserError(
        "a moving average of this plan does not follow a module or is not in a net, so it cannot "
        "lag or be on another stage; accepted: dist.twin_delay = 0 and dist.stages = 1");
  }
  followed_ = followed_modules(twins, stages, net_stages);
  for (const auto& twin : twins) {
    const ParameterAverage& link = plan.averages[twin.link];
    const torch::Tensor& source = link.source[twin.place];
    Followed& followed = modules_[twin.module];
    const bool is_known =
        std::any_of(followed.sources.begin(), followed.sources.end(),
                    [&](const NamedTensor& known) { return known.tensor.is_same(source); });
    if (!is_known) followed.sources.push_back({twin.source, source});
    if (net_stages[twin.net] != stages.own) continue;
    followed.links.push_back({{link.average[twin.place]}, {source}, link.momentum});
  }
}

void FollowingTwins::share_memory() {
  if (delay_ == 0) {
    mlaan::share_memory(all_);
    return;
  }
  // Twins of momentum 0 would share their modules' memory, and so follow without a delay.
  std::vector<ParameterAverage> sharing;
  std::copy_if(all_.begin(), all_.end(), std::back_inserter(sharing),
               [](const ParameterAverage& link) { return link.momentum != 0; });
  mlaan::share_memory(sharing);
}

void FollowingTwins::follow_all() {
  if (delay_ == 0) {
    mlaan::update(all_);
    return;
  }
  for (const auto& entry : modules_) follow(entry.first);
}

void FollowingTwins::follow(std::size_t module) {
  Followed& followed = modules_.at(module);
  if (delay_ == 0) {
    mlaan::update(followed.links);
    return;
  }
  const measure::MemoryKindScope kind(measure::MemoryKind::parameters);
  Snapshot snapshot;
  for (const auto& source : followed.sources) snapshot.push_back(source.tensor.detach().clone());
  followed.history.push_back(std::move(snapshot));
  if (static_cast<std::int64_t>(followed.history.size()) <= delay_) return;
  move(followed, followed.history.front());
  followed.history.pop_front();
}

void FollowingTwins::move(const Followed& followed, const Snapshot& snapshot) const {
  std::vector<ParameterAverage> links = followed.links;
  for (auto& link : links) {
    for (auto& source : link.source) {
      const auto found =
          std::find_if(followed.sources.begin(), followed.sources.end(),
                       [&](const NamedTensor& known) { return known.tensor.is_same(source); });
      source = snapshot[static_cast<std::size_t>(found - followed.sources.begin())];
    }
  }
  mlaan::update(links);
}

torch::Tensor FollowingTwins::packed(std::size_t module) const {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> bytes;
  for (const auto& source : modules_.at(module).sources) {
    bytes.push_back(bytes_of_tensor(dense(source.tensor)));
  }
  return at::cat(bytes);
}

FollowingTwins::Snapshot FollowingTwins::unpacked(const Followed& followed,
                                                  const torch::Tensor& message) const {
  Snapshot snapshot;
  std::int64_t begin = 0;
  for (const auto& source : followed.sources) {
    torch::Tensor tensor = torch::empty_like(dense(source.tensor));
    const torch::Tensor bytes = bytes_of_tensor(tensor);
    bytes.copy_(message.narrow(0, begin, bytes.numel()));
    begin += bytes.numel();
    snapshot.push_back(std::move(tensor));
  }
  return snapshot;
}

FollowingTwins::Next FollowingTwins::next(std::size_t module) {
  Followed& followed = modules_.at(module);
  if (++followed.behind <= delay_) return Next::rests;
  --followed.behind;
  return followed.history.empty() ? Next::received : Next::known;
}

void FollowingTwins::follow_received(std::size_t module, const torch::Tensor& message) {
  const torch::NoGradGuard no_grad;
  Followed& followed = modules_.at(module);
  if (!message.defined()) {
    move(followed, followed.history.front());
    followed.history.pop_front();
    return;
  }
  const Snapshot snapshot = unpacked(followed, message);
  if (delay_ > 0) {
    move(followed, snapshot);
    return;
  }
  for (std::size_t i = 0; i < snapshot.size(); ++i) {
    followed.sources[i].tensor.detach().copy_(snapshot[i]);
  }
  mlaan::update(followed.links);
}

std::vector<NamedTensor> FollowingTwins::state() const {
  std::vector<NamedTensor> state;
  for (const auto& [module, followed] : modules_) {
    if (stages_.of_module(module) != stages_.own) continue;
    for (std::size_t k = 0; k < followed.history.size(); ++k) {
      const std::string prefix = state_prefix(followed.history.size() - 1 - k);
      for (std::size_t i = 0; i < followed.sources.size(); ++i) {
        state.push_back({prefix + followed.sources[i].name, followed.history[k][i]});
      }
    }
  }
  return state;
}

void FollowingTwins::set_state(const std::vector<NamedTensor>& state) {
  const torch::NoGradGuard no_grad;
  std::unordered_map<std::string, torch::Tensor> tensors;
  for (const auto& named : state) tensors.emplace(named.name, named.tensor);
  for (auto& [module, followed] : modules_) {
    followed.history.clear();
    for (auto age = static_cast<std::size_t>(delay_); age-- > 0;) {
      Snapshot snapshot;
      for (const auto& source : followed.sources) {
        const auto found = tensors.find(state_prefix(age) + source.name);
        if (found == tensors.end() || found->second.sizes() != source.tensor.sizes()) break;
        snapshot.push_back(torch::empty_like(source.tensor.detach()).copy_(found->second));
      }
      if (snapshot.size() == followed.sources.size()) {
        followed.history.push_back(std::move(snapshot));
      }
    }
    followed.behind = static_cast<std::int64_t>(followed.history.size());
  }
}

}  // namespace mlaan
