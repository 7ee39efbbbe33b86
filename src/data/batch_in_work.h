// A batch that a loader's threads are preparing.
#pragma once

#include <mlaan/data/batch.h>

#include <torch/types.h>

#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mlaan {

/// The order of the samples in one epoch.
struct EpochOrder {
  std::int64_t number = 0;
  std::shared_ptr<const std::vector<std::int64_t>> order;
};

/// A range of positions in a batch, without the end.
struct SampleRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// A batch that is being prepared. Workers claim and finish parts of it. Non-const members are
/// guarded by the loader's mutex, except that a worker writes its own part of `batch` without
/// locking.
struct BatchInWork {
  BatchInWork(EpochOrder of, std::int64_t number_of_batch, const SampleRange& part,
              std::int64_t whole_size)
      : epoch(std::move(of)),
        number(number_of_batch),
        first(part.begin),
        count(part.end - part.begin),
        kept(static_cast<std::size_t>(count), 1) {
    batch.whole_size = whole_size;
    batch.labels = torch::empty({count}, torch::kInt64);
    batch.indices = torch::empty({count}, torch::kInt64);
  }

  bool is_claimed() const { return claimed == count; }
  bool is_done() const { return done == count; }

  const EpochOrder epoch;
  const std::int64_t number;  ///< of the batch; with shares, batch · shares + own share
  const std::int64_t first;   ///< position of the batch's first sample in the epoch's order
  const std::int64_t count;
  Batch batch;
  std::vector<char> kept;  ///< 0 for samples to leave out
  std::int64_t claimed = 0;
  std::int64_t written = 0;
  std::int64_t done = 0;
  std::map<std::int64_t, std::string> skipped;  ///< by sample, what is wrong with it
  std::exception_ptr error;                     ///< the first error in the batch's order
  std::int64_t error_begin = 0;                 ///< where the part with the error begins
};

}  // namespace mlaan
