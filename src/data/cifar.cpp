// CIFAR-10 and CIFAR-100 from their binary batches (Krizhevsky 2009).
#include <mlaan/data/cifar.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>

namespace mlaan {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t side = 32;
constexpr std::int64_t pixels = 3 * side * side;

/// What the two data sets differ in.
struct Format {
  const char* name;
  const char* archive_folder;
  std::vector<std::string> train_files;  ///< of which those that are there are read
  std::string test_file;
  std::string names_file;
  std::int64_t label_bytes;  ///< the last of them counts
  std::int64_t classes;
};

class InMemory final : public Dataset {
 public:
  InMemory(torch::Tensor images, std::vector<std::int64_t> labels)
      : images_(std::move(images)), labels_(std::move(labels)) {}

  std::int64_t size() const override { return static_cast<std::int64_t>(labels_.size()); }

  Sample get(std::int64_t index) const override {
    return {images_.select(0, index), labels_.at(static_cast<std::size_t>(index))};
  }

 private:
  torch::Tensor images_;  ///< uint8, n × 3 × 32 × 32
  std::vector<std::int64_t> labels_;
};

std::vector<char> read_whole(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw UserError("cannot read " + path.string());
  std::vector<char> bytes(static_cast<std::size_t>(fs::file_size(path)));
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file) throw UserError("cannot read all of " + path.string());
  return bytes;
}

std::shared_ptr<const Dataset> read_records(const Format& format,
                                            const std::vector<fs::path>& files) {
  const std::int64_t record = format.label_bytes + pixels;
  std::vector<std::int64_t> labels;
  std::vector<torch::Tensor> parts;
  for (const auto& path : files) {
    const std::vector<char> bytes = read_whole(path);
    const auto size = static_cast<std::int64_t>(bytes.size());
    if (size == 0 || size % record != 0) {
      throw UserError(path.string() + " is cut short or not of " + format.name + ": its " +
                      std::to_string(size) + " bytes are no whole number of records of " +
                      std::to_string(record));
    }
    const std::int64_t count = size / record;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t position = i * record + format.label_bytes - 1;
      const auto label = static_cast<unsigned char>(bytes[static_cast<std::size_t>(position)]);
      if (label >= format.classes) {
        throw UserError(path.string() + ": record " + std::to_string(i + 1) + " has the label " +
                        std::to_string(label) + "; labels of " + format.name + " go from 0 to " +
                        std::to_string(format.classes - 1));
      }
      labels.push_back(label);
    }
    const auto all =
        torch::from_blob(const_cast<char*>(bytes.data()), {count, record}, torch::kUInt8);
    parts.push_back(all.slice(1, format.label_bytes).clone());
  }
  const auto images = parts.size() == 1 ? parts[0] : torch::cat(parts);
  return std::make_shared<InMemory>(images.view({-1, 3, side, side}), std::move(labels));
}

std::vector<std::string> read_class_names(const fs::path& path, std::int64_t classes) {
  std::vector<std::string> names;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    line.erase(std::remove(line.begin(), line.end(), '\r'), line.end());
    if (!line.empty()) names.push_back(line);
  }
  if (static_cast<std::int64_t>(names.size()) == classes) return names;
  names.clear();
  for (std::int64_t c = 0; c < classes; ++c) names.push_back(std::to_string(c));
  return names;
}

DataSource load(const Format& format, const std::string& folder) {
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
  source.image_shape = {3, side, side};
  source.classes = read_class_names(root / format.names_file, format.classes);
  source.normalisation = {{125.3 / 255, 123.0 / 255, 113.9 / 255},
                          {63.0 / 255, 62.1 / 255, 66.7 / 255}};
  source.crop = {4, PaddingMode::reflect, true};
  source.train = read_records(format, train_files);
  source.test = read_records(format, {root / format.test_file});
  return source;
}

DatasetEntry entry(const std::string& name, const std::string& summary,
                   DataSource (*load_folder)(const std::string&)) {
  return {name, summary, true, [](OptionSet&) {},
          [load_folder](const std::string& folder, OptionSet&) { return load_folder(folder); }};
}

}  // namespace

DataSource load_cifar10(const std::string& folder) {
  return load({"cifar10",
               "cifar-10-batches-bin",
               {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
                "data_batch_5.bin"},
               "test_batch.bin",
               "batches.meta.txt",
               1,
               10},
              folder);
}

DataSource load_cifar100(const std::string& folder) {
  return load(
      {"cifar100", "cifar-100-binary", {"train.bin"}, "test.bin", "fine_label_names.txt", 2, 100},
      folder);
}

DatasetEntry cifar10_entry() {
  return entry("cifar10", "CIFAR-10 binary batches: 32×32, 10 classes", load_cifar10);
}

DatasetEntry cifar100_entry() {
  return entry("cifar100", "CIFAR-100 binary files: 32×32, 100 classes", load_cifar100);
}

}  // namespace mlaan
