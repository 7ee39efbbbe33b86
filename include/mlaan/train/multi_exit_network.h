// Networks with early exits: classifiers behind modules, for answers before the last one.
#pragma once

#include <mlaan/local/plan.h>
#include <mlaan/nn/backbone.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace mlaan {

/// An auxiliary net that classifies what a module gives.
struct EarlyExit {
  std::size_t module = 0;  ///< from 0; the one whose output it reads
  std::shared_ptr<const AuxiliaryNet> net;
};

/// A backbone and exits on its way.
struct MultiExitNetwork {
  Backbone backbone;
  Partition partition;
  std::vector<EarlyExit> exits;  ///< in the order of their modules; empty: the head alone

  /// Logits of each exit, and behind them those of the head.
  std::vector<torch::Tensor> forward(const torch::Tensor& images) const;

  /// Those of the backbone and of the exits' nets.
  std::vector<NamedTensor> named_parameters() const;
  std::vector<NamedTensor> named_buffers() const;
  void train(bool on) const;
  void to(torch::Device device) const;

  /// "exit_3" for the exit of module 3, "logits" for the head.
  std::vector<std::string> output_names() const;
};

/// Copies a file's tensors into the parameters and buffers of the same names; what else it has is
/// left out. Counters of batches may be missing.
/// \param path of the file, for messages.
/// \throws UserError, and changes nothing, where one is missing or of another shape.
void load_tensors(const std::vector<NamedTensor>& tensors, const std::filesystem::path& path,
                  const MultiExitNetwork& network);

/// The nets of a plan that classify: those of the supervisions whose loss is a cross-entropy,
/// without the backbone's own head. A module can have several.
std::vector<EarlyExit> early_exits(const Plan& plan, const Backbone& backbone);

/// The plan that the exits and the head alone make: what they are built by again.
Plan plan_of_exits(const MultiExitNetwork& network, const Plan& plan);

/// Of each module the exit of the lowest error, the first of equal ones.
/// \param errors of the exits; what is undefined is higher than any.
/// \return numbers of the exits that stay, in their order.
std::vector<std::size_t> best_exits(const std::vector<EarlyExit>& exits,
                                    const std::vector<double>& errors);

}  // namespace mlaan
