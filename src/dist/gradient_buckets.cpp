// Sums gradients over all ranks; small parts share an all-reduce.
#include "dist/gradient_buckets.h"

#include <mlaan/measure/memory.h>

#include <utility>

namespace mlaan {

/// Gradients that are summed in one tensor: all elements, followed by one number per parameter,
/// which is above 0 if any rank has a gradient of that parameter.
class GradientBuckets::Bucket {
 public:
  /// Whether the part's gradients have the type and device of those in the bucket.
  bool takes(const TrainedPart& part) const {
    if (slots_.empty()) return true;
    const auto& first = slots_.front().parameter;
    const auto& other = part.parameters.front().tensor;
    return first.scalar_type() == other.scalar_type() && first.device() == other.device();
  }

  /// \param part for which takes() is true.
  void add(const TrainedPart& part) {
    if (slots_.empty()) name_ = part.name;
    for (const auto& named : part.parameters) {
      if (named.tensor.scalar_type() != part.parameters.front().tensor.scalar_type()) {
        throw UserError("parameter '" + named.name + "' of " + part.name +
                        " differs in type from others of it; with several processes, its "
                        "parameters must all be of one type");
      }
      slots_.push_back({&part, named.tensor, elements_});
      elements_ += named.tensor.numel();
    }
  }

  std::int64_t bytes() const {
    if (slots_.empty()) return 0;
    return elements_ * static_cast<std::int64_t>(slots_.front().parameter.element_size());
  }

  bool is_sent() const { return exchange_ != nullptr; }
  bool is_done() const { return has_waited_ || (exchange_ && exchange_->is_done()); }

  void send(ProcessGroup& group) {
    const torch::NoGradGuard no_grad;
    const measure::MemoryKindScope kind(measure::MemoryKind::gradients);
    const auto count = static_cast<std::int64_t>(slots_.size());
    sum_ = torch::zeros({elements_ + count}, slots_.front().parameter.options());
    for (std::int64_t i = 0; i < count; ++i) {
      const Slot& slot = slots_[static_cast<std::size_t>(i)];
      const torch::Tensor& gradient = slot.parameter.grad();
      if (!gradient.defined()) continue;
      place_of(slot).copy_(gradient);
      sum_[elements_ + i].fill_(1);
    }
    exchange_ = group.start_sum(sum_, "the sum of gradients (" + name_ + ")");
  }

  void wait() {
    if (has_waited_) return;
    exchange_->wait();
    has_waited_ = true;
    ranks_with_gradient_ =
        sum_.narrow(0, elements_, sum_.numel() - elements_).to(torch::kCPU, torch::kFloat64);
  }

  /// Copies the sums into the part's gradients.
  void take(const TrainedPart& part) const {
    const torch::NoGradGuard no_grad;
    const measure::MemoryKindScope kind(measure::MemoryKind::gradients);
    const auto* ranks = ranks_with_gradient_.data_ptr<double>();
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      const Slot& slot = slots_[i];
      if (slot.part != &part || ranks[i] == 0) continue;
      torch::Tensor& gradient = slot.parameter.mutable_grad();
      if (!gradient.defined()) gradient = torch::empty_like(slot.parameter);
      gradient.copy_(place_of(slot));
    }
  }

 private:
  struct Slot {
    const TrainedPart* part;
    torch::Tensor parameter;
    std::int64_t begin;
  };

  /// A view of the parameter's elements with the parameter's strides, so that copies move whole
  /// blocks.
  torch::Tensor place_of(const Slot& slot) const {
    const auto& parameter = slot.parameter;
    if (!parameter.is_non_overlapping_and_dense()) {
      return sum_.narrow(0, slot.begin, parameter.numel()).view(parameter.sizes());
    }
    return sum_.as_strided(parameter.sizes(), parameter.strides(), slot.begin);
  }

  std::string name_;
  std::vector<Slot> slots_;
  std::int64_t elements_ = 0;
  torch::Tensor sum_;
  std::unique_ptr<Exchange> exchange_;
  bool has_waited_ = false;
  torch::Tensor ranks_with_gradient_;
};

GradientBuckets::GradientBuckets(ProcessGroup& group, std::int64_t bucket_bytes)
    : group_(group), bucket_bytes_(bucket_bytes) {}
GradientBuckets::~GradientBuckets() = default;

void GradientBuckets::start(const TrainedPart& part) {
  if (part.parameters.empty()) return;
  if (open_ && !open_->takes(part)) send_open();
  if (!open_) open_ = std::make_shared<Bucket>();
  open_->add(part);
  buckets_[&part] = open_;
  if (open_->bytes() >= bucket_bytes_) send_open();
}

bool GradientBuckets::is_done(const TrainedPart& part) {
  const auto found = buckets_.find(&part);
  return found == buckets_.end() || found->second->is_done();
}

void GradientBuckets::finish(const TrainedPart& part) {
  const auto found = buckets_.find(&part);
  if (found == buckets_.end()) return;
  const std::shared_ptr<Bucket> bucket = found->second;
  if (!bucket->is_sent()) send_open();
  bucket->wait();
  bucket->take(part);
  buckets_.erase(found);
}

void GradientBuckets::abandon() {
  open_.reset();
  buckets_.clear();
}

void GradientBuckets::send_open() {
  open_->send(group_);
  open_.reset();
}

}  // namespace mlaan
