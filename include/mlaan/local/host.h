// A host: what a local-learning method puts at the end of each module; MLM and LAM build on any.
#pragma once

#include <mlaan/local/plan.h>
#include <mlaan/nn/leap.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace mlaan {

/// A net and a loss for the features that a module, or the leap layers behind it, give.
struct Host {
  /// The units of the net for features of the given shape, without the batch.
  std::function<std::vector<Unit>(const Shape& features, std::int64_t classes)> units;
  LossPtr loss;
};

/// Multilaminar local modules (MLAAN, AAAI 2025, MLM): for each module j an independent supervision
/// of [j..j], and for each full window a cascaded one of [j−k+1..j].
struct Multilaminar {
  std::size_t window = 2;
  double independent_weight = 0.001;
  double cascaded_weight = 0.999;
  /// As the published code does: no independent supervision of the first module, and of the last
  /// window only the cascaded one, with weight 1.
  bool published_code = false;
};

/// Leap augmented modules (LAM): leap layers ahead of the host's net.
struct LeapAugmented {
  /// For each module but the last the units that its leap layers are copied from.
  std::vector<LeapRow> rows;
  Twins twins = Twins::first;
  double ema_momentum = 0.995;
  /// Average pooling of the module's maps, by this factor in both directions, before the first leap
  /// layer.
  std::int64_t pool = 1;
  /// Factor to divide the channels of the leap layers by; what they read is averaged over groups of
  /// so many channels.
  std::int64_t narrow = 1;
  /// Modules whose outputs have one shape - a stage - share one net: that of the last of them.
  bool shared = false;
  /// See Supervision::probability.
  double probability = 1;
};

/// The plan of a host by itself, or with MLM, LAM or both: every module but the last is supervised
/// through nets of the host's, the last through the backbone's own head. Nets are called
/// "aux.3.local", or "aux.3.independent" and "aux.3.cascaded", modules counted from 1; weights of
/// new nets are a pure function of the seed and the net's name.
/// \throws UserError for a window longer than the partition and for leap rows that cannot run.
Plan make_local_plan(const Backbone& backbone, const Partition& partition, const Host& host,
                     const std::optional<Multilaminar>& multilaminar,
                     const std::optional<LeapAugmented>& leap_augmented, std::uint64_t seed);

}  // namespace mlaan
