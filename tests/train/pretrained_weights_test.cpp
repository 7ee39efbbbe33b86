#include "support/errors.h"
#include "support/files.h"
#include "support/temporary_folder.h"

#include <mlaan/io/safetensors.h>
#include <mlaan/nn/backbones.h>
#include <mlaan/train/pretrained_weights.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <utility>

namespace mlaan::testing {
namespace {

TensorFile weights_of(const Backbone& backbone) {
  TensorFile file;
  file.tensors = backbone.named_parameters();
  for (auto& buffer : backbone.named_buffers()) file.tensors.push_back(std::move(buffer));
  return file;
}

Backbone network(std::int64_t classes, std::uint64_t seed) {
  return make_backbone("resnet8", classes, {3, 32, 32}, seed);
}

TEST(PretrainedWeights, TakeThePlaceOfTheBackbonesOwn) {
  const TemporaryFolder folder;
  const Backbone source = network(10, 1);
  write_safetensors(folder / "weights.safetensors", weights_of(source));
  const Backbone target = network(10, 2);
  load_pretrained(folder / "weights.safetensors", target);
  const auto expected = source.named_parameters();
  const auto found = target.named_parameters();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_TRUE(torch::equal(found[i].tensor, expected[i].tensor)) << found[i].name;
  }
}

TEST(PretrainedWeights, AFreshHeadIsForOtherClasses) {
  const TemporaryFolder folder;
  write_safetensors(folder / "weights.safetensors", weights_of(network(10, 1)));
  const Backbone target = network(3, 2);
  const auto head = target.head()->named_parameters().front().tensor.clone();
  expect_user_error([&] { load_pretrained(folder / "weights.safetensors", target); },
                    {"fc.weight has the shape 10×64, where resnet8 has 3×64", "weights_head"});
  load_pretrained(folder / "weights.safetensors", target, PretrainedHead::fresh);
  EXPECT_TRUE(torch::equal(target.head()->named_parameters().front().tensor, head));
  EXPECT_TRUE(torch::equal(target.named_parameters().front().tensor,
                           network(10, 1).named_parameters().front().tensor));
}

TEST(PretrainedWeights, NamesThatDifferAreToldAndNothingIsCopied) {
  const TemporaryFolder folder;
  TensorFile file = weights_of(network(10, 1));
  file.tensors.front().name = "features.weight";
  write_safetensors(folder / "weights.safetensors", file);
  const Backbone target = network(10, 2);
  expect_user_error([&] { load_pretrained(folder / "weights.safetensors", target); },
                    {"weights.safetensors has no conv1.weight, which resnet8 needs"});
  file.tensors.push_back(target.named_parameters().front());
  write_safetensors(folder / "weights.safetensors", file);
  expect_user_error([&] { load_pretrained(folder / "weights.safetensors", target); },
                    {"has features.weight, which resnet8 does not have"});
  const auto untouched = network(10, 2).named_parameters();
  const auto found = target.named_parameters();
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_TRUE(torch::equal(found[i].tensor, untouched[i].tensor)) << found[i].name;
  }
}

TEST(PretrainedWeights, PrefixesOfWrappersAreNamed) {
  const TemporaryFolder folder;
  TensorFile file = weights_of(network(10, 1));
  for (auto& named : file.tensors) named.name = "module." + named.name;
  write_safetensors(folder / "weights.safetensors", file);
  expect_user_error(
      [&] { load_pretrained(folder / "weights.safetensors", network(10, 2)); },
      {"has no conv1.weight", "module.conv1.weight", "remove 'module.' from", "DataParallel"});
}

TEST(PretrainedWeights, FilesOfPyTorchAreToldApart) {
  const TemporaryFolder folder;
  const auto refused = [&](const std::string& content, const std::vector<std::string>& parts) {
    write_bytes(folder / "weights.pth", content);
    expect_user_error([&] { load_pretrained(folder / "weights.pth", network(10, 2)); }, parts);
  };
  const std::string list = std::string(100, 'x') + "archive/data.pkl" + std::string(30, 'x');
  refused("PK\x03\x04" + list,
          {"PyTorch file", "torch.save()", "torch.load(\"", "save_file", "weights.safetensors\")"});
  refused("PK\x03\x04" + list + "archive/constants.pkl", {"torch.jit.save()", "torch.jit.load"});
  refused("\x80\x02\x8a\x0a" + list, {"torch.save()"});
  refused("PK\x03\x04" + std::string(100, 'x'), {"not a whole safetensors"});
}

}  // namespace
}  // namespace mlaan::testing
