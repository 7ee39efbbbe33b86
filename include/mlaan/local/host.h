// A host: what a local-learning method puts at the end of each module; MLM and LAM build on any.
#pragma once

#include <mlaan/local/plan_description.h>
#include <mlaan/nn/layers/leap.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace mlaan {

/// Where a net of a host stands.
struct NetPlace {
  std::size_t module = 0;  ///< whose output it reads, maybe through further layers; from 0
  /// The unit whose output it reads, or, behind leap layers, the one that the last of them copies.
  std::size_t unit = 0;
  Shape features;  ///< that it reads, without the batch
  Shape map;       ///< of tokens, that which the layer 'map' makes of them; else as `features`
  std::int64_t classes = 0;

  void set_features(const Shape& shape, const Backbone& backbone);
};

/// One of the nets at the end of a module, and what it minimises.
struct HostNet {
  std::string name;  ///< what it is called where there are several: "classifier"
  std::function<LayerTexts(const NetPlace& place)> layers;
  std::string loss;  ///< as parse_loss() takes it
  /// Weight of its loss at module `module`, from 0; where that is 0 there is no net. Null: 1.
  std::function<double(std::size_t module)> weight;
};

/// The nets at the end of each module but the last.
struct Host {
  std::vector<HostNet> nets;
  /// Layers that all of the nets read; null for none.
  std::function<LayerTexts(const NetPlace& place)> trunk;
};

/// Multilaminar local modules (MLAAN, AAAI 2025, MLM): for each module j an independent supervision
/// of [j..j], and for each full window a cascaded one of [j−k+1..j].
struct Multilaminar {
  std::size_t window = 2;
  /// Modules from one window's end to the next's, at most `window`: 1 in the paper. The last window
  /// ends with the network all the same.
  std::size_t stride = 1;
  double independent_weight = 0.001;
  double cascaded_weight = 0.999;
  /// Whether modules that a window of several ends at have an independent supervision too, as in
  /// the paper. Without, all that such a module is given comes from its window and goes on to the
  /// modules before it, in one product instead of two.
  bool independent_at_ends = true;
  /// As the published code does: no independent supervision of the first module, and of the last
  /// window only the cascaded one, with weight 1.
  bool published_code = false;
};

/// Which leap layers have a frozen twin that follows the unit by exponential moving average.
enum class Twins : std::uint8_t { none, first, all };

/// Leap augmented modules (LAM): leap layers ahead of the host's nets.
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
  /// Leap layers that read their units' own weights instead of being trained. Without twins.
  bool tied = false;
  /// The nets end in the backbone's own head, read in the same way, instead of the host's net.
  bool readout = false;
  /// Modules whose outputs have one shape - a stage - share one net: that of the last of them.
  bool shared = false;
  /// See Supervision::probability.
  double probability = 1;
};

/// What a local-learning method is made of.
struct LocalMethod {
  Partition partition;
  Host host;
  std::optional<Multilaminar> multilaminar;
  std::optional<LeapAugmented> leap_augmented;
};

/// The plan of a host by itself, or with MLM, LAM or both: every module but the last is supervised
/// through the host's nets, the last through the backbone's own head. A single net is called
/// "aux.3.local", or "aux.3.independent" and "aux.3.cascaded", modules counted from 1; where there
/// are several, "aux.3.local.classifier" and so on, and what they share "aux.3.local.trunk".
/// \throws UserError for a window longer than the partition, a stride longer than the window, and
///         for leap rows that cannot run.
PlanDescription describe(const LocalMethod& method, const Backbone& backbone);

/// The same, with the nets made.
Plan make_plan(const LocalMethod& method, const Backbone& backbone, std::uint64_t seed);

}  // namespace mlaan
