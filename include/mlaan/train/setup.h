// From settings to the objects of a run: network, plan, engine options, loaders.
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

/// \throws UserError for a text that names no device, or one that is not there.
torch::Device parse_device(const std::string& text);

/// The run's data set.
DataSource make_data(const Settings& settings);

/// The run's backbone, freshly initialised from the seed.
Backbone make_backbone(const Settings& settings, std::int64_t classes, const Shape& image_shape);
/// The same, for the classes and pictures of a data set, with the weights that the run starts from.
Backbone make_backbone(const Settings& settings, const DataSource& data);

/// The method of this name: one of the registry's, HOST+ADDITION+…, or a plan file, whose name ends
/// with ".toml". \throws UserError for an unknown one.
MethodEntry method_named(const std::string& name);

/// The run's partition, for this method.
/// \throws UserError for a list of units that is none, or that does not make as many modules as the
///         run asks for.
Partition make_partition(const Settings& settings, const Backbone& backbone,
                         const MethodEntry& method);

/// The plan of a method, or of the one of this name, for the run's partition, recomputing what the
/// method itself asks for, with the run's label smoothing and learning rate of nets.
/// \throws UserError for a loss that needs classes where the run mixes images, and for a method
///         with phases (see training_phases()).
Plan make_bare_plan(const Settings& settings, const Backbone& backbone, const MethodEntry& method);
Plan make_bare_plan(const Settings& settings, const Backbone& backbone, const std::string& method);

/// The same, recomputing what the run's options ask for.
Plan make_plan(const Settings& settings, const Backbone& backbone, const MethodEntry& method);
Plan make_plan(const Settings& settings, const Backbone& backbone, const std::string& method);

/// A trial of the plan of a method, on a backbone of its own.
Trial make_trial(const Settings& settings, const Backbone& backbone, const MethodEntry& method);

/// Bytes that training may take; 0 where the run sets no limit.
std::int64_t memory_limit(const Settings& settings);

/// \throws UserError for a precision that the device cannot compute in.
EngineOptions make_engine_options(const Settings& settings);

/// Channels last for "auto" that has not been settled (see with_faster_memory_format()).
torch::MemoryFormat memory_format(const Settings& settings);

/// What is told of a damaged sample that a loader skips.
using SkipReport = std::function<void(const std::string& what)>;

/// Shuffled, augmented and mixed batches of the training part.
/// \param share of every batch, for one of several processes.
/// \param reads_pictures false: labels are enough, where they are to be had without the pictures.
std::unique_ptr<Loader> make_train_loader(const Settings& settings, const DataSource& data,
                                          std::vector<std::int64_t> indices,
                                          SkipReport on_skipped = {}, const BatchShare& share = {},
                                          bool reads_pictures = true);

/// Batches in order, as they are.
std::unique_ptr<Loader> make_plain_loader(const Settings& settings, const DataSource& data,
                                          const std::shared_ptr<const Dataset>& dataset,
                                          std::vector<std::int64_t> indices,
                                          SkipReport on_skipped = {});

/// All indices of a data set.
std::vector<std::int64_t> all_indices(const Dataset& dataset);

}  // namespace mlaan
