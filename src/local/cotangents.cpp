// Cotangents that wait at the output of one module.
#include "local/cotangents.h"

#include "core/sole_owner.h"
#include "core/sum_in_place.h"

#include <utility>

namespace mlaan {
namespace {

/// The numbers behind a broadcast: each dimension that is repeated, once.
torch::Tensor without_repeats(torch::Tensor tensor) {
  for (std::int64_t d = 0; d < tensor.dim(); ++d) {
    if (tensor.stride(d) == 0 && tensor.size(d) > 1) tensor = tensor.narrow(d, 0, 1);
  }
  return tensor;
}

bool repeats_alike(const torch::Tensor& left, const torch::Tensor& right) {
  bool any = false;
  for (std::int64_t d = 0; d < left.dim(); ++d) {
    const bool repeats = left.stride(d) == 0 && left.size(d) > 1;
    if (repeats != (right.stride(d) == 0 && right.size(d) > 1)) return false;
    any = any || repeats;
  }
  return any;
}

void add(torch::Tensor& total, torch::Tensor more) {
  const bool both = total.defined() && more.defined();
  if (both && repeats_alike(total, more)) {
    total = without_repeats(total).add(without_repeats(more)).expand(total.sizes());
  } else {
    total = sum_in_place(std::move(total), std::move(more));
  }
}

}  // namespace

void Cotangent::add_to(torch::Tensor& sum) && {
  torch::Tensor more = std::move(gradient);
  if (more.defined() && reading) {
    if (sum.defined() && is_sole_owner(sum)) {
      reading->add_to(sum, more);
      return;
    }
    more = reading->send_back(more);
  }
  mlaan::add(sum, std::move(more));
}

void Cotangents::add(const Evaluation& evaluation, torch::Tensor gradient,
                     const std::shared_ptr<const LinearReading>& reading) {
  if (!gradient.defined()) return;
  for (const auto& group : evaluation.groups) {
    const bool whole = evaluation.groups.size() == 1;
    const double factor = whole ? 1 : group.weight / evaluation.weight;
    Cotangent share{gradient, reading};
    if (reading || !whole) {
      const torch::Tensor once = without_repeats(gradient);
      share.gradient =
          (reading ? reading->shares(once, factor) : once * factor).expand(gradient.sizes());
    }
    if (whole) gradient = torch::Tensor();
    if (group.start == evaluation.module) {
      add_to_sum(std::move(share));
    } else {
      add_to_group(group.start, std::move(share));
    }
  }
}

void Cotangents::add_to_group(std::size_t start, Cotangent cotangent) {
  Cotangent& group = groups_[start];
  if (!group.defined()) {
    group = std::move(cotangent);
  } else if (cotangent.defined()) {
    torch::Tensor sum;
    std::move(group).add_to(sum);
    std::move(cotangent).add_to(sum);
    group = {std::move(sum), nullptr};
  }
}

void Cotangents::add_to_sum(Cotangent cotangent) {
  if (cotangent.defined() && cotangent.reading) {
    pooled_.push_back(std::move(cotangent));
  } else {
    std::move(cotangent).add_to(sum_);
  }
}

Cotangent Cotangents::take_group(std::size_t start) {
  const auto found = groups_.find(start);
  if (found == groups_.end()) return {};
  Cotangent cotangent = std::move(found->second);
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
