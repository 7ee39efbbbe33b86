// A host: the auxiliary nets of a local method at the end of each module; MLM and LAM extend any.
#pragma once

#include <mlaan/local/plan_description.h>
#include <mlaan/nn/layers/leap.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace mlaan {

/// The place in the backbone where a net of a host is attached.
struct NetPlace {
  std::size_t module = 0;  ///< module whose output it reads, perhaps through other layers; from 0
  /// The unit whose output it reads or, after leap layers, the unit that the last of them copies.
  std::size_t unit = 0;
  Shape features;  ///< shape of its input, without the batch
  Shape map;       ///< for tokens, the shape that the layer 'map' makes of them; else `features`
  std::int64_t classes = 0;

  void set_features(const Shape& shape, const Backbone& backbone);
};

/// One of the nets at the end of a module, and what it minimises.
struct HostNet {
  std::string name;  ///< tells several nets apart: "classifier"
  std::function<LayerTexts(const NetPlace& place)> layers;
  std::string loss;  ///< text for parse_loss()
  /// Weight of its loss at module `module`, from 0; at weight 0 the module has no such net. Null:
  /// always 1.
  std::function<double(std::size_t module)> weight;
};

/// The nets at the end of each module but the last.
struct Host {
  std::vector<HostNet> nets;
  /// Layers of a trunk that all of the nets read; null for none.
  std::function<LayerTexts(const NetPlace& place)> trunk;
};

/// Multilaminar local modules (MLAAN, AAAI 2025, MLM): for each module j an independent supervision
/// of [j..j], and for each full window a cascaded one of [j−k+1..j].
struct Multilaminar {
  std::size_t window = 2;  ///< modules of a window (k)
  /// Number of modules from one window's end to the next one's, at most `window`: 1 in the paper.
  /// The last window ends with the network in any case.
  std::size_t stride = 1;
  double independent_weight = 0.001;
  double cascaded_weight = 0.999;
  /// Whether a module at the end of a window of several modules has an independent supervision too,
  /// as in the paper. If not, the whole gradient of such a module comes from its window and goes on
  /// to the modules before it, in one backward pass instead of two.
  bool independent_at_ends = true;
  /// Whether to follow the published code: no independent supervision of the first module, and for
  /// the last window only the cascaded supervision, with weight 1.
  bool published_code = false;
};

/// Which leap layers have a frozen twin that follows the unit by exponential moving average.
enum class Twins : std::uint8_t { none, first, all };

/// Leap augmented modules (LAM): leap layers before the host's nets.
struct LeapAugmented {
  /// For each module but the last, the units that its leap layers copy.
  std::vector<LeapRow> rows;
  Twins twins = Twins::first;
  double ema_momentum = 0.995;  ///< of the twins' moving averages
  /// Factor by which average pooling reduces both sides of the module's maps before the first leap
  /// layer; 1: no pooling.
  std::int64_t pool = 1;
  /// Factor to divide the channels of the leap layers by; their input is averaged over groups of so
  /// many channels. 1: full width.
  std::int64_t narrow = 1;
  /// Whether leap layers share their units' own weights instead of being trained; there are then no
  /// twins.
  bool tied = false;
  /// Whether leap layers stay as they are: copies of their units as these are at the start, or as
  /// the phase of the training before left them.
  bool frozen = false;
  /// Whether the nets end in the backbone's own head, whose weights they share, instead of the
  /// host's net.
  bool readout = false;
  /// Whether neighbouring modules whose outputs have the same shape share one net, that of the last
  /// of them.
  bool shared = false;
  /// See Supervision::probability.
  double probability = 1;
};

/// The components of a local-learning method.
struct LocalMethod {
  Partition partition;
  Host host;
  std::optional<Multilaminar> multilaminar;
  std::optional<LeapAugmented> leap_augmented;
};

/// Describes the plan of a host by itself, or with MLM, LAM or both: every module but the last is
/// supervised through the host's nets, the last through the backbone's own head. A single net is
/// named "aux.3.local", or "aux.3.independent" and "aux.3.cascaded", with modules counted from 1;
/// several nets are named "aux.3.local.classifier" and so on, and their trunk "aux.3.local.trunk".
/// \throws UserError for a window longer than the partition, a stride longer than the window, and
///         for leap rows that cannot run.
PlanDescription describe(const LocalMethod& method, const Backbone& backbone);

/// Builds the plan that describe() describes. The seed determines the nets' initial weights.
Plan make_plan(const LocalMethod& method, const Backbone& backbone, std::uint64_t seed);

}  // namespace mlaan
