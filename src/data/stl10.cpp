// STL-10 from its binary files (Coates et al. 2011).
#include "data/class_names.h"

#include <mlaan/data/in_memory.h>
#include <mlaan/data/stl10.h>
#include <mlaan/io/byte_file.h>

#include <filesystem>
#include <vector>

namespace mlaan {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t stl10_side = 96;
constexpr std::int64_t stl10_image_bytes = 3 * stl10_side * stl10_side;
constexpr std::int64_t stl10_classes = 10;

std::shared_ptr<const Dataset> read_part(const fs::path& images_path, const fs::path& labels_path) {
  // The size is checked before the images are read.
  const std::int64_t bytes = file_bytes(images_path);
  if (bytes == 0 || bytes % stl10_image_bytes != 0) {
    throw UserError(images_path.string() + " is cut short or not a file of stl10: its " +
                    std::to_string(bytes) + " bytes are not a whole number of images of " +
                    std::to_string(stl10_image_bytes));
  }
  const std::int64_t count = bytes / stl10_image_bytes;
  if (file_bytes(labels_path) != count) {
    throw UserError(labels_path.string() + " has " + std::to_string(file_bytes(labels_path)) +
                    " bytes, where the " + std::to_string(count) + " images of " +
                    images_path.string() + " need one label each");
  }
  const torch::Tensor label_bytes = read_bytes(labels_path);
  std::vector<std::int64_t> labels;
  const auto* label = label_bytes.data_ptr<std::uint8_t>();
  for (std::int64_t i = 0; i < count; ++i) {
    if (label[i] < 1 || label[i] > stl10_classes) {
      throw UserError(labels_path.string() + ": label " + std::to_string(i + 1) + " is " +
                      std::to_string(label[i]) + "; labels of stl10 go from 1 to 10");
    }
    labels.push_back(label[i] - 1);
  }
  const auto columns_first = read_bytes(images_path).view({count, 3, stl10_side, stl10_side});
  return std::make_shared<InMemoryDataset>(columns_first.transpose(2, 3).contiguous(),
                                           std::move(labels));
}

}  // namespace

DataSource load_stl10(const std::string& folder) {
  fs::path root(folder);
  if (!fs::is_directory(root)) {
    throw UserError("there is no folder " + folder + " to read stl10 from");
  }
  if (fs::is_directory(root / "stl10_binary")) root /= "stl10_binary";
  for (const char* name : {"train_X.bin", "train_y.bin", "test_X.bin", "test_y.bin"}) {
    if (!fs::exists(root / name)) {
      throw UserError("no stl10 in " + root.string() + ": it needs " + name);
    }
  }
  DataSource source;
  source.name = "stl10";
  source.image_shape = {3, stl10_side, stl10_side};
  source.classes = read_class_names(root / "class_names.txt", stl10_classes);
  source.normalisation = {{0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}};
  source.crop = {4, PaddingMode::zero, true};
  source.train = read_part(root / "train_X.bin", root / "train_y.bin");
  source.test = read_part(root / "test_X.bin", root / "test_y.bin");
  return source;
}

DatasetEntry stl10_entry() {
  return {"stl10",
          "STL-10 binary files: 96×96, 10 classes, 5,000 labelled training images",
          true,
          [](OptionSet&) {},
          [](const std::string& folder, const OptionSet&) { return load_stl10(folder); },
          {{"stl10_binary.tar.gz",
            {"http://ai.stanford.edu/~acoates/stl10/"},
            "md5:91f7769df0f17e558f3565bffb0c7dfb",
            2640397119,
            "stl10_binary"}}};
}

}  // namespace mlaan
