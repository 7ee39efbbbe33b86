// A supervision plan: everything that distinguishes one training method from another, as data.
#pragma once

#include <mlaan/local/partition.h>
#include <mlaan/nn/auxiliary_net.h>
#include <mlaan/nn/loss.h>
#include <mlaan/nn/parameter_average.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace mlaan {

/// How a weight changes over a training, or over a phase of it.
enum class WeightCourse : std::uint8_t {
  constant,
  linear,
  cosine,  ///< as half a period of a cosine: slowly at both ends
};

/// "constant", "linear", "cosine".
std::string to_string(WeightCourse course);
/// \throws UserError for any other text.
WeightCourse parse_weight_course(const std::string& text);

/// One objective: weight · loss(net(f_last ∘ … ∘ f_first(stop_gradient(h)))), with h the input of
/// module `first`. Its gradient reaches the modules first … last and the net.
struct Supervision {
  std::string name;       ///< "independent", "cascaded", "output": for logs
  std::size_t first = 0;  ///< first module of the window, from 0
  std::size_t last = 0;   ///< last module of the window, whose output the net reads
  /// Supervisions that end at the same module and share net and loss are evaluated once; if they
  /// share only the net, it runs once for each loss. For the last module, use the backbone's own
  /// head, Backbone::head().
  std::shared_ptr<AuxiliaryNet> net;
  LossPtr loss;
  /// Factor on the loss; for a course that is not constant, at the beginning.
  double weight = 1;
  /// Share of the steps, drawn at random, in which the supervision is evaluated. Its weight is
  /// divided by this share, so that the expected gradient stays the same.
  double probability = 1;
  WeightCourse course = WeightCourse::constant;
  double final_weight = 1;  ///< at the end; unused if the course is constant
};

/// The supervision's weight at a time of the training, or of the plan's phase.
/// \param progress share of it that is done, from 0 to 1.
double weight_at(const Supervision& supervision, double progress);

/// The highest weight of the whole course. If it is 0, the supervision is never evaluated.
double highest_weight(const Supervision& supervision);

/// Which activations of a module or net are dropped after its forward pass and recomputed for the
/// backward pass.
enum class Recompute : std::uint8_t {
  none,
  activations,  ///< what layers can recompute cheaply by themselves (see RecomputesActivations),
                ///< and the whole of units in front of the backbone's first block
  module,       ///< all activations between the module's input and its output, once, in one piece
  units,        ///< those within each unit, one unit at a time, again for each backward pass
};

/// How to train a backbone. A value: print it, edit it, pass it to an Engine.
struct Plan {
  Partition partition;
  std::vector<Supervision> supervisions;
  /// The moving averages of the twins, updated once per step after all other updates.
  std::vector<ParameterAverage> averages;
  /// What each module recomputes. Empty: nothing.
  std::vector<Recompute> recompute;
  /// What each net recomputes, in the order of nets(plan). Recompute::module is not allowed, since
  /// a net's backward pass follows its forward pass at once. Empty: nothing.
  std::vector<Recompute> recompute_nets;
  /// For each net, in the order of nets(plan), the factor on the learning rate. Empty: 1 for all.
  std::vector<double> net_learning_rates{};
};

/// Checks that a plan fits a backbone.
/// \throws UserError if it does not: a window outside the partition or empty, a weight that is
///         negative or not finite, a supervision without net or loss, a module or a head that no
///         supervision trains.
void check(const Plan& plan, const Backbone& backbone);

/// Checks that a plan can be trained with labels that are probabilities.
/// \throws UserError if a supervision of a weight above 0 has a loss that needs classes.
void check_takes_probabilities(const Plan& plan);

/// Whether every supervision's loss takes any labels.
bool takes_any_labels(const Plan& plan);

/// Gives this label smoothing to every supervision whose loss is a cross-entropy without any.
/// \param label_smoothing from 0 to 1.
void smooth_labels(Plan& plan, double label_smoothing);

/// What module `module` recomputes.
Recompute recompute_of_module(const Plan& plan, std::size_t module);
/// What net `net`, in the order of nets(plan), recomputes.
Recompute recompute_of_net(const Plan& plan, std::size_t net);

/// The factor on the learning rate of net `net`, in the order of nets(plan).
double learning_rate_of_net(const Plan& plan, std::size_t net);

/// Multiplies the learning-rate factors of all nets but the backbone's own head by `factor`.
void scale_net_learning_rates(Plan& plan, const Backbone& backbone, double factor);

/// Parameters, or buffers, of the backbone and then of the nets, with the backbone's own head once.
std::vector<NamedTensor> named_parameters(const Backbone& backbone, const Plan& plan);
std::vector<NamedTensor> named_buffers(const Backbone& backbone, const Plan& plan);

/// The nets of a plan, each once, in the order of their first supervision, a trunk right before the
/// first net that reads it.
std::vector<std::shared_ptr<const AuxiliaryNet>> nets(const Plan& plan);

/// The most modules that any supervision of a weight above 0 spans.
std::size_t longest_window(const Plan& plan);

/// The units of module `module`.
std::vector<Unit> module_units(const Plan& plan, const Backbone& backbone, std::size_t module);

}  // namespace mlaan
