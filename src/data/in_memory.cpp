// Data sets that are held in memory as a whole.
#include <mlaan/core/error.h>
#include <mlaan/data/in_memory.h>

#include <utility>

namespace mlaan {

InMemoryDataset::InMemoryDataset(torch::Tensor images, std::vector<std::int64_t> labels)
    : images_(std::move(images)), labels_(std::move(labels)) {
  if (images_.dim() != 4 || images_.scalar_type() != torch::kUInt8) {
    throw UserError("a data set in memory is of images n×channels×height×width, uint8; got " +
                    to_string(images_.sizes().vec()) + ", " + c10::toString(images_.scalar_type()));
  }
  if (images_.size(0) != size()) {
    throw UserError("a data set of " + std::to_string(images_.size(0)) + " images has " +
                    std::to_string(size()) + " labels");
  }
}

Sample InMemoryDataset::get(std::int64_t index) const {
  return {images_.select(0, index), labels_.at(static_cast<std::size_t>(index))};
}

}  // namespace mlaan
