// Renumbers the classes of a data set.
#include "data/relabelled.h"

#include <algorithm>
#include <utility>

namespace mlaan {
namespace {

class Relabelled final : public Dataset {
 public:
  /// \param numbers the new class number for each old one.
  Relabelled(std::shared_ptr<const Dataset> images, std::vector<std::int64_t> numbers)
      : images_(std::move(images)), numbers_(std::move(numbers)) {}

  std::int64_t size() const override { return images_->size(); }
  Sample get(std::int64_t index) const override { return renumbered(images_->get(index)); }
  std::int64_t label(std::int64_t index) const override {
    return numbers_.at(static_cast<std::size_t>(images_->label(index)));
  }
  Sample get_framed(std::int64_t index, const FrameChooser& choose) const override {
    return renumbered(images_->get_framed(index, choose));
  }

 private:
  Sample renumbered(Sample sample) const {
    sample.label = numbers_.at(static_cast<std::size_t>(sample.label));
    return sample;
  }

  std::shared_ptr<const Dataset> images_;
  std::vector<std::int64_t> numbers_;
};

}  // namespace

DataSource with_class_order(DataSource data, const std::vector<std::string>& classes) {
  std::vector<std::int64_t> numbers;
  for (const auto& name : data.classes) {
    numbers.push_back(std::find(classes.begin(), classes.end(), name) - classes.begin());
  }
  data.train = std::make_shared<Relabelled>(data.train, numbers);
  data.test = std::make_shared<Relabelled>(data.test, std::move(numbers));
  data.classes = classes;
  return data;
}

}  // namespace mlaan
