// Readers of TorchScript files: what is looked at before LibTorch opens them, and what it makes of
// them in a child process.
#include "fuzz/readers.h"
#include "io/pytorch_file.h"

#include <mlaan/io/atomic_file.h>
#include <mlaan/nn/backbones/scripted_backbone.h>
#include <mlaan/train/exported_network.h>

#include <torch/csrc/jit/api/module.h>
#include <torch/types.h>

namespace mlaan::testing {
namespace {

namespace fs = std::filesystem;
namespace jit = torch::jit;

/// A convolution and a head, each a child.
jit::Module small_network() {
  jit::Module head("Head");
  head.register_parameter("weight", torch::ones({2, 4}), false);
  head.define("def forward(self, x):\n  return torch.linear(x.mean([2, 3]), self.weight)\n");
  jit::Module body("Body");
  body.register_parameter("weight", torch::ones({4, 3, 3, 3}), false);
  body.define("def forward(self, x):\n  return torch.relu(torch.conv2d(x, self.weight))\n");
  jit::Module network("Network");
  network.register_module("body", body);
  network.register_module("head", head);
  network.define("def forward(self, x):\n  return self.head.forward(self.body.forward(x))\n");
  return network;
}

std::string saved(const FuzzFolder& folder, const jit::ExtraFilesMap& extra = {}) {
  const fs::path path = *folder / "seed.pt";
  small_network().save(path.string(), extra);
  return read_text(path);
}

/// Each of its files is opened by a child process first.
constexpr int few_files = 100;

}  // namespace

std::vector<FuzzedReader> readers_of_scripts(const FuzzFolder& folder) {
  const std::string script = saved(folder);
  const std::string exported = saved(folder, {{"network.json", some_export_info().to_json()}});
  std::vector<FuzzedReader> readers{
      reader_of_file(folder, "pytorch_file", "any.safetensors", {script},
                     [](const fs::path& path) {
                       try {
                         refuse_pytorch_file(path);
                       } catch (const UserError&) {  // as is right of the seed itself
                       }
                     }),
      reader_of_file(folder, "torchscript", "script.pt", {script},
                     [](const fs::path& path) {
                       scripted_backbone(path.string(), {3, 8, 8});
                     }),
      reader_of_file(folder, "exported_script", "exported.pt", {exported},
                     [](const fs::path& path) { read_exported(path, torch::kCPU, ""); })};
  readers[1].files = few_files;
  readers[2].files = few_files;
  return readers;
}

}  // namespace mlaan::testing
