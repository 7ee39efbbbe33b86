// Data sets that are held entirely in memory.
#pragma once

#include <mlaan/data/dataset.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace mlaan {

/// Images of one size, in one tensor, and their labels.
class InMemoryDataset final : public Dataset {
 public:
  /// \param images uint8, n × channels × height × width.
  /// \param labels n class numbers.
  /// \throws UserError for images of another type or shape, and for another number of labels.
  InMemoryDataset(torch::Tensor images, std::vector<std::int64_t> labels);

  std::int64_t size() const override { return static_cast<std::int64_t>(labels_.size()); }

  /// The image is a view of the data set's memory.
  Sample get(std::int64_t index) const override;
  std::int64_t label(std::int64_t index) const override {
    return labels_.at(static_cast<std::size_t>(index));
  }

 private:
  torch::Tensor images_;
  std::vector<std::int64_t> labels_;
};

}  // namespace mlaan
