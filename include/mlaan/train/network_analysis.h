// What the modules of a trained network know: linear probes, similarity to another network, and
// what the auxiliary nets cost.
#pragma once

#include <mlaan/data/dataset.h>
#include <mlaan/local/cost_report.h>
#include <mlaan/train/checkpoint.h>
#include <mlaan/train/feature_similarity.h>
#include <mlaan/train/linear_probe.h>
#include <mlaan/train/settings.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace mlaan {

struct AnalysisOptions {
  /// Probes read averages over a grid of side × side parts of a map.
  std::int64_t side = 1;
  /// Train probes on at most so many of the run's training images; 0: all.
  std::int64_t probe_images = 0;
  bool test = false;  ///< measure on the test images too
  LinearProbeOptions probe;
  std::int64_t similarity_images = 500;  ///< the first of the test images
  HsicEstimator estimator = HsicEstimator::unbiased;
};

/// Errors in per cent; NaN where there are no images, or they were not asked for.
struct SplitErrors {
  double train = 0;
  double validation = 0;
  double test = 0;
};

/// One module: a linear probe on its frozen output, and what its auxiliary nets cost.
struct ModuleAnalysis {
  std::string last_unit;
  Shape output_shape;
  std::int64_t features = 0;  ///< that the probe reads
  SplitErrors probe;
  ForwardCost nets;  ///< all auxiliary nets that read its output, together
};

/// CKA of every unit's output with every unit's output of another network.
struct SimilarityAnalysis {
  std::string against;  ///< the other checkpoint
  std::int64_t images = 0;
  HsicEstimator estimator = HsicEstimator::unbiased;
  std::vector<std::string> units;
  std::vector<std::vector<double>> matrix;  ///< rows: the network's units; columns: the other's
};

struct NetworkAnalysis {
  std::string checkpoint;
  std::string method;
  std::string model;
  std::string dataset;
  std::int64_t train_images = 0;  ///< that probes were trained on
  std::int64_t validation_images = 0;
  std::int64_t test_images = 0;  ///< 0 where they were not asked for
  std::vector<ModuleAnalysis> modules;
  SplitErrors head;      ///< of the network's own head
  ForwardCost backbone;  ///< all modules and the head
  ForwardCost nets;      ///< all auxiliary nets
  std::optional<SimilarityAnalysis> similarity;
};

/// Analyses the network of a checkpoint. Probes are trained on the run's own training images, not
/// augmented, and measured on those that it held out.
/// \param settings of the checkpoint's run, on this machine (data folder, device).
/// \param progress called with a line of text before each part.
/// \throws UserError where the data are not of the checkpoint's kind, or where no image is held out
///         and the test images are not asked for.
NetworkAnalysis analyse_network(const Checkpoint& checkpoint, const Settings& settings,
                                const DataSource& data, const AnalysisOptions& options,
                                const std::function<void(const std::string&)>& progress);

/// Compares the networks of two checkpoints on test images, which neither was trained on.
/// \throws UserError where backbones, data sets or images differ.
SimilarityAnalysis analyse_similarity(const Checkpoint& checkpoint, const Settings& settings,
                                      const Checkpoint& other, const Settings& other_settings,
                                      const DataSource& data, const AnalysisOptions& options,
                                      const std::function<void(const std::string&)>& progress);

}  // namespace mlaan
