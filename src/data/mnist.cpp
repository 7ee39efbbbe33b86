// MNIST (LeCun et al. 1998) and Fashion-MNIST (Xiao et al. 2017, arXiv:1708.07747) from IDX files.
#include "data/class_names.h"

#include <mlaan/data/in_memory.h>
#include <mlaan/data/mnist.h>
#include <mlaan/io/idx.h>

#include <filesystem>
#include <system_error>
#include <vector>

namespace mlaan {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t mnist_side = 28;
constexpr std::int64_t mnist_classes = 10;

/// The differences between the two data sets.
struct MnistFormat {
  const char* name;
  const char* torchvision_folder;
  std::vector<std::string> classes;
  Normalisation normalisation;
  CropRecipe crop;
};

/// Finds the file or its compressed form: as published, as named on Kaggle
/// ("train-images.idx3-ubyte"), or in a folder of the same name, as some programs unpack it.
fs::path find_file(const MnistFormat& format, const fs::path& folder, const std::string& name) {
  std::string dotted = name;
  dotted.replace(dotted.find("-idx"), 1, ".");
  const std::vector<std::string> names{name, dotted, name + ".gz", dotted + ".gz"};
  for (const auto& place : {folder, folder / name, folder / dotted}) {
    for (const auto& file : names) {
      std::error_code error;
      if (fs::is_regular_file(place / file, error)) return place / file;
    }
  }
  throw UserError("no " + std::string(format.name) + " in " + folder.string() + ": it needs " +
                  name + " or " + dotted + ", or one of them with .gz appended");
}

std::shared_ptr<const Dataset> read_part(const MnistFormat& format, const fs::path& folder,
                                         const std::string& part) {
  const fs::path images_path = find_file(format, folder, part + "-images-idx3-ubyte");
  const fs::path labels_path = find_file(format, folder, part + "-labels-idx1-ubyte");
  const torch::Tensor images = read_idx(images_path);
  const torch::Tensor digits = read_idx(labels_path);
  if (images.dim() != 3 || images.size(0) < 1 || images.size(1) != mnist_side ||
      images.size(2) != mnist_side) {
    throw UserError(images_path.string() + " has the sizes " + to_string(images.sizes().vec()) +
                    ", where " + format.name + " has n×28×28 with n of at least 1");
  }
  if (digits.dim() != 1 || digits.size(0) != images.size(0)) {
    throw UserError(labels_path.string() + " has the sizes " + to_string(digits.sizes().vec()) +
                    ", which does not match the " + std::to_string(images.size(0)) + " images of " +
                    images_path.string());
  }
  std::vector<std::int64_t> labels(static_cast<std::size_t>(digits.size(0)));
  const auto* digit = digits.data_ptr<std::uint8_t>();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (digit[i] >= mnist_classes) {
      throw UserError(labels_path.string() + ": label " + std::to_string(i + 1) + " is " +
                      std::to_string(digit[i]) + "; labels of " + format.name + " go from 0 to 9");
    }
    labels[i] = digit[i];
  }
  return std::make_shared<InMemoryDataset>(images.unsqueeze(1), std::move(labels));
}

DataSource load_from(const MnistFormat& format, const std::string& folder) {
  fs::path root(folder);
  if (!fs::is_directory(root)) {
    throw UserError("there is no folder " + folder + " to read " + format.name + " from");
  }
  if (fs::is_directory(root / format.torchvision_folder)) root /= format.torchvision_folder;
  DataSource source;
  source.name = format.name;
  source.image_shape = {1, mnist_side, mnist_side};
  source.classes = format.classes;
  source.normalisation = format.normalisation;
  source.crop = format.crop;
  source.train = read_part(format, root, "train");
  source.test = read_part(format, root, "t10k");
  return source;
}

DatasetEntry mnist_entry(const std::string& name, const std::string& summary,
                         DataSource (*load_folder)(const std::string&),
                         std::vector<PublishedFile> files) {
  return {
      name,
      summary,
      true,
      [](OptionSet&) {},
      [load_folder](const std::string& folder, const OptionSet&) { return load_folder(folder); },
      std::move(files)};
}

}  // namespace

DataSource load_mnist(const std::string& folder) {
  return load_from(
      {"mnist", "MNIST/raw", numbered_classes(mnist_classes), {{0.1307}, {0.3081}}, {}}, folder);
}

DataSource load_fashion_mnist(const std::string& folder) {
  return load_from({"fashion_mnist",
                    "FashionMNIST/raw",
                    {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt",
                     "Sneaker", "Bag", "Ankle boot"},
                    {{0.2860}, {0.3530}},
                    {0, PaddingMode::zero, true}},
                   folder);
}

DatasetEntry mnist_entry() {
  const std::vector<std::string> addresses{"https://ossci-datasets.s3.amazonaws.com/mnist/",
                                           "http://yann.lecun.com/exdb/mnist/"};
  return mnist_entry(
      "mnist", "MNIST IDX files: 28×28, grey, 10 digits", load_mnist,
      {{"train-images-idx3-ubyte.gz", addresses, "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873", 9912422},
       {"train-labels-idx1-ubyte.gz", addresses, "md5:d53e105ee54ea40749a09fcbcd1e9432", 28881},
       {"t10k-images-idx3-ubyte.gz", addresses, "md5:9fb629c4189551a2d022fa330f9573f3", 1648877},
       {"t10k-labels-idx1-ubyte.gz", addresses, "md5:ec29112dd5afa0611ce80d1b7f02629c", 4542}});
}

DatasetEntry fashion_mnist_entry() {
  const std::vector<std::string> addresses{
      "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"};
  return mnist_entry(
      "fashion_mnist", "Fashion-MNIST IDX files: 28×28, grey, 10 kinds of clothing",
      load_fashion_mnist,
      {{"train-images-idx3-ubyte.gz", addresses, "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d", 26421880},
       {"train-labels-idx1-ubyte.gz", addresses, "md5:25c81989df183df01b3e8a0aad5dffbe", 29515},
       {"t10k-images-idx3-ubyte.gz", addresses, "md5:bef4ecab320f06d8554ea6380940ec79", 4422102},
       {"t10k-labels-idx1-ubyte.gz", addresses, "md5:bb300cfdad3c16e7a12a480ee83cd310", 5148}});
}

}  // namespace mlaan
