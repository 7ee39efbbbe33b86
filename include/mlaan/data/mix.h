// Mixup and CutMix: pictures of a batch, and their labels, are mixed with one another.
#pragma once

#include <mlaan/core/random.h>
#include <mlaan/data/batch.h>
#include <mlaan/data/frame.h>

#include <cstdint>

namespace mlaan {

/// How batches are mixed: by mixup (Zhang et al. 2018, arXiv:1710.09412) or by CutMix (Yun et al.
/// 2019, arXiv:1905.04899). One method and one share λ, drawn from Beta(α, α), apply to the whole
/// batch.
struct MixRecipe {
  double mixup_alpha = 0;   ///< α of mixup; 0: no mixup
  double cutmix_alpha = 0;  ///< α of CutMix; 0: no CutMix
  double probability = 1;   ///< share of the batches that are mixed
  /// If both α are set: share of the mixed batches that use CutMix.
  double switch_probability = 0.5;
  std::int64_t off_epoch = 0;  ///< number of epochs after which mixing ends; 0: never

  bool is_on() const { return mixup_alpha > 0 || cutmix_alpha > 0; }
};

/// The region that CutMix copies from the other picture: a share 1 − λ of the picture's area around
/// a uniformly drawn point, then clipped at the picture's edges.
Region cutmix_box(std::int64_t height, std::int64_t width, double lambda, RandomStream& random);

/// Mixes the batch with the recipe's probability, and otherwise leaves it unchanged. Sample i is
/// mixed with sample batch − 1 − i: share λ of sample i and 1 − λ of the other, in pixels and in
/// label; for CutMix, λ is recomputed from the clipped region. The middle sample of an odd batch
/// stays unmixed. The labels of a mixed batch are probabilities.
/// \param batch images float32 and dense, in any memory format, changed in place. Labels int64.
/// \param classes number of classes.
/// \param epoch from 0.
/// \param key of the random stream: a pure function of the seed, the epoch and the batch's number.
void mix(Batch& batch, std::int64_t classes, const MixRecipe& recipe, std::int64_t epoch,
         std::uint64_t key);

}  // namespace mlaan
