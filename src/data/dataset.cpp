// Data sets and their registry.
#include <mlaan/data/cifar.h>
#include <mlaan/data/dataset.h>
#include <mlaan/data/image_folder.h>
#include <mlaan/data/mnist.h>
#include <mlaan/data/procedural.h>
#include <mlaan/data/resize.h>
#include <mlaan/data/stl10.h>
#include <mlaan/data/svhn.h>
#include <mlaan/measure/memory.h>

namespace mlaan {

Sample Dataset::get_framed(std::int64_t index, const FrameChooser& choose) const {
  Sample sample = get(index);
  sample.image = resize(sample.image, choose(sample.image.size(2), sample.image.size(1)));
  return sample;
}

const Registry<DatasetEntry>& dataset_registry() {
  static const Registry<DatasetEntry> registry(
      "data set", {procedural_entry(), cifar10_entry(), cifar100_entry(), mnist_entry(),
                   fashion_mnist_entry(), svhn_entry(), stl10_entry(), image_folder_entry()});
  return registry;
}

DataSource load_dataset(const std::string& name, const std::string& folder,
                        const OptionSet& options) {
  const DatasetEntry& entry = dataset_registry().at(name);
  if (entry.needs_folder && folder.empty()) {
    throw UserError("data set '" + name +
                    "' is read from files; say where they are with --data DIR");
  }
  const measure::MemoryKindScope kind(measure::MemoryKind::data);
  return entry.load(folder, options);
}

}  // namespace mlaan
