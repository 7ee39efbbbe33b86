// Splits a training set into images for training and validation.
#include <mlaan/core/random.h>
#include <mlaan/data/loader.h>

#include <cmath>
#include <cstddef>

namespace mlaan {

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
