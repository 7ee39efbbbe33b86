#include "fuzz/readers.h"

#include "io/onnx_model.h"
#include "io/protobuf.h"
#include "io/record_file.h"
#include "support/picture_writer.h"
#include "support/test_backbone.h"

#include <mlaan/data/cifar.h>
#include <mlaan/data/picture.h>
#include <mlaan/data/stl10.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/io/idx.h>
#include <mlaan/io/matlab_file.h>
#include <mlaan/io/safetensors.h>
#include <mlaan/local/method.h>
#include <mlaan/local/published.h>
#include <mlaan/train/export_info.h>
#include <mlaan/train/plan_file.h>

#ifdef MLAAN_HAS_MATIO
#include "support/matlab_writer.h"
#endif

#include <cstdint>
#include <memory>
#include <utility>

namespace mlaan::testing {
namespace {

namespace fs = std::filesystem;

/// Reads all of a tensor's memory, so that sanitizers see what of it is not its own.
void touch(const torch::Tensor& tensor) {
  const torch::Tensor bytes = tensor.contiguous();
  const auto* byte = static_cast<const unsigned char*>(bytes.data_ptr());
  unsigned sum = 0;
  for (std::size_t i = 0; i < bytes.nbytes(); ++i) sum += byte[i];
  volatile unsigned kept = sum;
  static_cast<void>(kept);
}

void touch(const DataSource& data) {
  for (const auto& part : {data.train, data.test}) {
    for (std::int64_t i = 0; i < part->size(); ++i) touch(part->get(i).image);
  }
}

FuzzedReader idx(const FuzzFolder& folder) {
  const std::string images = idx_header({3, 5, 7}) + counting_bytes(105);
  return reader_of_file(folder, "idx", "fuzzed-ubyte",
                        {images, gzipped(images), idx_header({4}) + "1234"},
                        [](const fs::path& path) { touch(read_idx(path)); });
}

FuzzedReader cifar10(const FuzzFolder& folder) {
  write_bytes(*folder / "cifar/test_batch.bin", counting_bytes(3073));
  return reader_of_file(
      folder, "cifar10", "cifar/data_batch_1.bin",
      {counting_bytes(3073), counting_bytes(3073) + counting_bytes(3073)},
      [](const fs::path& path) { touch(load_cifar10(path.parent_path().string())); });
}

FuzzedReader stl10(const FuzzFolder& folder) {
  for (const char* part : {"train", "test"}) {
    write_bytes(*folder / "stl10" / (std::string(part) + "_X.bin"), counting_bytes(2UL * 27648));
    write_bytes(*folder / "stl10" / (std::string(part) + "_y.bin"), "\1\2");
  }
  return reader_of_file(
      folder, "stl10", "stl10/train_y.bin", {"\1\2", "\x0a\3"},
      [](const fs::path& path) { touch(load_stl10(path.parent_path().string())); });
}

FuzzedReader safetensors(const FuzzFolder& folder) {
  const fs::path path = *folder / "seed.safetensors";
  write_safetensors(path, {{{"key", "value"}},
                           {{"a", torch::arange(6).to(torch::kFloat32).view({2, 3})},
                            {"b", torch::tensor({1, -2}, torch::kInt64)},
                            {"empty", torch::empty({0, 4})}}});
  const std::string header = R"({"w":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}})";
  const std::string length{static_cast<char>(header.size()), 0, 0, 0, 0, 0, 0, 0};
  return reader_of_file(folder, "safetensors", "fuzzed.safetensors",
                        {read_text(path), length + header + "1234"}, [](const fs::path& file) {
                          for (const auto& named : read_safetensors(file).tensors)
                            touch(named.tensor);
                        });
}

FuzzedReader plan_file(const FuzzFolder& folder) {
  const auto backbone = std::make_shared<const Backbone>(test_backbone("resnet8", 0));
  std::vector<std::string> seeds;
  for (const char* method : {"dgl", "mlaan", "e2e"}) {
    OptionSet options;
    const Plan plan =
        method_registry().at(method).plan(*backbone, default_partition(*backbone, 2), options, 3);
    seeds.push_back(plan_text(describe(plan, *backbone), *backbone));
  }
  return reader_of_file(folder, "plan_file", "fuzzed.toml", seeds,
                        [backbone](const fs::path& path) { read_plan(path, *backbone); });
}

FuzzedReader description(const FuzzFolder& folder) {
  return reader_of_file(folder, "export_info", "fuzzed.json", {some_export_info().to_json()},
                        [](const fs::path& path) { ExportInfo::from_json(read_text(path)); });
}

FuzzedReader onnx(const FuzzFolder& folder) {
  OnnxModel model("fuzzed");
  model.add_input("images", {3, 8, 8});
  model.add_initializer("weight", torch::arange(12).to(torch::kFloat32).view({2, 6}));
  const std::string sum = model.add_node("ReduceSum", {"images", model.constant({2, 3})},
                                         {{"keepdims", std::int64_t{0}}});
  model.add_node("LeakyRelu", {sum}, {{"alpha", 0.1}}, "logits");
  model.add_output("logits", {3});
  model.add_metadata("mlaan.network", some_export_info().to_json());
  return reader_of_file(folder, "onnx", "fuzzed.onnx", {model.to_bytes()},
                        [](const fs::path& path) {
                          const std::string bytes = read_text(path);
                          for (const auto& named : read_onnx(bytes).initializers)
                            touch(named.tensor);
                        });
}

FuzzedReader events(const FuzzFolder& folder) {
  ProtobufWriter event;
  event.float64(1, 12.5);
  event.integer(2, 300);
  event.text(3, "brain.Event:2");
  return reader_of_file(folder, "events", "fuzzed.tfevents",
                        {framed_record(event.bytes()) + framed_record(event.bytes())},
                        [](const fs::path& path) {
                          const std::string bytes = read_text(path);
                          for (const auto& record : whole_records(bytes)) {
                            ProtobufReader fields(record);
                            while (fields.next()) {
                            }
                          }
                        });
}

#ifdef MLAAN_HAS_MATIO
FuzzedReader matlab(const FuzzFolder& folder) {
  std::vector<std::string> seeds;
  for (const bool packed : {true, false}) {
    write_svhn(*folder / "seed.mat", counting_bytes(3072), "\1", packed);
    seeds.push_back(read_text(*folder / "seed.mat"));
  }
  return reader_of_file(folder, "matlab", "fuzzed.mat", seeds, [](const fs::path& path) {
    touch(read_matlab_array(path, "X"));
    touch(read_matlab_array(path, "y"));
  });
}
#endif

#ifdef MLAAN_HAS_PICTURES
FuzzedReader picture(const FuzzFolder& folder) {
  const auto image = wavy_picture(3, 24, 40);
  JpegSettings progressive;
  progressive.progressive = true;
  progressive.orientation = 6;
  PngSettings interlaced;
  interlaced.interlaced = true;
  interlaced.orientation = 3;
  std::vector<std::string> seeds{jpeg_file(image), jpeg_file(image, progressive),
                                 jpeg_file(wavy_picture(4, 24, 40)), png_file(image),
                                 png_file(wavy_picture(2, 24, 40), interlaced)};
#ifdef MLAAN_HAS_WEBP
  seeds.push_back(webp_file(image, 100));
  seeds.push_back(webp_file(image, 80));
#endif
  return reader_of_file(folder, "picture", "fuzzed.jpg", seeds, [](const fs::path& path) {
    touch(read_picture(path, [](std::int64_t width, std::int64_t height) {
      return Frame{{width / 3, height / 4, width - width / 3, height - height / 4}, 8, 8};
    }));
    touch(read_picture(path));
  });
}
#endif

}  // namespace

ExportInfo some_export_info() {
  ExportInfo info;
  info.model = "resnet8";
  info.classes = 2;
  info.class_names = {"cat", "dog"};
  info.image_shape = {3, 8, 8};
  info.normalisation = {{0.5, 0.5, 0.5}, {0.25, 0.25, 0.25}};
  info.exits = {{"logits", "head", 1, 10, 11}};
  return info;
}

std::vector<FuzzedReader> fuzzed_readers() {
  const auto folder = std::make_shared<const TemporaryFolder>();
  std::vector<FuzzedReader> readers{
      idx(folder),       cifar10(folder),     stl10(folder), safetensors(folder),
      plan_file(folder), description(folder), onnx(folder),  events(folder),
#ifdef MLAAN_HAS_MATIO
      matlab(folder),
#endif
#ifdef MLAAN_HAS_PICTURES
      picture(folder),
#endif
  };
  for (auto& reader : readers_of_runs(folder)) readers.push_back(std::move(reader));
  for (auto& reader : readers_of_scripts(folder)) readers.push_back(std::move(reader));
  return readers;
}

}  // namespace mlaan::testing
