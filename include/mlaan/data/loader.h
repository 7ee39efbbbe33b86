// The loader: batches of a data set, prepared ahead by threads, in an order fixed by the seed.
#pragma once

#include <mlaan/data/batch.h>
#include <mlaan/data/dataset.h>
#include <mlaan/data/mix.h>
#include <mlaan/data/transform.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mlaan {

/// Which part of every batch a loader returns: one of `count` parts that are as equal as possible.
struct BatchShare {
  std::int64_t index = 0;  ///< from 0
  std::int64_t count = 1;
};

struct LoaderOptions {
  /// Samples in a batch, or in this process's share of it.
  std::int64_t batch_size = 128;
  /// For several processes that train on one batch: a whole batch has `batch_size` × `share.count`
  /// samples. Order and augmentation are those of one process with the whole batches; pictures are
  /// mixed within a share.
  BatchShare share;
  /// Threads that prepare batches; 0: next() prepares them in the calling thread.
  std::int64_t workers = 1;
  /// Draw a new order of the samples in every epoch; otherwise keep that of `indices`.
  bool shuffle = false;
  /// Leave out the last batch if it is not full, unless it is the only one.
  bool drop_last = false;
  torch::MemoryFormat memory_format = torch::MemoryFormat::Contiguous;
  std::uint64_t seed = 0;
  /// What happens to a sample whose reading throws DamagedPicture. False: next() rethrows it. True:
  /// if samples are shuffled, the next readable sample in the epoch's order replaces it, so that
  /// batches keep their size; otherwise the sample is left out.
  bool skip_damaged = false;
  /// Shape of an image, for callers that read labels alone: images are then zeros expanded from one
  /// number, and no picture is read. Empty: pictures are read. Cannot be combined with skip_damaged
  /// or `mix`.
  std::vector<std::int64_t> unread_shape;
  /// Called by next(), once for each damaged sample that is skipped.
  std::function<void(const std::string& what)> on_skipped;
  MixRecipe mix;             ///< applied if samples are shuffled
  std::int64_t classes = 0;  ///< number of classes; for mixing
};

/// Returns batches, one epoch after the other. The samples in batch b of epoch e and their
/// augmentation are a pure function of (seed, e, b), whatever the number of workers, so a run can
/// resume in the middle of an epoch. Workers prepare parts of the same batch and write straight
/// into it, so that a batch is ready early and few are in memory: two ahead, more only if batches
/// are smaller than the number of workers. A batch's memory is reused once nobody else refers to
/// it.
class Loader {
 public:
  /// \param indices numbers, in the data set, of the samples to load.
  Loader(std::shared_ptr<const Dataset> dataset, std::vector<std::int64_t> indices,
         Transform transform, const LoaderOptions& options);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  std::int64_t batches_per_epoch() const;
  /// Number of samples in an epoch's batches; of whole batches, if the loader returns shares of
  /// them.
  std::int64_t samples_per_epoch() const;

  /// Starts an epoch, at any of its batches, and discards the batches prepared so far.
  void start(std::int64_t epoch, std::int64_t first_batch = 0);

  /// The next batch of the epoch; nothing after the last.
  /// \throws the exception with which reading a sample of the batch failed, and UserError if
  ///         skipping leaves no sample.
  std::optional<Batch> next();

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

/// A training set divided by a seeded shuffle: the first part to train on, the last to validate on.
struct Split {
  std::vector<std::int64_t> train;
  std::vector<std::int64_t> validation;
};

/// \param size of the data set.
/// \param validation_fraction share of the data set to hold out, from 0 to below 1.
/// \param train_limit most training samples, the first of the shuffled ones; 0: all.
Split split_training_set(std::int64_t size, double validation_fraction, std::int64_t train_limit,
                         std::uint64_t seed);

}  // namespace mlaan
