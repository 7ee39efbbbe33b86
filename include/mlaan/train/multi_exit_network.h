// Networks with early exits: classifiers after modules, which answer before the last module.
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

/// An auxiliary net that classifies a module's output.
struct EarlyExit {
  std::size_t module = 0;  ///< whose output the net reads, from 0
  std::shared_ptr<const AuxiliaryNet> net;
};

/// A backbone with early exits.
struct MultiExitNetwork {
  Backbone backbone;
  Partition partition;
  std::vector<EarlyExit> exits;  ///< ordered by module; empty: the head alone

  /// The logits of each exit, followed by those of the head.
  std::vector<torch::Tensor> forward(const torch::Tensor& images) const;

  /// The tensors of the backbone and of the exits' nets.
  std::vector<NamedTensor> named_parameters() const;
  std::vector<NamedTensor> named_buffers() const;
  void train(bool on) const;
  void to(torch::Device device) const;

  /// "exit_3" for the exit of module 3, "logits" for the head.
  std::vector<std::string> output_names() const;
};

/// Copies a file's tensors into the parameters and buffers of the same names; other tensors are
/// ignored. Counters of batches (`num_batches_tracked`) may be missing.
/// \param path of the file, for error messages.
/// \throws UserError, without changing anything, if a tensor is missing or has another shape.
void load_tensors(const std::vector<NamedTensor>& tensors, const std::filesystem::path& path,
                  const MultiExitNetwork& network);

/// The nets of a plan that classify: those of supervisions with a cross-entropy loss, except the
/// backbone's own head. A module can have several.
std::vector<EarlyExit> early_exits(const Plan& plan, const Backbone& backbone);

/// A plan with the exits and the head alone, from which an exported network is built again.
Plan plan_of_exits(const MultiExitNetwork& network, const Plan& plan);

/// For each module, the exit with the lowest error; the first one if errors are equal.
/// \param errors of the exits; NaN counts as higher than any number.
/// \return indices of the exits to keep, in order.
std::vector<std::size_t> best_exits(const std::vector<EarlyExit>& exits,
                                    const std::vector<double>& errors);

}  // namespace mlaan
