// Accumulates the cotangents at the output of one module.
#include "local/cotangents.h"

#include "core/broadcast.h"

#include <utility>

namespace mlaan {
void Cotangents::add(const Evaluation& evaluation, torch::Tensor gradient,
                     const std::shared_ptr<const LinearReading>& reading) {
  if (!gradient.defined()) return;
  for (const auto& group : evaluation.groups) {
    const bool whole = evaluation.groups.size() == 1;
    const double factor = whole ? 1 : group.weight / evaluation.weight;
    torch::Tensor numbers = gradient;
    if (reading || !whole) {
      const torch::Tensor once = without_repeats(gradient);
      numbers = (reading ? reading->shares(once, factor) : once * factor).expand(gradient.sizes());
    }
    Gradient share(std::move(numbers), reading);
    if (whole) gradient = torch::Tensor();
    add_of_windows(group.start, evaluation.module, std::move(share));
  }
}

void Cotangents::add_of_windows(std::size_t start, std::size_t module, Gradient cotangent) {
  if (start == module) {
    add_to_sum(std::move(cotangent));
  } else {
    add_to_group(start, std::move(cotangent));
  }
}

void Cotangents::add_to_group(std::size_t start, Gradient cotangent) {
  Gradient& group = groups_[start];
  if (!group.defined()) {
    group = std::move(cotangent);
  } else if (cotangent.defined()) {
    torch::Tensor sum;
    std::move(group).add_to(sum);
    std::move(cotangent).add_to(sum);
    group = Gradient(std::move(sum));
  }
}

void Cotangents::add_to_sum(Gradient cotangent) {
  if (cotangent.defined() && cotangent.is_pooled()) {
    pooled_.push_back(std::move(cotangent));
  } else {
    std::move(cotangent).add_to(sum_);
  }
}

Gradient Cotangents::take_of_windows(std::size_t start, std::size_t module) {
  return start == module ? Gradient(take_sum()) : take_group(start);
}

Gradient Cotangents::take_group(std::size_t start) {
  const auto found = groups_.find(start);
  if (found == groups_.end()) return {};
  Gradient cotangent = std::move(found->second);
  groups_.erase(found);
  return cotangent;
}

torch::Tensor Cotangents::take_sum() {
  torch::Tensor sum = std::exchange(sum_, torch::Tensor());
  for (auto& cotangent : pooled_) std::move(cotangent).add_to(sum);
  pooled_.clear();
  return sum;
}

}  // namespace mlaan
