// The loader: batches of a data set, prepared ahead by threads, in an order fixed by the seed.
#include <mlaan/core/random.h>
#include <mlaan/data/loader.h>
#include <mlaan/measure/memory.h>

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <numeric>
#include <thread>

namespace mlaan {
namespace {

std::uint64_t key_of(std::int64_t number) {
  return static_cast<std::uint64_t>(number);
}

}  // namespace

class Loader::Implementation {
 public:
  Implementation(std::shared_ptr<const Dataset> dataset, std::vector<std::int64_t> indices,
                 Transform transform, const LoaderOptions& options)
      : dataset_(std::move(dataset)),
        indices_(std::move(indices)),
        transform_(std::move(transform)),
        options_(options) {
    for (std::int64_t i = 0; i < options_.workers; ++i) {
      workers_.emplace_back([this] { work(); });
    }
  }

  ~Implementation() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      closing_ = true;
    }
    changed_.notify_all();
    for (auto& worker : workers_) worker.join();
  }

  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  std::int64_t batches_per_epoch() const {
    const auto samples = static_cast<std::int64_t>(indices_.size());
    const std::int64_t full = samples / options_.batch_size;
    const bool rest_counts =
        samples % options_.batch_size != 0 && (!options_.drop_last || full == 0);
    return full + (rest_counts ? 1 : 0);
  }

  std::int64_t samples_per_epoch() const {
    return std::min(static_cast<std::int64_t>(indices_.size()),
                    batches_per_epoch() * options_.batch_size);
  }

  void start(std::int64_t epoch, std::int64_t first_batch) {
    auto order = std::make_shared<std::vector<std::int64_t>>(indices_);
    if (options_.shuffle) {
      const auto places =
          random_permutation(static_cast<std::int64_t>(indices_.size()),
                             random_key({options_.seed, random_key("order"), key_of(epoch)}));
      for (std::size_t i = 0; i < places.size(); ++i) {
        (*order)[i] = indices_[static_cast<std::size_t>(places[i])];
      }
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ++generation_;
      epoch_ = {epoch, std::move(order)};
      next_to_prepare_ = first_batch;
      next_to_give_ = first_batch;
      ready_.clear();
    }
    changed_.notify_all();
  }

  std::optional<Batch> next() {
    if (next_to_give_ >= batches_per_epoch()) return std::nullopt;
    if (workers_.empty()) return prepare(epoch_, next_to_give_++);
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return ready_.count(next_to_give_) > 0; });
    auto node = ready_.extract(next_to_give_++);
    lock.unlock();
    changed_.notify_all();
    if (node.mapped().error) std::rethrow_exception(node.mapped().error);
    return std::move(node.mapped().batch);
  }

 private:
  struct Epoch {
    std::int64_t number = 0;
    std::shared_ptr<const std::vector<std::int64_t>> order;
  };

  struct Result {
    Batch batch;
    std::exception_ptr error;
  };

  Batch prepare(const Epoch& epoch, std::int64_t number) const {
    const measure::MemoryKindScope kind(measure::MemoryKind::data);
    const auto& order = *epoch.order;
    const std::int64_t first = number * options_.batch_size;
    const std::int64_t count =
        std::min(options_.batch_size, static_cast<std::int64_t>(order.size()) - first);
    Batch batch;
    batch.labels = torch::empty({count}, torch::kInt64);
    auto* labels = batch.labels.data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t index = order[static_cast<std::size_t>(first + i)];
      const std::uint64_t key = random_key({options_.seed, key_of(epoch.number), key_of(index)});
      const Sample sample = dataset_->get_framed(index, transform_.frame(key));
      if (!batch.images.defined()) {
        batch.images =
            torch::empty({count, sample.image.size(0), sample.image.size(1), sample.image.size(2)},
                         torch::TensorOptions(torch::kFloat32), options_.memory_format);
      }
      transform_.apply(sample.image, batch.images.select(0, i), key);
      labels[i] = sample.label;
    }
    return batch;
  }

  void work() {
    const std::int64_t most_ahead = 2 * std::max<std::int64_t>(1, options_.workers);
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] {
        const bool wanted = epoch_.order && next_to_prepare_ < batches_per_epoch() &&
                            next_to_prepare_ < next_to_give_ + most_ahead;
        return closing_ || wanted;
      });
      if (closing_) return;
      const std::int64_t number = next_to_prepare_++;
      const std::uint64_t generation = generation_;
      const Epoch epoch = epoch_;
      lock.unlock();
      Result result;
      try {
        result.batch = prepare(epoch, number);
      } catch (...) {
        result.error = std::current_exception();
      }
      lock.lock();
      if (generation == generation_) ready_.emplace(number, std::move(result));
      changed_.notify_all();
    }
  }

  const std::shared_ptr<const Dataset> dataset_;
  const std::vector<std::int64_t> indices_;
  const Transform transform_;
  const LoaderOptions options_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool closing_ = false;
  std::uint64_t generation_ = 0;  ///< of start(): a batch of an earlier one is dropped
  Epoch epoch_;
  std::int64_t next_to_prepare_ = 0;
  std::int64_t next_to_give_ = 0;
  std::map<std::int64_t, Result> ready_;
  std::vector<std::thread> workers_;
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

Split split_training_set(std::int64_t size, double validation_fraction, std::int64_t train_limit,
                         std::uint64_t seed) {
  const auto order = random_permutation(size, random_key({seed, random_key("split")}));
  const auto held_out =
      static_cast<std::int64_t>(std::llround(static_cast<double>(size) * validation_fraction));
  const auto first_held_out = order.end() - static_cast<std::ptrdiff_t>(held_out);
  Split split;
  split.validation.assign(first_held_out, order.end());
  split.train.assign(order.begin(), first_held_out);
  if (train_limit > 0 && train_limit < static_cast<std::int64_t>(split.train.size())) {
    split.train.resize(static_cast<std::size_t>(train_limit));
  }
  return split;
}

}  // namespace mlaan
