// Analysis of a trained network: linear probes, similarity of features, cost of auxiliary nets.
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
  /// Probes read maps averaged over a grid of side × side parts.
  std::int64_t side = 1;
  /// Most training images of the run to train probes on; 0: all.
  std::int64_t probe_images = 0;
  bool test = false;  ///< measure on the test images too
  LinearProbeOptions probe;
  std::int64_t similarity_images = 500;  ///< how many of the first test images are used
  HsicEstimator estimator = HsicEstimator::unbiased;
};

/// Errors in per cent; NaN without images, and if not requested.
struct SplitErrors {
  double train = 0;
  double validation = 0;
  double test = 0;
};

/// One module: a linear probe on its frozen output, and the cost of its auxiliary nets.
struct ModuleAnalysis {
  std::string last_unit;
  Shape output_shape;
  std::int64_t features = 0;  ///< number of features that the probe reads
  SplitErrors probe;
  ForwardCost nets;  ///< sum over all auxiliary nets that read the output
};

/// CKA of every unit's output with that of every unit of another network.
struct SimilarityAnalysis {
  std::string against;  ///< path of the other checkpoint
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
  std::int64_t train_images = 0;  ///< that the probes were trained on
  std::int64_t validation_images = 0;
  std::int64_t test_images = 0;  ///< 0 if not requested
  std::vector<ModuleAnalysis> modules;
  SplitErrors head;      ///< of the network's own head
  ForwardCost backbone;  ///< all modules and the head
  ForwardCost nets;      ///< all auxiliary nets
  std::optional<SimilarityAnalysis> similarity;
};

/// Analyses the network of a checkpoint. Probes are trained on the run's own training images,
/// without augmentation, and measured on the images that the run held out.
/// \param settings of the checkpoint's run, adapted to this machine (data folder, device).
/// \param progress called with a line of text before each part.
/// \throws UserError if the data do not match the checkpoint, or if no image is held out and the
///         test images are not requested.
NetworkAnalysis analyse_network(const Checkpoint& checkpoint, const Settings& settings,
                                const DataSource& data, const AnalysisOptions& options,
                                const std::function<void(const std::string&)>& progress);

/// Compares the networks of two checkpoints on test images, on which neither was trained.
/// \throws UserError if backbones, data sets or images differ.
SimilarityAnalysis analyse_similarity(const Checkpoint& checkpoint, const Settings& settings,
                                      const Checkpoint& other, const Settings& other_settings,
                                      const DataSource& data, const AnalysisOptions& options,
                                      const std::function<void(const std::string&)>& progress);

}  // namespace mlaan
