// The order in which one training step runs a plan: what is computed, kept and freed, and when.
#pragma once

#include <mlaan/local/plan.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace mlaan {

/// What a module keeps of its forward pass for the backward pass.
enum class Keep : std::uint8_t {
  nothing,      ///< no gradient will be asked for
  input,        ///< a Rebuild will come
  activations,  ///< the whole graph
};

/// Runs module `module` forward, once, on a detached copy of its input.
struct RunModule {
  std::size_t module;
  Keep keep;
  bool input_gradient;  ///< a gradient will have to travel on to the module before
};

/// Runs a net that other nets read on the output of module `module`, and keeps its graph.
struct RunTrunk {
  std::size_t module;
  std::size_t net;  ///< in the order of nets(plan)
};

/// Runs the net and loss of evaluation `evaluation` forward and backward: gradients of the net, and
/// the cotangent of the loss at the output that the net reads, the module's or its trunk's.
struct Evaluate {
  std::size_t evaluation;
};

/// Sends the cotangents at a trunk's output through it: its gradients, and cotangents at the output
/// of module `module`, for each first module of a window.
struct TrunkProduct {
  std::size_t module;
  std::size_t net;
  std::vector<std::size_t> starts;
};

/// Runs module `module` forward again, to have back what its backward pass needs. Random draws are
/// repeated; buffers (running statistics) stay as the first run left them.
struct Rebuild {
  std::size_t module;
};

/// One vector-Jacobian product through module `module`.
struct Product {
  std::size_t module;
  /// True: of the cotangent of the windows that begin at module `start`. False: of the sum of all
  /// cotangents at this module's output.
  bool of_group;
  std::size_t start;
  bool parameters;  ///< adds to the gradients of the module's parameters
  bool input;       ///< gives the cotangent of the group at the output of the module before
  bool last;        ///< frees the module's activations
};

/// Lets the optimizer of a module or of a net step, and drops the gradients.
struct Update {
  bool of_net;
  std::size_t index;  ///< of the module, or of the net in the order of nets(plan)
};

using Operation =
    std::variant<RunModule, RunTrunk, Evaluate, TrunkProduct, Rebuild, Product, Update>;

/// Supervisions that share a module, net, loss and probability.
struct Evaluation {
  std::size_t module;
  std::size_t net;                   ///< in the order of nets(plan)
  std::optional<std::size_t> trunk;  ///< that the net reads
  LossPtr loss;
  std::vector<std::size_t> supervisions;
  double weight = 0;  ///< the sum of all weights; at 0 it is left out
  double probability = 1;
  /// For each first module of a window, in the order of their supervisions, the windows' weight.
  struct Group {
    std::size_t start;
    double weight;
  };
  std::vector<Group> groups;
};

/// What a step does, in order.
struct Schedule {
  std::vector<Evaluation> evaluations;
  std::vector<Operation> operations;
};

/// What the schedule has to know besides the plan.
struct Trainable {
  std::vector<bool> modules;  ///< has a parameter that takes a gradient
  std::vector<bool> nets;     ///< likewise, in the order of nets(plan)
};

/// Finds an order of the step in which every module runs forward once, every gradient of the plan
/// is computed exactly, and activations are freed at the earliest.
///
/// Cotangents of windows with one start travel together, each through every module of the window
/// after its first, as soon as the last window of that start has been evaluated. A module's
/// parameters get their gradient in one product, of the sum of all its cotangents; where a module
/// is reached by one travelling group alone, that product gives the input's cotangent as well, so
/// that end-to-end training costs what backpropagation costs. Supervisions of weight 0 are left
/// out.
///
/// \param fused_update step each module's and net's optimizer as soon as its gradient is complete,
///        instead of all of them at the end.
Schedule make_schedule(const Plan& plan, const Trainable& trainable, bool fused_update);

/// Gives the evaluations the weights that their supervisions have when so much of the training, or
/// of its phase, is done. \param progress from 0 to 1.
void set_weights(Schedule& schedule, const Plan& plan, double progress);

/// The module that an operation is about: for a net's, the one whose output the net reads.
std::size_t module_of(const Operation& operation, const Schedule& schedule);

/// "forward 3", "product 2 of group 1: input", …, modules counted from 1.
std::string to_string(const Operation& operation, const Schedule& schedule);

}  // namespace mlaan
