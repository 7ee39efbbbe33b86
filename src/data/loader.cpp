// The loader: batches that threads prepare ahead, in an order determined by the seed.
#include "core/joined_threads.h"
#include "core/sole_owner.h"
#include "data/batch_in_work.h"

#include <mlaan/core/error.h>
#include <mlaan/core/random.h>
#include <mlaan/data/loader.h>
#include <mlaan/data/picture.h>
#include <mlaan/measure/memory.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <set>
#include <string>

namespace mlaan {
namespace {

std::uint64_t key_of(std::int64_t number) {
  return static_cast<std::uint64_t>(number);
}

}  // namespace

class Loader::Implementation {
 public:
  Implementation(std::shared_ptr<const Dataset> dataset, std::vector<std::int64_t> indices,
                 Transform transform, LoaderOptions options)
      : dataset_(std::move(dataset)),
        indices_(std::move(indices)),
        transform_(std::move(transform)),
        options_(std::move(options)) {
    try {
      for (std::int64_t i = 0; i < options_.workers; ++i) {
        workers_.start([this] { work(); });
      }
    } catch (...) {
      close();
      throw;
    }
  }

  ~Implementation() { close(); }

  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  std::int64_t batches_per_epoch() const {
    const std::int64_t full = sample_count() / whole_batch();
    const bool rest_counts =
        sample_count() % whole_batch() != 0 && (!options_.drop_last || full == 0);
    return full + (rest_counts ? 1 : 0);
  }

  std::int64_t samples_per_epoch() const {
    return std::min(sample_count(), batches_per_epoch() * whole_batch());
  }

  void start(std::int64_t epoch, std::int64_t first_batch) {
    auto order = std::make_shared<std::vector<std::int64_t>>(indices_);
    if (options_.shuffle) {
      const auto places = random_permutation(
          sample_count(), random_key({options_.seed, random_key("order"), key_of(epoch)}));
      for (std::size_t i = 0; i < places.size(); ++i) {
        (*order)[i] = indices_[static_cast<std::size_t>(places[i])];
      }
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      epoch_ = {epoch, std::move(order)};
      next_to_begin_ = first_batch;
      in_work_.clear();
    }
    changed_.notify_all();
  }

  std::optional<Batch> next() {
    for (;;) {
      const std::shared_ptr<BatchInWork> work = workers_.empty() ? prepare_next() : wait_for_next();
      if (!work) return std::nullopt;
      if (work->error) std::rethrow_exception(work->error);
      for (const auto& [index, what] : work->skipped) {
        if (reported_.insert(index).second && options_.on_skipped) options_.on_skipped(what);
      }
      Batch batch = without_left_out(*work);
      if (batch.labels.size(0) > 0) return batch;
    }
  }

 private:
  void close() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      closing_ = true;
    }
    changed_.notify_all();
    workers_.join();
  }

  std::int64_t whole_batch() const { return options_.batch_size * options_.share.count; }

  std::int64_t sample_count() const { return static_cast<std::int64_t>(indices_.size()); }

  /// Samples that a worker prepares at a time: few, so that all workers finish a batch together.
  std::int64_t samples_at_a_time() const {
    const std::int64_t workers = std::max<std::int64_t>(1, options_.workers);
    return std::clamp<std::int64_t>(options_.batch_size / (4 * workers), 1, 32);
  }

  /// Number of batches that may be in preparation or waiting to be requested: one, and as many as
  /// are needed to give every worker a part.
  std::size_t most_ahead() const {
    const std::int64_t samples = options_.workers * samples_at_a_time();
    return 1 + static_cast<std::size_t>((samples + options_.batch_size - 1) / options_.batch_size);
  }

  /// Begins the next batch; null after the last of the epoch.
  std::shared_ptr<BatchInWork> begin_next() {
    if (!epoch_.order || next_to_begin_ >= batches_per_epoch()) return nullptr;
    const std::int64_t batch = next_to_begin_++;
    const std::int64_t first = batch * whole_batch();
    const std::int64_t size = std::min(whole_batch(), sample_count() - first);
    const BatchShare& share = options_.share;
    // As in LibTorch's tensor_split(): if the size is not divisible, the first parts get one more.
    const auto begin_of = [&](std::int64_t index) {
      return first + index * (size / share.count) + std::min(index, size % share.count);
    };
    auto work = std::make_shared<BatchInWork>(
        epoch_, batch * share.count + share.index,
        SampleRange{begin_of(share.index), begin_of(share.index + 1)}, size);
    if (!options_.unread_shape.empty()) {
      std::vector<std::int64_t> sizes{work->count};
      sizes.insert(sizes.end(), options_.unread_shape.begin(), options_.unread_shape.end());
      work->batch.images = torch::zeros({1}).expand(sizes);
    }
    return work;
  }

  std::shared_ptr<BatchInWork> prepare_next() {
    const measure::MemoryKindScope kind(measure::MemoryKind::data);
    auto work = begin_next();
    if (work) {
      work->claimed = work->count;
      prepare(*work, {0, work->count});
    }
    return work;
  }

  std::shared_ptr<BatchInWork> wait_for_next() {
    std::unique_lock<std::mutex> lock(mutex_);
    // Only this thread begins epochs, so the epoch cannot change while it waits.
    if (in_work_.empty() && (!epoch_.order || next_to_begin_ >= batches_per_epoch())) {
      return nullptr;
    }
    changed_.wait(lock, [this] { return !in_work_.empty() && in_work_.front()->is_done(); });
    auto work = std::move(in_work_.front());
    in_work_.pop_front();
    lock.unlock();
    changed_.notify_all();
    return work;
  }

  /// Claims a part of the earliest batch with an unclaimed part, or begins another batch; null if
  /// there would be too many batches.
  std::shared_ptr<BatchInWork> claim(SampleRange& part) {
    const auto unclaimed = std::find_if(in_work_.begin(), in_work_.end(),
                                        [](const auto& work) { return !work->is_claimed(); });
    std::shared_ptr<BatchInWork> work;
    if (unclaimed != in_work_.end()) {
      work = *unclaimed;
    } else if (in_work_.size() < most_ahead()) {
      work = begin_next();
      if (work) in_work_.push_back(work);
    }
    if (!work) return nullptr;
    part.begin = work->claimed;
    part.end = std::min(work->count, part.begin + samples_at_a_time());
    work->claimed = part.end;
    return work;
  }

  void work() {
    const measure::MemoryKindScope kind(measure::MemoryKind::data);
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      SampleRange part;
      std::shared_ptr<BatchInWork> work;
      changed_.wait(lock, [&] { return closing_ || (work = claim(part)); });
      if (closing_) return;
      lock.unlock();
      prepare(*work, part);
      lock.lock();
      if (work->is_done()) changed_.notify_all();
    }
  }

  /// Prepares a claimed part, and records its completion or error.
  void prepare(BatchInWork& work, const SampleRange& part) {
    std::exception_ptr error;
    try {
      for (std::int64_t i = part.begin; i < part.end; ++i) prepare(work, i);
      if (completes(work, part) && options_.shuffle) {
        mix(work.batch, options_.classes, options_.mix, work.epoch.number,
            random_key({options_.seed, random_key("mix"), key_of(work.epoch.number),
                        key_of(work.number)}));
      }
    } catch (...) {
      error = std::current_exception();
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    work.done += part.end - part.begin;
    if (!error) return;
    // Parts are claimed in order, so all parts before this one are finished or in progress. The
    // first error of the batch is therefore reported whichever thread is faster.
    if (!work.error || part.begin < work.error_begin) {
      work.error = error;
      work.error_begin = part.begin;
    }
    work.done += work.count - work.claimed;
    work.claimed = work.count;
  }

  /// Whether this part completes the batch's samples.
  bool completes(BatchInWork& work, const SampleRange& part) {
    const std::lock_guard<std::mutex> lock(mutex_);
    work.written += part.end - part.begin;
    return work.written == work.count;
  }

  /// Writes the label of the sample at a position of the batch, without reading the image.
  void prepare_label(BatchInWork& work, std::int64_t position) {
    const auto& order = *work.epoch.order;
    const std::int64_t index = order[static_cast<std::size_t>(work.first + position)];
    work.batch.labels.data_ptr<std::int64_t>()[position] = dataset_->label(index);
    work.batch.indices.data_ptr<std::int64_t>()[position] = index;
  }

  /// Prepares the sample at a position of the batch. A damaged sample is replaced by the next one.
  void prepare(BatchInWork& work, std::int64_t position) {
    if (!options_.unread_shape.empty()) {
      prepare_label(work, position);
      return;
    }
    const auto& order = *work.epoch.order;
    const auto place = static_cast<std::size_t>(work.first + position);
    const std::size_t choices = options_.skip_damaged && options_.shuffle ? order.size() : 1;
    for (std::size_t k = 0; k < choices; ++k) {
      const std::int64_t index = order[(place + k) % order.size()];
      try {
        write(work, position, index);
        return;
      } catch (const DamagedPicture& damaged) {
        if (!options_.skip_damaged) throw;
        const std::lock_guard<std::mutex> lock(mutex_);
        work.skipped.emplace(index, damaged.what());
      }
    }
    if (options_.shuffle) throw UserError("none of the pictures can be read");
    work.kept[static_cast<std::size_t>(position)] = 0;
  }

  void write(BatchInWork& work, std::int64_t position, std::int64_t index) {
    const std::uint64_t key = random_key({options_.seed, key_of(work.epoch.number), key_of(index)});
    const Sample sample = dataset_->get_framed(index, transform_.frame(key));
    const torch::Tensor images = images_of(work, sample.image);
    if (sample.image.sizes() != images.sizes().slice(1)) {
      throw UserError("image " + std::to_string(index) + " of the data set differs in size (" +
                      c10::str(sample.image.sizes()) + ") from others of its batch (" +
                      c10::str(images.sizes().slice(1)) + ")");
    }
    transform_.apply(sample.image, images.select(0, position), key);
    work.batch.labels.data_ptr<std::int64_t>()[position] = sample.label;
    work.batch.indices.data_ptr<std::int64_t>()[position] = index;
  }

  /// The batch's image memory, which is allocated when the size of its first image is known.
  torch::Tensor images_of(BatchInWork& work, const torch::Tensor& image) {
    const std::lock_guard<std::mutex> lock(mutex_);
    auto& images = work.batch.images;
    if (!images.defined()) {
      images = memory_for({work.count, image.size(0), image.size(1), image.size(2)});
    }
    return images;
  }

  /// Reuses memory that nobody else holds, or allocates.
  torch::Tensor memory_for(const std::vector<std::int64_t>& sizes) {
    for (const auto& buffer : buffers_) {
      if (is_sole_owner(buffer) && buffer.sizes() == sizes) return buffer;
    }
    buffers_.erase(std::remove_if(buffers_.begin(), buffers_.end(), is_sole_owner), buffers_.end());
    // If the caller keeps more batches than that, their memory is no longer tracked.
    while (buffers_.size() > most_ahead() + 1) buffers_.erase(buffers_.begin());
    buffers_.push_back(
        torch::empty(sizes, torch::TensorOptions(torch::kFloat32), options_.memory_format));
    return buffers_.back();
  }

  Batch without_left_out(const BatchInWork& work) const {
    const Batch& batch = work.batch;
    std::vector<std::int64_t> positions;
    for (std::int64_t i = 0; i < work.count; ++i) {
      if (work.kept[static_cast<std::size_t>(i)] != 0) positions.push_back(i);
    }
    const auto count = static_cast<std::int64_t>(positions.size());
    if (count == work.count) return batch;
    if (count == 0) return {torch::Tensor(), batch.labels.narrow(0, 0, 0), {}};
    const measure::MemoryKindScope kind(measure::MemoryKind::data);
    const auto kept = torch::tensor(positions);
    return {batch.images.index_select(0, kept).contiguous(options_.memory_format),
            batch.labels.index_select(0, kept), batch.indices.index_select(0, kept),
            batch.whole_size};
  }

  const std::shared_ptr<const Dataset> dataset_;
  const std::vector<std::int64_t> indices_;
  const Transform transform_;
  const LoaderOptions options_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool closing_ = false;
  EpochOrder epoch_;
  std::int64_t next_to_begin_ = 0;
  std::deque<std::shared_ptr<BatchInWork>> in_work_;  ///< in the epoch's order
  std::vector<torch::Tensor> buffers_;                ///< image memory of batches, in use or free
  std::set<std::int64_t> reported_;                   ///< damaged samples that were reported
  JoinedThreads workers_;
};

Loader::Loader(std::shared_ptr<const Dataset> dataset, std::vector<std::int64_t> indices,
               Transform transform, const LoaderOptions& options)
    : implementation_(std::make_unique<Implementation>(std::move(dataset), std::move(indices),
                                                       std::move(transform), options)) {}
Loader::~Loader() = default;

std::int64_t Loader::batches_per_epoch() const {
  return implementation_->batches_per_epoch();
}
std::int64_t Loader::samples_per_epoch() const {
  return implementation_->samples_per_epoch();
}

void Loader::start(std::int64_t epoch, std::int64_t first_batch) {
  implementation_->start(epoch, first_batch);
}

std::optional<Batch> Loader::next() {
  return implementation_->next();
}

}  // namespace mlaan
