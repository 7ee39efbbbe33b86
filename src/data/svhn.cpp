// SVHN, Street View House Numbers, cropped digits (Netzer et al. 2011), from its .mat files.
#include "data/class_names.h"

#include <mlaan/data/in_memory.h>
#include <mlaan/data/svhn.h>
#include <mlaan/io/matlab_file.h>

#include <filesystem>
#include <vector>

namespace mlaan {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t svhn_side = 32;
constexpr std::int64_t svhn_classes = 10;

struct SvhnPart {
  torch::Tensor images;
  std::vector<std::int64_t> labels;
};

SvhnPart read_part(const fs::path& path) {
  const torch::Tensor x = read_matlab_array(path, "X");
  if (x.dim() != 4 || x.size(0) != svhn_side || x.size(1) != svhn_side || x.size(2) != 3 ||
      x.scalar_type() != torch::kUInt8) {
    throw UserError(path.string() + ": X is of " + c10::toString(x.scalar_type()) + ", " +
                    to_string(x.sizes().vec()) + ", where svhn has uint8, 32×32×3×n");
  }
  const torch::Tensor y = read_matlab_array(path, "y");
  const std::int64_t count = x.size(3);
  if (y.numel() != count) {
    throw UserError(path.string() + ": y has " + std::to_string(y.numel()) + " labels for the " +
                    std::to_string(count) + " images of X");
  }
  const torch::Tensor numbers = y.reshape({-1}).to(torch::kFloat64);
  const auto* number = numbers.data_ptr<double>();
  SvhnPart part;
  for (std::int64_t i = 0; i < count; ++i) {
    const bool in_range = number[i] >= 1 && number[i] <= svhn_classes;
    const auto label = in_range ? static_cast<std::int64_t>(number[i]) : 0;
    if (!in_range || static_cast<double>(label) != number[i]) {
      throw UserError(path.string() + ": label " + std::to_string(i + 1) + " of y is " +
                      std::to_string(number[i]) + "; labels of svhn go from 1 to 10");
    }
    part.labels.push_back(label % svhn_classes);
  }
  part.images = x.permute({3, 2, 0, 1}).contiguous();
  return part;
}

fs::path existing(const fs::path& path) {
  if (fs::exists(path)) return path;
  throw UserError("no svhn in " + path.parent_path().string() + ": it needs " +
                  path.filename().string());
}

}  // namespace

void SvhnOptions::describe(FieldList& fields) {
  fields.add("extra", extra, "train on the 531,131 easier images of extra_32x32.mat as well");
}

DataSource load_svhn(const std::string& folder, const SvhnOptions& options) {
  const fs::path root(folder);
  if (!fs::is_directory(root)) {
    throw UserError("there is no folder " + folder + " to read svhn from");
  }
  DataSource source;
  source.name = "svhn";
  source.image_shape = {3, svhn_side, svhn_side};
  source.classes = numbered_classes(svhn_classes);
  source.normalisation = {{0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}};
  source.crop = {2, PaddingMode::zero, false};
  const fs::path test_path = existing(root / "test_32x32.mat");
  SvhnPart train = read_part(existing(root / "train_32x32.mat"));
  if (options.extra) {
    const SvhnPart extra = read_part(existing(root / "extra_32x32.mat"));
    train.images = torch::cat({train.images, extra.images});
    train.labels.insert(train.labels.end(), extra.labels.begin(), extra.labels.end());
  }
  source.train = std::make_shared<InMemoryDataset>(train.images, std::move(train.labels));
  SvhnPart test = read_part(test_path);
  source.test = std::make_shared<InMemoryDataset>(test.images, std::move(test.labels));
  return source;
}

DatasetEntry svhn_entry() {
  const std::vector<std::string> addresses{"http://ufldl.stanford.edu/housenumbers/"};
  return {"svhn",
          std::string("SVHN cropped digits, .mat files: 32×32, 10 digits") +
              (can_read_matlab_files() ? "" : "; needs a build with matio"),
          true,
          [](OptionSet& options) { options.get<SvhnOptions>(); },
          [](const std::string& folder, const OptionSet& options) {
            return load_svhn(folder, options.get<SvhnOptions>());
          },
          {{"train_32x32.mat", addresses, "md5:e26dedcc434d2e4c54c9b2d4a06d8373", 182040794, ""},
           {"test_32x32.mat", addresses, "md5:eb5a983be6a315427106f1b164d9cef3", 64275384, ""},
           {"extra_32x32.mat", addresses, "md5:a93ce644f1a588dc4d68dda5feec44a7", 1329278602, "",
            true}}};
}

}  // namespace mlaan
