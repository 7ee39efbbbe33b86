// Makes the objects of a run from its settings: network, plan, engine options, loaders.
#pragma once

#include <mlaan/data/loader.h>
#include <mlaan/local/engine.h>
#include <mlaan/local/method.h>
#include <mlaan/local/trial.h>
#include <mlaan/train/settings.h>

#include <functional>
#include <memory>
#include <string>

namespace mlaan {

/// \throws UserError for a text that names no device, and for a device that is not available.
torch::Device parse_device(const std::string& text);

/// The run's data set.
DataSource make_data(const Settings& settings);

/// The run's backbone, freshly initialised from the seed.
Backbone make_backbone(const Settings& settings, std::int64_t classes, const Shape& image_shape);
/// The same for the classes and pictures of a data set, with the weights that the run starts from.
Backbone make_backbone(const Settings& settings, const DataSource& data);

/// The method of this name: one of the registry's, HOST+ADDITION+…, or a plan file, whose name ends
/// with ".toml".
/// \throws UserError for an unknown method.
MethodEntry method_named(const std::string& name);

/// The run's partition for this method.
/// \throws UserError for an invalid list of units, or one that does not make as many modules as the
///         run requests.
Partition make_partition(const Settings& settings, const Backbone& backbone,
                         const MethodEntry& method);

/// The plan of a method, given or by name, for the run's partition, with the recomputation that the
/// method itself specifies, and the run's label smoothing and learning rate of nets.
/// \throws UserError for a loss that cannot read probabilities if the run mixes labels, and for a
///         method with phases (see training_phases()).
Plan make_bare_plan(const Settings& settings, const Backbone& backbone, const MethodEntry& method);
Plan make_bare_plan(const Settings& settings, const Backbone& backbone, const std::string& method);

/// The same, with the recomputation that the run's options specify.
Plan make_plan(const Settings& settings, const Backbone& backbone, const MethodEntry& method);
Plan make_plan(const Settings& settings, const Backbone& backbone, const std::string& method);

/// A trial of a method's plan, on a backbone of its own.
Trial make_trial(const Settings& settings, const Backbone& backbone, const MethodEntry& method);

/// Most bytes that training may take; 0: no limit.
std::int64_t memory_limit(const Settings& settings);

/// \throws UserError for a precision that the device does not support.
EngineOptions make_engine_options(const Settings& settings);

/// The memory format of the settings; channels last for an "auto" that has not been decided (see
/// with_faster_memory_format()).
torch::MemoryFormat memory_format(const Settings& settings);

/// Called with a message for each damaged sample that a loader skips.
using SkipReport = std::function<void(const std::string& what)>;

/// Shuffled, augmented and mixed batches of the training part.
/// \param share of every batch, for one of several processes.
/// \param reads_pictures false: the caller needs labels alone, and pictures are not read where
///         labels are known without them.
std::unique_ptr<Loader> make_train_loader(const Settings& settings, const DataSource& data,
                                          std::vector<std::int64_t> indices,
                                          SkipReport on_skipped = {}, const BatchShare& share = {},
                                          bool reads_pictures = true);

/// Batches in order, without augmentation.
std::unique_ptr<Loader> make_plain_loader(const Settings& settings, const DataSource& data,
                                          const std::shared_ptr<const Dataset>& dataset,
                                          std::vector<std::int64_t> indices,
                                          SkipReport on_skipped = {});

/// All indices of a data set.
std::vector<std::int64_t> all_indices(const Dataset& dataset);

}  // namespace mlaan
