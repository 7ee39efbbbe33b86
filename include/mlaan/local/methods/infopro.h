// InfoPro: information propagation (Wang et al. 2021, ICLR, arXiv:2101.10832).
//
// Update rule: two supervisions of each module by itself: λ1_j · reconstruction of the picture by a
// decoder, and λ2_j · the task's loss of a small head, cross-entropy or supervised contrastive.
// Both weights are linear in the module's number, from the first module to the last but one.
#pragma once

#include <mlaan/local/method.h>

#include <cstdint>
#include <string>

namespace mlaan {

struct InfoproOptions {
  static constexpr const char* section = "infopro";
  std::string loss = "softmax";
  std::string head = "1c2f";
  std::int64_t feature_dim = 128;
  double widen = 1;
  std::string token = "mean";
  double temperature = 0.07;
  /// Below 0: the published weight for the backbone and K, or the nearest larger K's.
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
  /// \param module from 0. \param modules K; with K = 2 it is `first`.
  double at(std::size_t module, std::size_t modules) const;
};

/// λ1 and λ2.
struct InfoproWeights {
  WeightSchedule reconstruction;
  WeightSchedule task;
};

/// What the options say, and what they leave open as published.
InfoproWeights infopro_weights(const Backbone& backbone, std::size_t modules,
                               const InfoproOptions& options);

/// The decoder's layers for features of the given shape: maps of three channels as large as the
/// image, before the sigmoid that their loss takes.
LayerTexts decoder_layers(const Shape& features, const Shape& image, double widen);

Host infopro_host(const Backbone& backbone, const Partition& partition,
                  const InfoproOptions& options = {});
Plan infopro(const Backbone& backbone, const Partition& partition,
             const InfoproOptions& options = {}, std::uint64_t seed = 0);

MethodEntry infopro_entry();

}  // namespace methods
}  // namespace mlaan
