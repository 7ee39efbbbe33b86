// Mixup (Zhang et al. 2018, arXiv:1710.09412) and CutMix (Yun et al. 2019, arXiv:1905.04899).
#include <mlaan/data/mix.h>
#include <mlaan/nn/loss.h>

#include <algorithm>
#include <cmath>
#include <utility>

// Loops are used instead of tensor operations, which would copy the batch and start more threads in
// each of the threads that prepare batches.

namespace mlaan {
namespace {

/// The first pixels of two samples that are mixed with each other.
struct Pair {
  float* one;
  float* other;
};

std::vector<Pair> pairs(const torch::Tensor& images) {
  std::vector<Pair> result;
  auto* first = images.data_ptr<float>();
  for (std::int64_t i = 0, j = images.size(0) - 1; i < j; ++i, --j) {
    result.push_back({first + i * images.stride(0), first + j * images.stride(0)});
  }
  return result;
}

void blend(const torch::Tensor& images, double lambda) {
  const auto share = static_cast<float>(lambda);
  const std::int64_t count = images[0].numel();
  for (const auto& [one, other] : pairs(images)) {
    for (std::int64_t p = 0; p < count; ++p) {
      const float difference = (1 - share) * (other[p] - one[p]);
      one[p] += difference;
      other[p] -= difference;
    }
  }
}

void exchange(const torch::Tensor& images, const Region& box) {
  const bool channels_last = images.stride(1) == 1 && images.size(1) > 1;
  const std::int64_t planes = channels_last ? 1 : images.size(1);
  const std::int64_t run = box.width * (channels_last ? images.size(1) : 1);
  for (const auto& [one, other] : pairs(images)) {
    for (std::int64_t c = 0; c < planes; ++c) {
      for (std::int64_t y = box.top; y < box.top + box.height; ++y) {
        const std::int64_t start =
            c * images.stride(1) + y * images.stride(2) + box.left * images.stride(3);
        std::swap_ranges(one + start, one + start + run, other + start);
      }
    }
  }
}

/// Class probabilities: λ for a sample's own class, 1 − λ for that of the other sample.
torch::Tensor mixed_labels(const torch::Tensor& labels, std::int64_t classes, double lambda) {
  const std::int64_t count = labels.size(0);
  check_labels(labels, count, classes, "the batch");
  torch::Tensor result = torch::zeros({count, classes});
  auto shares = result.accessor<float, 2>();
  const auto numbers = labels.accessor<std::int64_t, 1>();
  for (std::int64_t i = 0; i < count; ++i) {
    shares[i][numbers[i]] += static_cast<float>(lambda);
    shares[i][numbers[count - 1 - i]] += static_cast<float>(1 - lambda);
  }
  return result;
}

}  // namespace

Region cutmix_box(std::int64_t height, std::int64_t width, double lambda, RandomStream& random) {
  const double share = std::sqrt(1 - lambda);
  const auto side = [&](std::int64_t outer, std::int64_t& first) {
    const auto length = static_cast<std::int64_t>(share * static_cast<double>(outer));
    const auto middle = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(outer)));
    first = std::clamp<std::int64_t>(middle - length / 2, 0, outer);
    return std::clamp<std::int64_t>(middle - length / 2 + length, 0, outer) - first;
  };
  Region box;
  box.height = side(height, box.top);
  box.width = side(width, box.left);
  return box;
}

void mix(Batch& batch, std::int64_t classes, const MixRecipe& recipe, std::int64_t epoch,
         std::uint64_t key) {
  const bool over = recipe.off_epoch > 0 && epoch >= recipe.off_epoch;
  if (!recipe.is_on() || over) return;
  RandomStream random(key);
  if (random.uniform() >= recipe.probability) return;
  const bool switches = random.uniform() < recipe.switch_probability;
  const bool cuts = recipe.cutmix_alpha > 0 && (recipe.mixup_alpha == 0 || switches);
  double lambda = random.beta(cuts ? recipe.cutmix_alpha : recipe.mixup_alpha);
  if (cuts) {
    const std::int64_t height = batch.images.size(2);
    const std::int64_t width = batch.images.size(3);
    const Region box = cutmix_box(height, width, lambda, random);
    exchange(batch.images, box);
    lambda = 1 - static_cast<double>(box.height * box.width) / static_cast<double>(height * width);
  } else {
    blend(batch.images, lambda);
  }
  batch.labels = mixed_labels(batch.labels, classes, lambda);
}

}  // namespace mlaan
