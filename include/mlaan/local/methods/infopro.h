// InfoPro: information propagation (Wang et al. 2021, ICLR, arXiv:2101.10832).
//
// Update rule: each module has two supervisions of its own: λ1_j · the reconstruction loss of a
// decoder, and λ2_j · the task's loss of a small head, cross-entropy or supervised contrastive.
// Both weights are linear in the module's number, from the first module to the last but one.
#pragma once

#include <mlaan/local/method.h>

#include <cstdint>
#include <string>

namespace mlaan {

struct InfoproOptions {
  static constexpr const char* section = "infopro";
  std::string loss = "softmax";    ///< of the task: "softmax" or "contrast" (contrastive)
  std::string head = "1c2f";       ///< type of head (see HeadOptions::type)
  std::int64_t feature_dim = 128;  ///< width of the hidden linear layers of an XcYf head
  double widen = 1;                ///< factor on the widths of an XcYf head
  std::string token = "mean";      ///< "mean" or "class" (see HeadOptions::token)
  double temperature = 0.07;       ///< of the contrastive loss
  /// Weights of the reconstruction (λ1) and of the task's loss (λ2) at the first module and the
  /// last but one. Below 0: the published weight for the backbone and K, or the nearest larger K.
  double lambda1_first = -1;
  double lambda1_last = -1;
  double lambda2_first = -1;
  double lambda2_last = -1;

  void describe(FieldList& fields);
};

namespace methods {

/// The weights of one of the two losses over the modules 1 … K−1.
struct WeightSchedule {
  double first = 1;
  double last = 1;
  /// The weight at a module.
  /// \param module from 0.
  /// \param modules K; for K = 2 the weight is `first`.
  double at(std::size_t module, std::size_t modules) const;
};

/// The weights λ1 (reconstruction) and λ2 (task).
struct InfoproWeights {
  WeightSchedule reconstruction;
  WeightSchedule task;
};

/// The weights of the options; the published ones where the options leave them open.
InfoproWeights infopro_weights(const Backbone& backbone, std::size_t modules,
                               const InfoproOptions& options);

/// The decoder's layers for features of the given shape. Its output has the image's shape, and the
/// loss applies the sigmoid to it.
/// \throws UserError if one of the shapes is not that of a map.
LayerTexts decoder_layers(const Shape& features, const Shape& image, double widen);

Host infopro_host(const Backbone& backbone, const Partition& partition,
                  const InfoproOptions& options = {});
Plan infopro(const Backbone& backbone, const Partition& partition,
             const InfoproOptions& options = {}, std::uint64_t seed = 0);

MethodEntry infopro_entry();

}  // namespace methods
}  // namespace mlaan
