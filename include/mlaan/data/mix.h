// Mixup (Zhang et al. 2018, arXiv:1710.09412) and CutMix (Yun et al. 2019, arXiv:1905.04899):
// pictures of a batch are mixed with one another, and so are their labels.
#pragma once

#include <mlaan/core/random.h>
#include <mlaan/data/batch.h>
#include <mlaan/data/frame.h>

#include <cstdint>

namespace mlaan {

/// How batches are mixed. A batch is mixed as a whole, by one method and one share λ, drawn from
/// Beta(α, α).
struct MixRecipe {
  double mixup_alpha = 0;           ///< α of mixup; 0: no mixup
  double cutmix_alpha = 0;          ///< α of CutMix; 0: no CutMix
  double probability = 1;           ///< share of the batches that are mixed
  double switch_probability = 0.5;  ///< where there are both: share of the mixed that CutMix mixes
  std::int64_t off_epoch = 0;       ///< epochs after which no batch is mixed any more; 0: never

  bool is_on() const { return mixup_alpha > 0 || cutmix_alpha > 0; }
};

/// The region that CutMix takes from the other picture: of a share 1 − λ of the picture's area,
/// about a uniformly drawn point, and then cut at the picture's edges.
Region cutmix_box(std::int64_t height, std::int64_t width, double lambda, RandomStream& random);

/// Mixes, or leaves as it is, as chance has it. Sample i is mixed with sample batch − 1 − i: of a
/// share λ there is sample i, in pixels and in label, and of 1 − λ the other; CutMix counts λ after
/// the box was cut. The middle sample of an odd batch stays alone. A mixed batch has probabilities
/// for labels; another is not touched.
/// \param batch images float32 and dense, in any memory format; written to. Labels int64.
/// \param epoch from 0.
/// \param key of the random stream: a pure function of the seed, the epoch and the batch's number.
void mix(Batch& batch, std::int64_t classes, const MixRecipe& recipe, std::int64_t epoch,
         std::uint64_t key);

}  // namespace mlaan
