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

/// Which part of every batch a loader gives: one of `count` that are as equal as can be.
struct BatchShare {
  std::int64_t index = 0;
  std::int64_t count = 1;
};

struct LoaderOptions {
  std::int64_t batch_size = 128;
  /// Of several processes that train on one batch, each with `batch_size` samples of it: a whole
  /// batch has `share.count` times as many. Order and augmentation are those of one process whose
  /// batches are the whole ones; pictures are mixed within a share.
  BatchShare share;
  /// Threads that prepare batches; 0: the caller's own.
  std::int64_t workers = 1;
  /// A new order of the samples in every epoch. Otherwise that of `indices`.
  bool shuffle = false;
  /// Leave out the samples that make no full batch, unless there is no other.
  bool drop_last = false;
  torch::MemoryFormat memory_format = torch::MemoryFormat::Contiguous;
  std::uint64_t seed = 0;
  /// What happens to a sample whose reading throws DamagedPicture. False: next() throws it. True:
  /// where samples are shuffled, the next of the epoch's order that can be read takes its place, so
  /// that batches keep their size; otherwise it is left out.
  bool skip_damaged = false;
  /// Of each picture, where nobody looks at pictures: batches then have zeros that take no memory,
  /// and the labels alone are read. Empty: pictures are read. Does not go with skip_damaged or
  /// `mix`.
  std::vector<std::int64_t> unread_shape;
  /// Told of each damaged sample that is skipped, once, in a call of next().
  std::function<void(const std::string& what)> on_skipped;
  MixRecipe mix;             ///< where samples are shuffled
  std::int64_t classes = 0;  ///< of the labels; for mixing
};

/// Gives the batches of one epoch after the other. Which samples are in batch b of epoch e, and how
/// they are augmented, is a pure function of (seed, e, b), whatever the number of workers; so a run
/// can go on in the middle of an epoch. Workers prepare parts of the same batch, written straight
/// into it, so that a batch is ready soon and few are held: two ahead, more only where batches are
/// smaller than the number of workers. A batch's memory is used again once nobody else holds it.
class Loader {
 public:
  /// \param indices of the samples to give, in the data set.
  Loader(std::shared_ptr<const Dataset> dataset, std::vector<std::int64_t> indices,
         Transform transform, const LoaderOptions& options);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  std::int64_t batches_per_epoch() const;
  /// Number of samples of an epoch's batches, whole ones where it gives shares of them.
  std::int64_t samples_per_epoch() const;

  /// Begins an epoch, at any of its batches; drops what was prepared of another.
  void start(std::int64_t epoch, std::int64_t first_batch = 0);

  /// The next batch, or nothing after the last.
  /// \throws whatever reading a sample of the batch threw, and UserError where skipping leaves no
  ///         sample.
  std::optional<Batch> next();

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

/// A training set cut in two by a seeded shuffle: the first part to train on, the last to validate
/// on.
struct Split {
  std::vector<std::int64_t> train;
  std::vector<std::int64_t> validation;
};

/// \param size of the data set.
/// \param validation_fraction share of the data set to hold out, from 0 to below 1.
/// \param train_limit at most so many training samples, the first of the shuffled ones; 0: all.
Split split_training_set(std::int64_t size, double validation_fraction, std::int64_t train_limit,
                         std::uint64_t seed);

}  // namespace mlaan
