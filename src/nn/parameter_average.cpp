// Exponential moving averages of parameters.
#include "core/libtorch_compat.h"

#include <mlaan/nn/narrow.h>
#include <mlaan/nn/parameter_average.h>

#include <unordered_set>

namespace mlaan {
namespace {

/// Whether shapes are equal, or those of the average divide those of the source.
bool can_follow(const torch::Tensor& average, const torch::Tensor& source) {
  if (average.dim() != source.dim()) return false;
  for (std::int64_t d = 0; d < average.dim(); ++d) {
    if (average.size(d) == 0 || source.size(d) % average.size(d) != 0) return false;
  }
  return true;
}

/// Averages that are moved by one call. None of them is read or moved by another of that call,
/// since its order is open.
class JointMove {
 public:
  explicit JointMove(double momentum) : momentum_(momentum) {}

  /// \return false if it has to wait for what is there already.
  bool add(const torch::Tensor& average, const torch::Tensor& source, double momentum) {
    const void* to = average.unsafeGetTensorImpl();
    const void* from = source.unsafeGetTensorImpl();
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
    if (!averages_.empty()) compat::foreach_lerp_(averages_, sources_, 1 - momentum_);
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

void update(const std::vector<ParameterAverage>& averages) {
  const torch::NoGradGuard no_grad;
  JointMove move(0);
  for (const auto& link : averages) {
    for (std::size_t i = 0; i < link.average.size(); ++i) {
      if (move.add(link.average[i], link.source[i], link.momentum)) continue;
      move.run();
      move = JointMove(link.momentum);
      move.add(link.average[i], link.source[i], link.momentum);
    }
  }
  move.run();
}

}  // namespace mlaan
