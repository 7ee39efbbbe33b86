// CIFAR-10 and CIFAR-100 from their binary batches (Krizhevsky 2009).
#include "data/class_names.h"

#include <mlaan/data/cifar.h>
#include <mlaan/data/in_memory.h>
#include <mlaan/io/byte_file.h>

#include <filesystem>
#include <utility>

namespace mlaan {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t cifar_side = 32;
constexpr std::int64_t cifar_pixels = 3 * cifar_side * cifar_side;

/// The differences between the two data sets.
struct CifarFormat {
  const char* name;
  const char* archive_folder;
  std::vector<std::string> train_files;  ///< those that exist are read
  std::string test_file;
  std::string names_file;
  std::int64_t label_bytes;  ///< the last byte is the label
  std::int64_t classes;
};

std::shared_ptr<const Dataset> read_records(const CifarFormat& format,
                                            const std::vector<fs::path>& files) {
  const std::int64_t record = format.label_bytes + cifar_pixels;
  std::vector<std::int64_t> labels;
  std::vector<torch::Tensor> parts;
  for (const auto& path : files) {
    // Checked before anything is read, since the size may be absurd.
    const std::int64_t size = file_bytes(path);
    if (size == 0 || size % record != 0) {
      throw UserError(path.string() + " is cut short or not a file of " + format.name + ": its " +
                      std::to_string(size) + " bytes are not a whole number of records of " +
                      std::to_string(record));
    }
    const torch::Tensor records = read_bytes(path).view({-1, record});
    const torch::Tensor label_bytes = records.select(1, format.label_bytes - 1).contiguous();
    const auto* label = label_bytes.data_ptr<std::uint8_t>();
    for (std::int64_t i = 0; i < records.size(0); ++i) {
      if (label[i] >= format.classes) {
        throw UserError(path.string() + ": record " + std::to_string(i + 1) + " has the label " +
                        std::to_string(label[i]) + "; labels of " + format.name + " go from 0 to " +
                        std::to_string(format.classes - 1));
      }
      labels.push_back(label[i]);
    }
    parts.push_back(records.slice(1, format.label_bytes).contiguous());
  }
  const auto images = parts.size() == 1 ? parts[0] : torch::cat(parts);
  return std::make_shared<InMemoryDataset>(images.view({-1, 3, cifar_side, cifar_side}),
                                           std::move(labels));
}

DataSource load_records(const CifarFormat& format, const std::string& folder) {
  fs::path root(folder);
  if (!fs::is_directory(root))
    throw UserError("there is no folder " + folder + " to read " + format.name + " from");
  if (fs::is_directory(root / format.archive_folder)) root /= format.archive_folder;
  std::vector<fs::path> train_files;
  for (const auto& name : format.train_files) {
    if (fs::exists(root / name)) train_files.push_back(root / name);
  }
  if (train_files.empty() || !fs::exists(root / format.test_file)) {
    throw UserError("no " + std::string(format.name) + " in " + root.string() + ": it needs " +
                    format.train_files.front() + " and " + format.test_file);
  }
  DataSource source;
  source.name = format.name;
  source.image_shape = {3, cifar_side, cifar_side};
  source.classes = read_class_names(root / format.names_file, format.classes);
  source.normalisation = {{125.3 / 255, 123.0 / 255, 113.9 / 255},
                          {63.0 / 255, 62.1 / 255, 66.7 / 255}};
  source.crop = {4, PaddingMode::reflect, true};
  source.train = read_records(format, train_files);
  source.test = read_records(format, {root / format.test_file});
  return source;
}

/// An archive from the authors' page, which also publishes the MD5 sum.
PublishedFile archive(const std::string& name, const std::string& checksum, std::int64_t bytes,
                      const std::string& folder) {
  return {name, {"https://www.cs.toronto.edu/~kriz/"}, checksum, bytes, folder};
}

DatasetEntry cifar_entry(const std::string& name, const std::string& summary,
                         DataSource (*load_folder)(const std::string&), const PublishedFile& file) {
  return {
      name,
      summary,
      true,
      [](OptionSet&) {},
      [load_folder](const std::string& folder, const OptionSet&) { return load_folder(folder); },
      {file}};
}

}  // namespace

DataSource load_cifar10(const std::string& folder) {
  return load_records({"cifar10",
                       "cifar-10-batches-bin",
                       {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                        "data_batch_4.bin", "data_batch_5.bin"},
                       "test_batch.bin",
                       "batches.meta.txt",
                       1,
                       10},
                      folder);
}

DataSource load_cifar100(const std::string& folder) {
  return load_records(
      {"cifar100", "cifar-100-binary", {"train.bin"}, "test.bin", "fine_label_names.txt", 2, 100},
      folder);
}

DatasetEntry cifar10_entry() {
  return cifar_entry("cifar10", "CIFAR-10 binary batches: 32×32, 10 classes", load_cifar10,
                     archive("cifar-10-binary.tar.gz", "md5:c32a1d4ab5d03f1284b67883e8d87530",
                             170052171, "cifar-10-batches-bin"));
}

DatasetEntry cifar100_entry() {
  return cifar_entry("cifar100", "CIFAR-100 binary files: 32×32, 100 classes", load_cifar100,
                     archive("cifar-100-binary.tar.gz", "md5:03b5dce01913d631647c71ecec9e9cb8",
                             168513733, "cifar-100-binary"));
}

}  // namespace mlaan
