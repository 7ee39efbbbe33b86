// Exported networks: files or folders that hold weights and the description of the network.
#include "core/libtorch_error.h"
#include "core/trial_in_child.h"
#include "train/onnx_graph.h"
#include "train/traced_network.h"

#include <mlaan/core/error.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/io/safetensors.h>
#include <mlaan/nn/backbones.h>
#include <mlaan/nn/backbones/scripted_backbone.h>
#include <mlaan/train/exported_network.h>
#include <mlaan/train/plan_file.h>

#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>

namespace mlaan {
namespace {

namespace fs = std::filesystem;
namespace jit = torch::jit;

/// The description's key in a file's metadata; in a folder, the description is a file.
constexpr const char* description_key = "mlaan.network";
constexpr const char* description_file = "network.json";
constexpr const char* tensors_file = "network.safetensors";
constexpr const char* classes_file = "classes.txt";

/// Tolerance relative to the largest logit: other kernels sum in another order.
constexpr double logit_tolerance = 1e-4;

fs::path description_beside(fs::path path) {
  return path.replace_extension(".json");
}

torch::Tensor some_images(const Shape& image_shape, std::int64_t batch) {
  Shape sizes = image_shape;
  sizes.insert(sizes.begin(), batch);
  torch::Tensor images = torch::empty(sizes);
  return images.copy_((torch::arange(images.numel(), torch::kFloat32) * 0.7).sin().view(sizes));
}

// Writing.

void write_whole(const fs::path& path, const std::string& bytes) {
  AtomicFile file(path);
  file.write(bytes.data(), bytes.size());
  file.commit();
}

void write_tensors(const MultiExitNetwork& network, const ExportInfo& info, const fs::path& path) {
  TensorFile file;
  file.metadata = {{description_key, info.to_json()}, {"format", "pt"}};
  file.tensors = network.named_parameters();
  for (auto& buffer : network.named_buffers()) file.tensors.push_back(std::move(buffer));
  write_safetensors(path, file);
}

/// The network's own TorchScript file with the trained weights in it.
jit::Module script_with_weights(const MultiExitNetwork& network, const fs::path& script) {
  jit::Module module = jit::load(script.string(), c10::Device(c10::kCPU));
  std::map<std::string, torch::Tensor> trained;
  for (const auto& named : network.named_parameters()) trained[named.name] = named.tensor;
  for (const auto& named : network.named_buffers()) trained[named.name] = named.tensor;
  const torch::NoGradGuard no_grad;
  const auto take = [&](const std::string& name, torch::Tensor target) {
    const auto found = trained.find(name);
    if (found == trained.end() || found->second.sizes() != target.sizes()) {
      throw UserError(script.string() + " is not the script that was trained: its '" + name +
                      "' is not in the checkpoint, or of another shape there");
    }
    target.copy_(found->second);
  };
  for (const auto& parameter : module.named_parameters()) take(parameter.name, parameter.value);
  for (const auto& buffer : module.named_buffers()) take(buffer.name, buffer.value);
  module.eval();
  return module;
}

void write_script(jit::Module module, const ExportInfo& info, const fs::path& path) {
  std::ostringstream bytes;
  module.save(bytes, {{description_file, info.to_json()}});
  write_whole(path, bytes.str());
}

void write_onnx(const MultiExitNetwork& network, const ExportInfo& info, const fs::path& path) {
  OnnxModel model = onnx_model(trace_network(network), network);
  model.add_metadata(description_key, info.to_json());
  write_whole(path, model.to_bytes());
}

void write_folder(const MultiExitNetwork& network, const ExportInfo& info, const fs::path& folder,
                  const fs::path& script) {
  fs::create_directories(folder);
  write_tensors(network, info, folder / tensors_file);
  if (!script.empty())
    write_script(script_with_weights(network, script), info, folder / "network.pt");
  std::string classes;
  for (const auto& name : info.class_names) classes += name + "\n";
  write_text(folder / classes_file, classes);
  write_text(folder / description_file, info.to_json());
}

/// \throws Error if the written network returns other logits than the network it was written from.
void check_written(const MultiExitNetwork& network, const fs::path& path, const fs::path& script) {
  const torch::NoGradGuard no_grad;
  const ExportedNetwork written = read_exported(path, torch::kCPU, script);
  for (const std::int64_t batch : {1, 5}) {
    const torch::Tensor images = some_images(network.backbone.input_shape(0), batch);
    const auto expected = network.forward(images);
    const auto actual = written.predict(images);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const double scale = std::max(1.0, expected[i].abs().max().item<double>());
      const double difference = (actual.at(i) - expected[i]).abs().max().item<double>();
      if (difference <= logit_tolerance * scale) continue;
      throw Error(path.string() + " gives other logits than the network, by " +
                  std::to_string(difference) + "; do not use it");
    }
  }
}

// Reading.

/// The JSON header of a safetensors file, which lies between the header's length and the tensors.
std::string header_of_safetensors(const fs::path& path) {
  constexpr std::uint64_t longest = std::uint64_t{1} << 28;
  std::ifstream file(path, std::ios::binary);
  std::array<unsigned char, 8> bytes{};
  if (!file.read(reinterpret_cast<char*>(bytes.data()), bytes.size())) return "";
  std::uint64_t length = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) length = length << 8 | bytes.at(i);
  std::string header(static_cast<std::size_t>(std::min(length, longest)), '\0');
  file.read(header.data(), static_cast<std::streamsize>(header.size()));
  header.resize(static_cast<std::size_t>(file.gcount()));
  return header;
}

ExportInfo info_from(const std::string& text, const fs::path& path) {
  try {
    return ExportInfo::from_json(text);
  } catch (const UserError& error) {
    throw UserError(path.string() + ": " + error.what());
  }
}

/// The description that a file holds in its metadata.
template <class Metadata>
ExportInfo info_in(const Metadata& metadata, const std::string& key, const fs::path& path) {
  const auto found = metadata.find(key);
  if (found == metadata.end() || found->second.empty()) {
    throw UserError(path.string() + " was not exported by mlaan: it has no '" + key + "'");
  }
  return info_from(found->second, path);
}

/// Builds the network that a description names; its weights are loaded afterwards.
MultiExitNetwork described_network(const ExportInfo& info, const fs::path& path,
                                   const fs::path& script) {
  if (is_script_file(info.model) && script.empty()) {
    throw UserError(
        path.string() + " has only the weights of the scripted network " + info.model +
        "; give the script with --model FILE, or export to torchscript, which holds it");
  }
  const std::string model = script.empty() ? info.model : script.string();
  MultiExitNetwork network{
      make_backbone(model, info.classes, info.image_shape, 0), Partition({0}), {}};
  network.backbone.set_normalisation(info.normalisation);
  network.partition = Partition::uniform(network.backbone, 1);
  if (info.plan.empty()) return network;
  const Plan plan =
      build_plan(parse_plan(info.plan, path.string(), network.backbone), network.backbone, 0);
  network.partition = plan.partition;
  network.exits = early_exits(plan, network.backbone);
  if (network.exits.size() + 1 != info.exits.size()) {
    throw UserError(path.string() + ": the exits of its plan are not its outputs");
  }
  return network;
}

MultiExitNetwork network_of(const ExportInfo& info, const fs::path& path, const fs::path& script) {
  try {
    return described_network(info, path, script);
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {
    const std::string why = error.what();
    throw UserError(path.string() + " describes a network that cannot be made: " + info.model +
                    " of " + to_string(info.image_shape) + ": " + why.substr(0, why.find('\n')));
  }
}

ExportedNetwork ready_to_predict(const MultiExitNetwork& network, ExportInfo info,
                                 torch::Device device) {
  network.train(false);
  network.to(device);
  return {std::move(info), element_count(network.named_parameters()),
          [network, device](const torch::Tensor& images) {
            return network.forward(images.to(device));
          }};
}

ExportedNetwork read_tensors(const fs::path& path, torch::Device device, const fs::path& script) {
  const TensorFile file = read_safetensors(path);
  ExportInfo info = info_in(file.metadata, description_key, path);
  const MultiExitNetwork network = network_of(info, path, script);
  load_tensors(file.tensors, path, network);
  return ready_to_predict(network, std::move(info), device);
}

ExportedNetwork read_onnx_network(const fs::path& path, torch::Device device) {
  const std::string bytes = read_text(path);
  OnnxContent content;
  try {
    content = read_onnx(bytes);
  } catch (const UserError& error) {
    throw UserError(path.string() + " is not an ONNX model that mlaan can read: " + error.what());
  }
  ExportInfo info = info_in(content.metadata, description_key, path);
  const MultiExitNetwork network = network_of(info, path, "");
  load_tensors(content.initializers, path, network);
  network.train(false);
  if (onnx_model(trace_network(network), network).nodes() != content.nodes) {
    throw UserError(path.string() + " computes something different from mlaan's " + info.model +
                    ": its operators were changed, or another version wrote it; run it by an ONNX "
                    "runtime");
  }
  return ready_to_predict(network, std::move(info), device);
}

std::vector<torch::Tensor> outputs_of(const c10::IValue& outputs) {
  if (outputs.isTensor()) return {outputs.toTensor()};
  std::vector<torch::Tensor> tensors;
  for (const auto& output : outputs.toTupleRef().elements()) tensors.push_back(output.toTensor());
  return tensors;
}

ExportedNetwork open_script(const fs::path& path, torch::Device device) {
  jit::ExtraFilesMap extra{{description_file, ""}};
  std::shared_ptr<jit::Module> module;
  try {
    std::istringstream bytes(read_text(path));
    module = std::make_shared<jit::Module>(jit::load(bytes, device, extra));
  } catch (const UserError&) {
    throw;
  } catch (const c10::Error& error) {
    throw UserError(path.string() +
                    " is not a TorchScript file: " + first_line(error.what_without_backtrace()));
  } catch (const std::exception& error) {
    throw UserError(path.string() + " is not a TorchScript file: " + first_line(error.what()));
  }
  ExportInfo info = info_in(extra, description_file, path);
  module->eval();
  std::int64_t parameters = 0;
  for (const auto& parameter : module->parameters()) parameters += parameter.numel();
  return {std::move(info), parameters, [module, device](const torch::Tensor& images) {
            const jit::GraphOptimizerEnabledGuard as_written(false);
            return outputs_of(module->forward({images.to(device)}));
          }};
}

ExportedNetwork read_script(const fs::path& path, torch::Device device) {
  try_opening(path.string(), [&] {
    const ExportedNetwork network = open_script(path, torch::kCPU);
    const torch::NoGradGuard no_grad;
    network.predict(some_images(network.info.image_shape, 1));
  });
  return open_script(path, device);
}

}  // namespace

ExportFormat parse_export_format(const std::string& text) {
  if (text == "safetensors") return ExportFormat::safetensors;
  if (text == "torchscript") return ExportFormat::torchscript;
  if (text == "onnx") return ExportFormat::onnx;
  if (text == "folder") return ExportFormat::folder;
  throw UserError("unknown format '" + text +
                  "' to export to; known: safetensors, torchscript, onnx, folder");
}

void export_network(const MultiExitNetwork& network, const ExportInfo& info, ExportFormat format,
                    const fs::path& path, const fs::path& script) {
  network.train(false);
  network.to(torch::Device(torch::kCPU));
  switch (format) {
    case ExportFormat::safetensors:
      write_tensors(network, info, path);
      break;
    case ExportFormat::torchscript:
      write_script(script.empty() || !network.exits.empty() ? scripted(trace_network(network))
                                                            : script_with_weights(network, script),
                   info, path);
      break;
    case ExportFormat::onnx:
      write_onnx(network, info, path);
      break;
    case ExportFormat::folder:
      write_folder(network, info, path, script);
      break;
  }
  if (format != ExportFormat::folder) write_text(description_beside(path), info.to_json());
  check_written(network, path, script);
}

bool is_exported(const fs::path& path) {
  if (fs::is_directory(path)) return fs::exists(path / description_file);
  const auto extension = path.extension();
  if (extension == ".pt" || extension == ".onnx") return true;
  return header_of_safetensors(path).find(std::string("\"") + description_key + "\":") !=
         std::string::npos;
}

ExportedNetwork read_exported(const fs::path& path, torch::Device device, const fs::path& script) {
  if (fs::is_directory(path)) return read_tensors(path / tensors_file, device, script);
  if (path.extension() == ".pt") return read_script(path, device);
  if (path.extension() == ".onnx") return read_onnx_network(path, device);
  return read_tensors(path, device, script);
}

}  // namespace mlaan
