// Exponential moving averages of parameters.
#include "core/libtorch_compat.h"

#include <mlaan/nn/layers/narrow.h>
#include <mlaan/nn/parameter_average.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace mlaan {
namespace {

/// Whether shapes are equal, or the average's sizes divide the source's.
bool can_follow(const torch::Tensor& average, const torch::Tensor& source) {
  if (average.dim() != source.dim()) return false;
  for (std::int64_t d = 0; d < average.dim(); ++d) {
    if (average.size(d) == 0 || source.size(d) % average.size(d) != 0) return false;
  }
  return true;
}

const void* memory_of(const torch::Tensor& tensor) {
  return tensor.storage().unsafeGetStorageImpl();
}

bool have_same_content(const torch::Tensor& left, const torch::Tensor& right) {
  return left.device() == right.device() && left.scalar_type() == right.scalar_type() &&
         left.sizes() == right.sizes() && left.strides() == right.strides() &&
         torch::equal(left, right);
}

/// Averages that one foreach call moves. No average may be read or moved by another one of the same
/// call, since the order within a call is undefined.
class JointMove {
 public:
  explicit JointMove(double momentum) : momentum_(momentum) {}

  /// \return false if the average needs a later call: it has another momentum or conflicts with one
  /// that was added before.
  bool add(const torch::Tensor& average, const torch::Tensor& source, double momentum) {
    const void* to = memory_of(average);
    const void* from = memory_of(source);
    if (momentum != momentum_ || moved_.count(to) + moved_.count(from) + read_.count(to) > 0) {
      return false;
    }
    averages_.push_back(average);
    sources_.push_back(grouped(source, average.sizes()));
    moved_.insert(to);
    read_.insert(from);
    return true;
  }

  void run() const {
    if (!averages_.empty()) compat::foreach_lerp(averages_, sources_, 1 - momentum_);
  }

 private:
  double momentum_;
  std::vector<torch::Tensor> averages_;
  std::vector<torch::Tensor> sources_;
  std::unordered_set<const void*> moved_;
  std::unordered_set<const void*> read_;
};

}  // namespace

ParameterAverage follow(const Unit& average, const Unit& source, double momentum) {
  const auto followers = average.named_parameters();
  const auto originals = source.named_parameters();
  ParameterAverage link;
  link.momentum = momentum;
  for (std::size_t i = 0; i < followers.size() && i < originals.size(); ++i) {
    if (!can_follow(followers[i].tensor, originals[i].tensor)) {
      throw UserError(followers[i].name + " cannot follow " + originals[i].name +
                      ": their shapes differ");
    }
    link.average.push_back(followers[i].tensor);
    link.source.push_back(originals[i].tensor);
  }
  if (followers.size() != originals.size()) {
    throw UserError("unit '" + average.name() + "' cannot follow '" + source.name() +
                    "': they have different numbers of parameters");
  }
  freeze(followers);
  return link;
}

void share_memory(const std::vector<ParameterAverage>& averages) {
  const torch::NoGradGuard no_grad;
  std::unordered_map<const void*, std::size_t> followings;
  for (const auto& link : averages) {
    for (const auto& average : link.average) ++followings[average.unsafeGetTensorImpl()];
  }
  struct Follower {
    double momentum;
    torch::Tensor average;
  };
  std::unordered_map<const void*, std::vector<Follower>> followers;  // by their source
  for (const auto& link : averages) {
    for (std::size_t i = 0; i < link.average.size(); ++i) {
      const torch::Tensor& average = link.average[i];
      const void* source = link.source[i].unsafeGetTensorImpl();
      if (followings[average.unsafeGetTensorImpl()] > 1 || followings.count(source) > 0) continue;
      if (link.momentum == 0 && have_same_content(link.source[i].detach(), average)) {
        average.set_data(link.source[i].detach());
        continue;
      }
      auto& others = followers[source];
      const auto equal = std::find_if(others.begin(), others.end(), [&](const Follower& other) {
        return other.momentum == link.momentum && have_same_content(other.average, average);
      });
      if (equal == others.end()) {
        others.push_back({link.momentum, average});
      } else {
        average.set_data(equal->average);
      }
    }
  }
}

void update(const std::vector<ParameterAverage>& averages) {
  const torch::NoGradGuard no_grad;
  std::unordered_map<const void*, const void*> moved;  // storage → average in it that moves
  JointMove move(0);
  for (const auto& link : averages) {
    for (std::size_t i = 0; i < link.average.size(); ++i) {
      const void* tensor = link.average[i].unsafeGetTensorImpl();
      if (memory_of(link.average[i]) == memory_of(link.source[i])) continue;
      if (moved.emplace(memory_of(link.average[i]), tensor).first->second != tensor) continue;
      if (move.add(link.average[i], link.source[i], link.momentum)) continue;
      move.run();
      move = JointMove(link.momentum);
      move.add(link.average[i], link.source[i], link.momentum);
    }
  }
  move.run();
}

}  // namespace mlaan
